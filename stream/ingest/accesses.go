package ingest

import (
	"slices"

	"github.com/weirhq/weir/sketches"
)

// accessLog keeps accesses as they come, until the flush: what each touched, and the
// partials in which it counts. What one access touched stands there once, whatever the
// number of its identities.
type accessLog struct {
	kinds    int              // of identities, names included
	partials []int32          // by access and kind: the partial, or noPartial
	touches  []sketches.Entry // by access, sorted, each record once
	ends     []int32          // by access: after its touches
}

// add notes an access and returns its number.
func (l *accessLog) add(a *access) int32 {
	from := len(l.touches)
	for _, h := range a.records {
		l.touches = append(l.touches, sketches.NewEntry(h, a.minute))
	}
	if touched := l.touches[from:]; len(touched) > 1 {
		slices.Sort(touched)
		l.touches = l.touches[:from+len(slices.Compact(touched))]
	}
	l.ends = append(l.ends, int32(len(l.touches)))
	l.partials = append(l.partials, a.partials...)
	return int32(len(l.ends) - 1)
}

// in returns the partials of an access.
func (l *accessLog) in(access int32) []int32 { return l.partials[int(access)*l.kinds:][:l.kinds] }

// touched returns what an access touched.
func (l *accessLog) touched(access int32) []sketches.Entry {
	from := int32(0)
	if access > 0 {
		from = l.ends[access-1]
	}
	return l.touches[from:l.ends[access]]
}

// size returns how many records an access touched.
func (l *accessLog) size(access int32) int32 { return int32(len(l.touched(access))) }

func (l *accessLog) drop() { l.partials, l.touches, l.ends = l.partials[:0], l.touches[:0], l.ends[:0] }

// gathering brings together what owners of several accesses touched. Most owners have
// one access: for them the log is enough.
type gathering struct {
	sizes   []int32 // by owner: how many touches it has, if it has several accesses; else 0
	ends    []int32 // by owner: after its touches
	touches []sketches.Entry
}

// open begins an owner, whose number is that of the owners before it.
func (g *gathering) open() { g.sizes = append(g.sizes, 0) }

// gather brings the touches together. owners are those of each access, so many to an
// access.
func (g *gathering) gather(l *accessLog, owners []int32, many int) {
	total := int32(0)
	g.ends = slices.Grow(g.ends[:0], len(g.sizes))[:len(g.sizes)]
	for i, n := range g.sizes {
		g.ends[i] = total
		total += n
	}
	g.touches = slices.Grow(g.touches[:0], int(total))[:total]
	for access := range l.ends {
		touched := l.touched(int32(access))
		for _, owner := range owners[access*many:][:many] {
			if owner >= 0 && g.sizes[owner] > 0 {
				g.ends[owner] += int32(copy(g.touches[g.ends[owner]:], touched))
			}
		}
	}
}

// of returns the touches of an owner of several accesses, once gathered, to be used up.
func (g *gathering) of(owner int32) []sketches.Entry {
	end := g.ends[owner]
	return g.touches[end-g.sizes[owner] : end]
}

func (g *gathering) drop() { g.sizes = g.sizes[:0] }
