package console

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirhq/weir/console/model"
)

// Feed carries snapshots from the one that folds them to any number of pages.
// Readers take no lock.
type Feed struct {
	current atomic.Pointer[shown]

	mu      sync.Mutex
	changed chan struct{} // closed at the next snapshot
}

// shown is what pages show.
type shown struct {
	*model.Snapshot
	whole   bool // what weir had said when the reading began has been read
	version uint64
}

// NewFeed returns a feed whose snapshot is empty.
func NewFeed() *Feed {
	f := &Feed{changed: make(chan struct{})}
	f.current.Store(&shown{Snapshot: model.NewFold().Snapshot()})
	return f
}

// Publish puts a snapshot in the place of the one before. whole says that what
// weir had said when the reading began has been read.
func (f *Feed) Publish(s *model.Snapshot, whole bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current.Store(&shown{s, whole, f.current.Load().version + 1})
	close(f.changed)
	f.changed = make(chan struct{})
}

// EventTime is the event time of the snapshot, a clock for what does not happen
// now; before anything was said, the wall clock.
func (f *Feed) EventTime() time.Time {
	if now := f.current.Load().Now(); now != 0 {
		return now.Std()
	}
	return time.Now()
}

// next returns a channel that is closed at the next snapshot.
func (f *Feed) next() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}
