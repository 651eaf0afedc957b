package notifytest

import (
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
)

// Names delivers alerts that name many, by short names and by those that markups make
// longest. Each member's name must stand in what the receiver was sent, which is what
// open's second result returns.
func Names(t *testing.T, open func(t *testing.T) (d notify.Destination, sent func() string)) {
	for _, test := range []struct {
		name, filler string
		n            int
	}{
		{"a few", "", 30}, {"many", "", 505}, {"escaped", strings.Repeat("&", 100), 60}, {"backslashes", strings.Repeat(`\`, 100), 30}, {"Korean", strings.Repeat("유", 30), 30},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, sent := open(t)
			deliverer := notify.NewDeliverer(d, notify.Policy{PerMinute: 1e9}, notify.Env{})
			record, err := deliverer.Deliver(t.Context(), &notify.Message{Alert: alertingtest.Many(test.n, test.filler)})
			if err != nil || record.Outcome != notify.Delivered {
				t.Fatalf("%s %s, %v", record.Outcome, record.Reason, err)
			}
			said := sent()
			for i := range test.n {
				if !strings.Contains(said, alertingtest.NameOf(i)) {
					t.Fatalf("member %d is not named", i)
				}
			}
		})
	}
}

// names is Names for destinations that speak HTTP.
func (s Suite) names(t *testing.T, build func(t *testing.T, s Setup) notify.Destination) {
	Names(t, func(t *testing.T) (notify.Destination, func() string) {
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
