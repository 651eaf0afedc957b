package detect

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/clamp"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// tally is what an identity did in its open bin, beside what its window tells.
// It is gone when the bin ends.
type tally struct {
	events int64
	rows   int64
	traits []trait.Count
	sets   *sets // nil: none
}

// sets are the distinct counts of a bin that no window of the identity keeps.
type sets struct {
	destructive, unissued sketches.Window
	// late are closed bins that have been corrected since the open one began,
	// by bin, so that what comes in pieces counts once.
	late []lateSets
}

// lateSets are the sets of one closed bin, of what came late alone.
type lateSets struct {
	bin         int64
	destructive sketches.Window
}

func (t *tally) room() *sets {
	if t.sets == nil {
		t.sets = &sets{}
	}
	return t.sets
}

// add takes in a part of the open bin.
func (t *tally) add(p *part) {
	t.events = clamp.Add(t.events, p.events)
	t.traits = trait.Merge(t.traits, p.traits)
	if p.rarePart == nothingRare {
		return
	}
	t.rows = clamp.Add(t.rows, p.rows.Total())
	if !p.destructive.Empty() {
		t.room().destructive.Merge(&p.destructive)
	}
}

// unissue takes in the tokens that were found to be unissued. They count in the bin
// in which that was found out.
func (t *tally) unissue(p *part) {
	if !p.unissued.Empty() {
		t.room().unissued.Merge(&p.unissued)
	}
}

// count sets the measures that the tally knows.
func (t *tally) count(c *score.Counts) {
	c[score.Rows] = float64(t.rows)
	if s := t.sets; s != nil {
		c[score.Destructive] = distinct(&s.destructive)
		c[score.Unissued] = distinct(&s.unissued)
	}
}

// late returns the rows and destroyed records that a part of a closed bin adds to
// it.
func (t *tally) late(p *part, bin int64) (add score.Counts) {
	add[score.Rows] = float64(p.rows.Total())
	if p.destructive.Empty() {
		return add
	}
	s := t.lateSets(bin)
	before := distinct(&s.destructive)
	s.destructive.Merge(&p.destructive)
	add[score.Destructive] = max(0, distinct(&s.destructive)-before)
	return add
}

func (t *tally) lateSets(bin int64) *lateSets {
	s := t.room()
	at, ok := slices.BinarySearchFunc(s.late, bin, func(l lateSets, bin int64) int { return cmp.Compare(l.bin, bin) })
	if !ok {
		s.late = slices.Insert(s.late, at, lateSets{bin: bin})
	}
	return &s.late[at]
}

func distinct(w *sketches.Window) float64 {
	if w.Empty() {
		return 0
	}
	return math.Round(w.Count(0).N)
}

func (t *tally) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(t.events))
	b = binary.AppendUvarint(b, uint64(t.rows))
	b = trait.AppendCounts(b, t.traits)
	s := t.sets
	if s == nil {
		return append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(s.late))+1)
	for _, w := range []*sketches.Window{&s.destructive, &s.unissued} {
		b = stream.AppendOptionalWindow(b, w)
	}
	for i := range s.late {
		l := &s.late[i]
		b = binary.AppendVarint(b, l.bin)
		b = stream.AppendOptionalWindow(b, &l.destructive)
	}
	return b
}

func readTally(r *wire.Reader) *tally {
	t := &tally{events: int64(r.Uvarint() & math.MaxInt64), rows: int64(r.Uvarint() & math.MaxInt64), traits: trait.ReadCounts(r)}
	n := r.Uvarint()
	if n == 0 {
		return t
	}
	t.sets = &sets{destructive: stream.ReadOptionalWindow(r), unissued: stream.ReadOptionalWindow(r)}
	if n-1 > uint64(r.Len()) {
		r.Fail("count beyond the record")
	}
	for range n - 1 {
		if r.Err() != nil {
			break
		}
		t.sets.late = append(t.sets.late, lateSets{r.Varint(), stream.ReadOptionalWindow(r)})
	}
	return t
}
