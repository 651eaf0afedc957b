package local_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/local"
)

// Somebody forges tokens who can do more than that: flood weir with clients that he makes
// up, edit its configuration so that the client of his tokens is expected, write verdicts
// in the name of the CISO, and click without being on the list. Whatever the seed, people
// are told of the key within an hour, of the settings with who runs the process, and of
// each verdict under the name that it claims.
func TestConcealed(t *testing.T) { concealed(t, 3, 7) }

// TestSoakConcealed is TestConcealed with more seeds.
func TestSoakConcealed(t *testing.T) {
	if soakOr(0, 1) == 0 {
		t.Skip("takes long: make soak")
	}
	concealed(t, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12)
}

func concealed(t *testing.T, seeds ...uint64) {
	t.Helper()
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { t.Parallel(); testConcealed(t, seed) })
	}
}

func testConcealed(t *testing.T, seed uint64) {
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	leaks := start.AddDate(0, 0, 4).Add(10*time.Hour + 20*time.Minute)
	company, err := simulate.New(simulate.Options{Scenario: "concealed", Seed: seed, Days: 5, Scale: simulate.MinScale, Start: start, LeakStart: leaks})
	if err != nil {
		t.Fatal(err)
	}
	begins := leaks.UnixMilli()
	l := newLab(t)
	cfg := l.correlate(1)
	cfg.Expected = []correlate.Expectation{{
		Name: "cover", Dimension: "client", Identity: "shop-android", Facts: []fact.Name{fact.UnissuedToken}, From: begins, AtMost: 0, Owner: "nobody", Reason: "r",
	}}
	cfg.Authority = func(v *correlate.Verdict) error {
		if v.Via == "" {
			return errors.New("it is not signed")
		}
		return errors.New("its author is none of those who may judge")
	}
	r := local.New(l.joined(1), l.watchful(), cfg, []stream.Topic{{Name: "file", Partitions: 1}}, 1)
	var alerts []alerting.Alert
	take := func(list []alerting.Alert, err error) {
		if err != nil {
			t.Fatal(err)
		}
		alerts = append(alerts, list...)
	}
	verdicts := 0
	judge := func(v correlate.Verdict) {
		v.Kind, v.Reason, v.Expires = correlate.Expected, "r", alerting.Time(begins+90*24*60*minute)
		v.ID = fmt.Sprint(verdicts)
		r.Correlate.ApplyVerdict(int64(verdicts), &v)
		verdicts++
	}
	var ev event.Event
	var next int64
	edited := false
	for company.Next(&ev) && ev.Time < begins+3*60*minute {
		if !edited && ev.Time >= begins {
			edited = true
			take(r.Flush())
			r.Correlate.Notify(&correlate.Notice{
				ID:   episode.ID{Dimension: alerting.SettingsDimension, Identity: "weir 1"},
				Fact: fact.SettingsChanged, Detail: map[string]string{"changed": "expected.cover: added", "run_by": "eve (uid 1000) on weir-0"},
			})
		}
		if edited && ev.Time >= next { // judges all that people have been told of
			next = ev.Time + 5*minute
			take(r.Flush())
			for _, a := range alerts {
				judge(correlate.Verdict{DedupKey: a.DedupKey, Author: "ciso@bank.example"})
				judge(correlate.Verdict{DedupKey: a.DedupKey, Author: "slack:U666", Via: "slack"})
			}
		}
		r.Fold(stream.Source{Topic: "file"}, ev.Time, &ev)
	}
	take(r.End())
	const hour = alerting.Time(60 * minute)
	seen := map[string]bool{}
	for i := range alerts {
		a := &alerts[i]
		if a.Time > alerting.Time(begins)+hour || a.Status == alerting.Close {
			continue
		}
		seen[a.Dimension+" "+a.Identity] = true
		if a.Members != nil {
			for _, m := range a.Members.Named() {
				seen[m.Dimension+" "+m.Identity] = true
			}
		}
	}
	for _, who := range []string{"key mobile-k1", "settings weir 1", "author ciso@bank.example", "author slack:U666"} {
		if !seen[who] {
			t.Errorf("nobody is told of %s within an hour", who)
		}
	}
	if n := len(alerts); n > 200 {
		t.Errorf("%d messages in three hours", n)
	}
	t.Logf("%d messages; told of the leak of %s", len(alerts), leaks)
}
