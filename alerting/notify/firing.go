package notify

import (
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
)

// Firing says what must be sent again to a Resender: the latest alert of each
// open episode, in turn. It reads no clock and is not safe for concurrent use;
// the zero value is empty.
type Firing struct {
	episodes map[string]*firing // by dedup key
	order    []string           // dedup keys, in the order in which the episodes opened
}

type firing struct {
	alert *alerting.Alert
	due   time.Time // when it is sent again
}

// Sent notes that an alert was delivered at the time, or refused for good. An
// episode that is open is due again after the interval every; one that has
// closed is forgotten.
func (f *Firing) Sent(a *alerting.Alert, at time.Time, every time.Duration) {
	if a.Status == alerting.Close {
		delete(f.episodes, a.DedupKey)
		f.order = slices.DeleteFunc(f.order, func(key string) bool { return key == a.DedupKey })
		return
	}
	if f.episodes == nil {
		f.episodes = map[string]*firing{}
	}
	e := f.episodes[a.DedupKey]
	if e == nil {
		e = &firing{}
		f.episodes[a.DedupKey] = e
		f.order = append(f.order, a.DedupKey)
	}
	e.alert, e.due = a, at.Add(every)
}

// Due returns the alerts that must be sent again by now, in the order in which
// their episodes opened.
func (f *Firing) Due(now time.Time) (due []*alerting.Alert) {
	for _, key := range f.order {
		if e := f.episodes[key]; !e.due.After(now) {
			due = append(due, e.alert)
		}
	}
	return due
}
