package notify

import (
	"context"
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
)

// MaxReference bounds a reference, in bytes; what is longer is not kept.
const MaxReference = 512

// Referrer is a Destination that shows an episode as one message and changes
// it in place. To find the message again it needs what the receiver called it,
// the reference, which the delivery record keeps (Delivery.Reference).
//
// Whoever calls it hands back the reference of the latest delivered record of
// the same destination and dedup key; "" where there is none. A reference that
// was lost costs a second message, never a failure.
type Referrer interface {
	Destination

	// NotifyReference is Notify with the reference of the episode's earlier
	// message; it returns the one to keep from now on.
	NotifyReference(ctx context.Context, a *alerting.Alert, reference string) (kept string, retry bool, err error)
}

// Resender is a Destination whose receiver takes an episode for over when it
// has not heard of it for a while, as Alertmanager does. Whoever delivers must
// call Notify with the latest alert of each open episode again, at least every
// ResendEvery, until its close is delivered; Firing keeps the account.
type Resender interface {
	Destination

	// ResendEvery is positive.
	ResendEvery() time.Duration
}

// Firing is the account of what a Resender must be told again: the latest
// alert of each open episode. It reads no clock and is not safe for concurrent
// use; the zero value is empty.
type Firing struct {
	episodes map[string]*firing
	order    []string // dedup keys, in the order in which they opened
}

type firing struct {
	alert *alerting.Alert
	due   time.Time
}

// Told notes that an alert has been delivered at the time, or refused for
// good: an episode that is open is due again after every, one that closed is
// forgotten.
func (f *Firing) Told(a *alerting.Alert, at time.Time, every time.Duration) {
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

// Due returns the alerts that must be told again by now, in the order in which
// their episodes opened.
func (f *Firing) Due(now time.Time) (due []*alerting.Alert) {
	for _, key := range f.order {
		if e := f.episodes[key]; !e.due.After(now) {
			due = append(due, e.alert)
		}
	}
	return due
}
