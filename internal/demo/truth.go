package demo

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/simulate"
)

// truth knows what really happened, which no detector does. It is safe for
// concurrent use.
type truth struct {
	mu    sync.Mutex
	now   int64 // event time reached, Unix ms
	last  int64 // time of the last event, Unix ms
	marks int64 // events of the feed's own, which nobody is behind
	leaks []leak
}

// leak is one theft. Its customers are counted as of any moment.
type leak struct {
	simulate.Leak
	began int64               // Unix ms of the first theft; 0: not yet
	seen  map[string]struct{} // customers taken
	times []int64             // when each was first taken, in order of time
}

func newTruth(t simulate.Truth) *truth {
	d := &truth{now: t.Start.UnixMilli()}
	for _, l := range t.Leaks {
		d.leaks = append(d.leaks, leak{Leak: l, seen: map[string]struct{}{}})
	}
	return d
}

// observe takes in one event and the leak that it belongs to, or -1.
func (d *truth) observe(ev *event.Event, leak int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now, d.last = max(d.now, ev.Time), max(d.last, ev.Time)
	if leak < 0 || !ev.Action.Access() {
		return
	}
	l := &d.leaks[leak]
	if l.began == 0 {
		l.began = ev.Time
	}
	for _, r := range ev.Records {
		if _, ok := l.seen[r]; !ok {
			l.seen[r] = struct{}{}
			l.times = append(l.times, ev.Time)
		}
	}
}

// mark counts an event of the feed's own.
func (d *truth) mark() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.marks++
}

// marked returns how many events of the feed's own there are.
func (d *truth) marked() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.marks
}

// advance sets the event clock forward.
func (d *truth) advance(ms int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = max(d.now, ms)
}

// reached returns the event time reached, Unix ms.
func (d *truth) reached() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// lastEvent returns the largest event time so far, Unix ms.
func (d *truth) lastEvent() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

// leakOf returns the leak that an alert is rightly about, or -1: a leak comes
// through its identity, and had begun when the interval that made the case ended.
func (d *truth) leakOf(a *alerting.Alert) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	width, err := time.ParseDuration(a.Evidence.BinWidth)
	if err != nil || a.Status == alerting.Close {
		return -1
	}
	to := min(int64(a.Evidence.Bin)+width.Milliseconds(), int64(a.Time))
	for i := range d.leaks {
		l := &d.leaks[i]
		if l.began != 0 && to > l.began && slices.Contains(l.Identities[a.Dimension], a.Identity) {
			return i
		}
	}
	return -1
}

// leaked returns when a leak began and how many customers it had taken before
// a moment, Unix ms.
func (d *truth) leaked(leak int, before int64) (began int64, customers int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := &d.leaks[leak]
	customers, _ = slices.BinarySearch(l.times, before)
	return l.began, customers
}

// firstTheft returns when the first leak began, Unix ms; what is reached where
// none has.
func (d *truth) firstTheft() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := d.now
	for i := range d.leaks {
		if b := d.leaks[i].began; b != 0 {
			first = min(first, b)
		}
	}
	return first
}

// describe says what a leak is, as the beginning of a sentence.
func (d *truth) describe(leak int) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := &d.leaks[leak]
	name := func(dimension string) string { return strings.Join(l.Identities[dimension], ", ") }
	switch l.Kind {
	case "forged-key":
		return "tokens forged with signing key " + name("key")
	case "greedy-agent":
		return "user " + name("user") + " reading customers that nobody asked for"
	}
	return l.Kind
}

// stealing reports whether any leak has begun.
func (d *truth) stealing() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.leaks {
		if d.leaks[i].began != 0 {
			return true
		}
	}
	return false
}
