package notifytest

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
)

// nothing is how a count looks that nobody made: none observed where none is expected.
var nothing = regexp.MustCompile(`(?i)\b(observed|expected|usual)\W{1,6}0(\.0)?\b|\s0 +0\s|\b0 distinct|\bnone is usual`)

// Content holds what a receiver was sent, which is what open's second result returns,
// against the alert. What rests on no count shows none. Of those that an alert names each
// must be named, also by the names that markups make longest.
func Content(t *testing.T, open func(t *testing.T) (d notify.Destination, sent func() string)) {
	deliver := func(t *testing.T, a *alerting.Alert) string {
		d, sent := open(t)
		record, err := notify.NewDeliverer(d, notify.Policy{PerMinute: 1e9}, notify.Env{}).Deliver(t.Context(), &notify.Message{Alert: a})
		if err != nil || record.Outcome != notify.Delivered {
			t.Fatalf("%s %s, %v", record.Outcome, record.Reason, err)
		}
		return sent()
	}
	for name, a := range map[string]*alerting.Alert{"fact": alertingtest.Fact(), "campaign": alertingtest.Campaign()} {
		t.Run("no count of a "+name, func(t *testing.T) {
			if said := deliver(t, a); nothing.MatchString(said) {
				t.Errorf("%q in\n%s", nothing.FindString(said), said)
			}
		})
	}
	for _, test := range []struct {
		name, filler string
		n            int
	}{
		{"a few", "", 30}, {"many", "", 505}, {"escaped", strings.Repeat("&", 100), 60}, {"backslashes", strings.Repeat(`\`, 100), 30}, {"Korean", strings.Repeat("유", 30), 30},
	} {
		t.Run(test.name, func(t *testing.T) {
			said := deliver(t, alertingtest.Many(test.n, test.filler))
			for i := range test.n {
				if !strings.Contains(said, alertingtest.NameOf(i)) {
					t.Fatalf("member %d is not named", i)
				}
			}
		})
	}
}

// content is Content for destinations that speak HTTP.
func (s Suite) content(t *testing.T, build func(t *testing.T, s Setup) notify.Destination) {
	Content(t, func(t *testing.T) (notify.Destination, func() string) {
		r := NewReceiver(t, false, s.Taken)
		return build(t, setup(r.URL, nil, time.Minute)), func() string {
			var all strings.Builder
			for _, q := range r.Seen() {
				all.Write(q.Body)
			}
			return all.String()
		}
	})
}
