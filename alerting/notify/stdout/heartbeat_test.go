package stdout

import (
	"bytes"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting/alertingtest"
)

// A heartbeat is a line of JSON, or a row of the table with what it says below.
func TestHeartbeat(t *testing.T) {
	h := alertingtest.Heartbeats()["heartbeat-quiet"]
	for format, want := range map[Format]string{
		JSON: string(h.AppendJSON(nil)) + "\n",
		Table: strings.Join([]string{
			"TIME (UTC)        SEVERITY  STATUS  DIMENSION   IDENTITY                          OBSERVED      EXPECTED         EXPOSED",
			"2026-03-03 09:00  -         -       heartbeat   weir                                     -             -               -",
			"    weir watches: all quiet. Between Mon 2 Mar 2026 09:00 and Tue 3 Mar 2026 09:00 (UTC) weir read 43,200,000 events and had nothing to tell; " +
				"nothing was held back. The next such word is due Wed 4 Mar 2026 09:00. If it does not come, nobody watches.",
			"    Evidence that opens an episode, in nats: user: volume 7.60, novelty 9.25; key: volume 3.00", "",
		}, "\n"),
	} {
		var b bytes.Buffer
		w, err := New("stdout", &b, format, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Beat(t.Context(), h); err != nil || b.String() != want {
			t.Errorf("%s: %v, got\n%s", format, err, b.String())
		}
	}
}
