package local_test

import (
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/integration/recount"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/local"
)

// Every number of every alert is what a reader counts in the raw events.
func TestAlertsAreRecounted(t *testing.T) {
	names := []string{"demo"}
	if soakOr(0, 1) > 0 {
		names = nil
		for _, s := range simulate.Scenarios() {
			names = append(names, s.Name)
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			events := traffic(t, simulate.Options{Scenario: name, Seed: 5, Days: 15, Scale: 0.05, LeakStart: simulate.DefaultStart.Add(14*24*time.Hour + 10*time.Hour)})
			alerts := l.alertsOf(t, events)
			r := recount.New(l.dims, loginGrace, events)
			seen := map[string]int{}
			for i := range alerts {
				r.Check(t, &alerts[i])
				seen[string(alerts[i].Kind)]++
			}
			t.Logf("%d events, alerts by kind %v", len(events), seen)
			if seen[string(alerting.Statistical)] == 0 {
				t.Error("nothing was recounted")
			}
			recount.FollowOnsets(t, alerts)
		})
	}
}

// alertsOf returns all alerts of a log, sent or held back.
func (l *lab) alertsOf(t *testing.T, events []event.Event) (all []alerting.Alert) {
	t.Helper()
	r := local.New(l.joined(1), l.watchful(), l.correlate(1), []stream.Topic{{Name: "access", Partitions: 1}}, 1)
	r.Held = func(s *correlate.Suppressed) { all = append(all, s.Alert) }
	flush := func() {
		found, err := r.Flush()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	for i := range events {
		r.Fold(stream.Source{Topic: "access"}, stamp, &events[i])
		if i%5000 == 4999 {
			flush()
		}
	}
	r.Ingest.End(stream.Source{Topic: "access"})
	flush()
	slices.SortStableFunc(all, func(a, b alerting.Alert) int { return int(a.Time - b.Time) })
	return all
}
