package local_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream/correlate"
)

// thief reads 20 customers an hour for three weeks, then 100 for ten days, 20
// for eight, and 100 again for two: never the same one twice.
func thief() (events []event.Event) {
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).UnixMilli()
	for h := range int64(37 * 24) {
		rate := int64(20)
		if day := h / 24; day >= 21 && day < 31 || day >= 34 {
			rate = 100
		}
		for i := range rate {
			events = append(events, event.Event{
				Time: start + h*60*minute + i*60*minute/rate, Actor: "eve", Action: event.Read,
				Records: []string{fmt.Sprint(len(events))},
			})
		}
	}
	return events
}

// A confirmed leak does not become normal: when it comes back it is seen, and
// hours before it is without the verdict, if it is at all then: ten days have been
// enough to be used to it, and three ordinary ones are not to forget it.
func TestConfirmedLeakStaysOne(t *testing.T) {
	l, events := newLab(t), thief()
	back := alerting.Time(events[0].Time + 34*24*60*minute)
	opened := func(alerts []string) (first, again *alerting.Alert) {
		for _, line := range alerts {
			a, err := alerting.ParseAlert([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case a.Status != alerting.Open || a.Dimension != "user":
			case first == nil:
				first = a
			case a.Time >= back && again == nil:
				again = a
			}
		}
		return first, again
	}
	plain, _ := l.answered(t, nil, events, 1)
	first, again := opened(plain)
	if first == nil || first.Identity != "eve" {
		t.Fatalf("the leak was not seen: %v", plain)
	}
	late := again
	sent, _ := l.answered(t, []correlate.Verdict{{ID: "1", Kind: correlate.Confirmed, DedupKey: first.DedupKey, Author: "kim"}}, events, 1)
	if _, again = opened(sent); again == nil {
		t.Fatalf("confirmed, and not seen when it came back: %v", sent)
	}
	if late != nil && late.Time-again.Time < 4*60*alerting.Time(minute) {
		t.Errorf("seen at %s, and without the verdict at %s", again.Time, late.Time)
	}
	t.Logf("it came back at %s and was told at %s, %g an hour where %g were expected", back, again.Time, again.Observed, again.Expected)
}
