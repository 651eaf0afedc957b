package notifytest

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
)

// Heartbeats holds what a destination posts of each heartbeat against a file in
// testdata, or writes the file.
func (s Suite) Heartbeats(t *testing.T, rewrite bool, build func(t *testing.T, s Setup) notify.Destination) {
	for name, h := range alertingtest.Heartbeats() {
		t.Run(name, func(t *testing.T) {
			r := NewReceiver(t, false, s.Taken)
			if retry, err := build(t, setup(r.URL, nil, time.Minute)).Beat(t.Context(), h); err != nil {
				t.Fatalf("not taken: retry %v, %v", retry, err)
			}
			var out bytes.Buffer
			if err := json.Indent(&out, r.Seen()[0].Body, "", "  "); err != nil {
				t.Fatal(err)
			}
			alertingtest.Golden(t, rewrite, "testdata/"+name+".json", out.Bytes())
		})
	}
}
