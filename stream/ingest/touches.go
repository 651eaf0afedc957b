package ingest

import (
	"slices"

	"github.com/weirhq/weir/sketches"
)

// touchLog keeps the touches of many owners as they come, until sort brings those of
// each together. One log for all costs far less than a list for each, since most lists
// stay tiny.
type touchLog struct {
	owners  []int32 // touches[i] belongs to the owner owners[i]
	touches []sketches.Entry
	sorted  []sketches.Entry // touches by owner, once sort was called
	ends    []int32          // by owner: after its touches in sorted; until sort, their number
}

// open begins an owner, whose number is that of the owners before it.
func (l *touchLog) open() { l.ends = append(l.ends, 0) }

// add notes what an access touched, for an owner.
func (l *touchLog) add(owner int32, a *access) {
	for _, h := range a.records {
		l.owners = append(l.owners, owner)
		l.touches = append(l.touches, sketches.NewEntry(h, a.minute))
	}
	l.ends[owner] += int32(len(a.records))
}

// len returns how many touches there are.
func (l *touchLog) len() int { return len(l.touches) }

// sort brings the touches of each owner together.
func (l *touchLog) sort() {
	l.sorted = slices.Grow(l.sorted[:0], len(l.touches))[:len(l.touches)]
	next := int32(0)
	for i, n := range l.ends {
		next, l.ends[i] = next+n, next
	}
	for i, owner := range l.owners {
		l.sorted[l.ends[owner]] = l.touches[i]
		l.ends[owner]++
	}
}

// of returns the touches of an owner, once sorted, to be used up.
func (l *touchLog) of(owner int32) []sketches.Entry {
	from := int32(0)
	if owner > 0 {
		from = l.ends[owner-1]
	}
	return l.sorted[from:l.ends[owner]]
}

// drop forgets all owners; the memory is used again.
func (l *touchLog) drop() { l.owners, l.touches, l.ends = l.owners[:0], l.touches[:0], l.ends[:0] }
