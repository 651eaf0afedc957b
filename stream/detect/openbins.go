package detect

import (
	"math"
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
)

// openBins knows which identities must be closed when a bin ends: those that were
// active in it, and those that are watched although they may be silent.
type openBins struct {
	grid    eventtime.Grid
	active  map[int64][]*identity // by bin that is not closed
	watched []*identity
}

// open notes that an identity is active in a bin.
func (b *openBins) open(bin int64, id *identity) { b.active[bin] = append(b.active[bin], id) }

// restore takes in an identity as it was last written.
func (b *openBins) restore(id *identity) {
	if id.open {
		b.open(id.bin, id)
	}
	if id.watched {
		b.watched = append(b.watched, id)
	}
}

// nextEnd returns the first tick after done that ends a bin in which identities were
// active or are watched; the largest number there is if there is none.
func (b *openBins) nextEnd(done int64) int64 {
	tick := int64(math.MaxInt64)
	for bin := range b.active {
		tick = min(tick, b.grid.LastTick(bin))
	}
	for _, id := range b.watched {
		from := max(done, id.saved) // saved is ahead only while catching up
		tick = min(tick, b.grid.LastTick(b.grid.BinOfTick(from+1)))
	}
	return tick
}

// end hands out all identities that must be closed with a bin, the active ones
// first. Those that are watched from then on are noted by watch.
func (b *openBins) end(bin int64) []*identity {
	ending := slices.DeleteFunc(b.active[bin], func(id *identity) bool { return !id.open }) // it was dropped
	delete(b.active, bin)
	for _, id := range b.watched {
		if !id.open || id.bin != bin {
			ending = append(ending, id)
		}
	}
	b.watched = b.watched[:0]
	return ending
}

// watch notes that an identity is closed with every bin until the next end.
func (b *openBins) watch(id *identity) { b.watched = append(b.watched, id) }
