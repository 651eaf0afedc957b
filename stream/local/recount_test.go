package local_test

import (
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/follow"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/console/report"
	"github.com/weirhq/weir/detectors/episode"
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
			pages := model.NewFold()
			alerts, held := l.alertsOf(t, events, pages)
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
			recount.FollowSent(t, slices.DeleteFunc(slices.Clone(alerts), func(a alerting.Alert) bool { return held[a.DedupKey+a.Time.String()] != "" }))
			checkPages(t, r, pages, events, alerts)
			checkReports(t, pages, events, alerts, held)
		})
	}
}

// checkPages holds what the console's page of an identity shows against the log.
func checkPages(t *testing.T, r *recount.Log, pages *model.Fold, events []event.Event, alerts []alerting.Alert) {
	t.Helper()
	episodes := map[[2]string]map[string]bool{}
	for i := range alerts {
		a := &alerts[i]
		id := [2]string{a.Dimension, a.Identity}
		if episodes[id] == nil {
			episodes[id] = map[string]bool{}
		}
		episodes[id][a.DedupKey] = true
	}
	s := pages.Snapshot()
	for id, keys := range episodes {
		if got := len(s.OfIdentity(id[0], id[1])); got != len(keys) {
			t.Errorf("the page of %v shows %d episodes, counted %d", id, got, len(keys))
		}
	}
	const hour, day = int64(3600_000), int64(24 * 3600_000)
	bins, exact := 0, 0
	for id := range r.Identities() {
		w := s.Week(id[0], id[1])
		known, _, _ := r.Counts(id[0], id[1], 0, events[len(events)-1].Time)
		check := func(b *model.Bin, end int64) {
			records, fresh, rows := r.Counts(id[0], id[1], int64(b.Start), end)
			off := math.Abs(records - float64(b.Distinct.Counted))
			bins++
			if known <= 1024 && off > 0 || off > 3+0.06*records {
				t.Errorf("the page of %v shows %g customers from %s to %s, counted %g", id, b.Distinct.Counted, b.Start, alerting.Time(end), records)
			}
			if end == int64(b.Start)+hour && rows != float64(b.Rows.Counted) {
				t.Errorf("the page of %v shows %g rows from %s to %s, counted %g", id, b.Rows.Counted, b.Start, alerting.Time(end), rows)
			}
			if b.FirstTouch != (model.Measured{}) {
				if exact++; fresh != float64(b.FirstTouch.Counted) {
					t.Errorf("the page of %v shows %g new customers from %s to %s, counted %g", id, b.FirstTouch.Counted, b.Start, alerting.Time(end), fresh)
				}
			}
		}
		last := map[int64]int64{} // the end of the last hour of a day that is there
		for i := range w.Hours {
			start := int64(w.Hours[i].Start)
			last[start-start%day] = start + hour
			check(&w.Hours[i], start+hour)
		}
		for i := range w.Days {
			if end, there := last[int64(w.Days[i].Start)]; there {
				check(&w.Days[i], end)
			}
		}
	}
	t.Logf("the pages show %d hours and days, of %d what is new", bins, exact)
}

// checkReports holds the report of each week against the alerts, of which some were held
// back.
func checkReports(t *testing.T, pages *model.Fold, events []event.Event, alerts []alerting.Alert, held map[string]correlate.SuppressedKind) {
	t.Helper()
	type course struct {
		opened, sent time.Time
		statistical  bool
		gravest      episode.Severity
		open         bool
	}
	of := map[string]*course{}
	for i := range alerts {
		a := &alerts[i]
		c := of[a.DedupKey]
		if c == nil {
			c = &course{opened: a.Time.Std()}
			of[a.DedupKey] = c
		}
		c.open, c.statistical = a.Status != alerting.Close, a.Kind != alerting.KindFact
		if held[a.DedupKey+a.Time.String()] == "" {
			if c.sent.IsZero() {
				c.sent = a.Time.Std()
			}
			c.gravest = max(c.gravest, a.Severity)
		}
	}
	end := time.UnixMilli(events[len(events)-1].Time)
	pages.Judged(alerting.Time(end.UnixMilli()))
	for monday := simulate.DefaultStart; monday.Before(end); monday = monday.AddDate(0, 0, 7) {
		r := report.Of(pages.Snapshot(), monday)
		next := monday.AddDate(0, 0, 7)
		days := min(next.Sub(monday), end.Sub(monday)).Hours() / 24
		opened, sent, open, statistical, heldBack, severity := 0, 0, 0, 0, 0, map[string]int{}
		for _, c := range of {
			if c.opened.Before(monday) || !c.opened.Before(next) {
				continue
			}
			opened++
			if c.open {
				open++
			}
			if c.sent.IsZero() {
				continue
			}
			sent++
			severity[c.gravest.String()]++
			if c.statistical {
				statistical++
			}
		}
		messages := 0
		for i := range alerts {
			if a := &alerts[i]; held[a.DedupKey+a.Time.String()] != "" && !a.Time.Std().Before(monday) && a.Time.Std().Before(next) {
				messages++
			}
		}
		for _, h := range r.HeldBack {
			heldBack += h.Messages
		}
		if r.Opened != opened || r.Sent != sent || r.Open != open || !maps.Equal(r.Severity, severity) || heldBack != messages || r.Unjudged != sent || math.Abs(r.Used-float64(statistical)/max(days, 1)) > 0.006 {
			t.Errorf("week %s: opened %d, sent %d, open %d, %v, held back %d, %g a day; counted %d, %d, %d, %v, %d, %g", r.Week, r.Opened, r.Sent, r.Open, r.Severity, heldBack, r.Used, opened, sent, open, severity, messages, float64(statistical)/max(days, 1))
		}
		t.Logf("week %s: opened %d, sent %d, open %d, %v, held back %d, %g a day", r.Week, r.Opened, r.Sent, r.Open, r.Severity, heldBack, r.Used)
	}
}

// alertsOf returns all alerts of a log, sent or held back, and by key and time what held
// back those; and has pages take them in, and the evidence.
func (l *lab) alertsOf(t *testing.T, events []event.Event, pages *model.Fold) (all []alerting.Alert, held map[string]correlate.SuppressedKind) {
	t.Helper()
	r := local.New(l.joined(1), l.watchful(), l.correlate(1), []stream.Topic{{Name: "access", Partitions: 1}}, 1)
	held = map[string]correlate.SuppressedKind{}
	r.Held = func(s *correlate.Suppressed) {
		all, held[s.Alert.DedupKey+s.Alert.Time.String()] = append(all, s.Alert), s.By.Kind
		pages.Suppressed(s)
	}
	r.Reported = func(report *stream.EvidenceReport) { follow.Counted(pages, l.names, report) }
	flush := func() {
		found, err := r.Flush()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
		for i := range found {
			pages.Alert(&found[i])
		}
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
	return all, held
}
