package integration_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
)

// standing is what the test reads of weir status -o json.
type standing struct {
	Sources []struct {
		Partitions int       `json:"partitions"`
		LastEvent  time.Time `json:"last_event"`
		Waiting    int64     `json:"waiting"`
		LastHour   int64     `json:"last_hour"`
		Rejected   []any     `json:"rejected"`
	} `json:"sources"`
	Learning struct {
		Since time.Time `json:"since"`
		Until time.Time `json:"until"`
	} `json:"learning"`
	Dimensions []struct {
		Dimension  string `json:"dimension"`
		Identities int    `json:"identities"`
	} `json:"dimensions"`
	Episodes struct {
		Open      int `json:"open"`
		Campaigns int `json:"campaigns"`
	} `json:"episodes"`
}

// checkStatus holds the numbers of weir status against the raw events and all alerts, sent
// or held back, in the order of time. Tasks say how far they are every few seconds.
func checkStatus(t *testing.T, config string, events []rawEvent, alerts []alerting.Alert) {
	t.Helper()
	names, last, first := map[string]map[string]bool{}, time.Time{}, events[0].Time
	for i := range events {
		ev := events[i].event(t)
		if last.Before(events[i].Time) {
			last = events[i].Time
		}
		if events[i].Time.Before(first) {
			first = events[i].Time
		}
		if !ev.Action.Access() {
			continue
		}
		for _, d := range event.DefaultDimensions() {
			if id, ok := d.AppendIdentity(nil, &ev, event.FixedHasher()); ok {
				if names[d.Name] == nil {
					names[d.Name] = map[string]bool{}
				}
				names[d.Name][string(id)] = true
			}
		}
	}
	open, campaigns := map[string]bool{}, map[string]bool{}
	for i := range alerts {
		a := &alerts[i]
		if open[a.DedupKey] = a.Status != alerting.Close; !open[a.DedupKey] {
			delete(open, a.DedupKey)
		}
		if campaigns[a.DedupKey] = a.Kind == alerting.KindCampaign && open[a.DedupKey]; !campaigns[a.DedupKey] {
			delete(campaigns, a.DedupKey)
		}
	}
	midnight := first.UTC().Truncate(24 * time.Hour)
	var wrong []string
	defer func() {
		if t.Failed() {
			t.Logf("status is wrong: %s", strings.Join(wrong, "; "))
		}
	}()
	eventually(t, time.Minute, "status is right", func() bool {
		r := weir(t, "status", "-c", config, "-o", "json")
		s := standing{}
		wrong = nil
		if err := json.Unmarshal([]byte(r.stdout), &s); err != nil || len(s.Sources) != 1 {
			t.Fatalf("status says %s%s: %v", r.stdout, r.stderr, err)
		}
		check := func(what string, got, want any) {
			if got != want {
				wrong = append(wrong, fmt.Sprintf("%s: %v, counted %v", what, got, want))
			}
		}
		src := &s.Sources[0]
		check("partitions", src.Partitions, 3)
		check("last event", src.LastEvent.UTC(), last.UTC())
		check("waiting", src.Waiting, int64(0))
		check("records of the last hour", src.LastHour, int64(len(events)))
		check("rejected", len(src.Rejected), 0)
		check("learning since", s.Learning.Since.UTC(), midnight)
		check("learning until", s.Learning.Until.UTC(), midnight.AddDate(0, 0, 14))
		for _, d := range s.Dimensions {
			check("identities of "+d.Dimension, d.Identities, len(names[d.Dimension]))
		}
		check("open episodes", s.Episodes.Open, len(open))
		check("open campaigns", s.Episodes.Campaigns, len(campaigns))
		return len(wrong) == 0
	})
}
