package stream

import (
	"fmt"
	"slices"
	"unique"

	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

// partialReader takes the body of a batch apart; see partialwriter.go.
type partialReader struct {
	wire.Reader
	Layout
	base    int64
	text    []byte                  // the names, one after the other
	ends    []int32                 // where each ends in text
	starts  []int32                 // by dimension: its first name
	handles []unique.Handle[string] // of the names that were read as traits
	skim    bool                    // only where a partial ends and counts is of interest
	room    *Room                   // for what is read; nil while skim
}

// Partials hands each partial to yield, which may keep its Records, Rows and
// Traits, but not its Identity.
func (b *Batch) Partials(yield func(*Partial)) error {
	same := make([]int, len(b.Dimensions))
	for i := range same {
		same[i] = i
	}
	var refs []PartialRef
	h, err := b.Hold(same, func(p HeldPartial) { refs = append(refs, p.PartialRef) })
	if err != nil {
		return err
	}
	var room Room
	for _, ref := range refs {
		var p Partial
		h.Read(ref, &p, &room)
		yield(&p)
	}
	return nil
}

// each finds the partials of a body. What it hands out tells the dimension, tick and
// apply; the rest was only checked.
func (h *HeldBatch) each(dimensions int, yield func(PartialRef, *Partial)) error {
	r := &h.partialReader
	if len(h.body) == 0 {
		return nil
	}
	r.Reader, r.skim = wire.NewReader(h.body), true
	r.head(dimensions)
	var p Partial
	at, dim := 0, 0
	for r.Len() > 0 {
		step, ticks := r.Uvarint(), 1
		if step&1 != 0 {
			ticks = r.Count()
		}
		if at = r.at(at, step/2); r.Err() != nil {
			break
		}
		for dim+1 < len(r.starts) && int(r.starts[dim+1]) <= at {
			dim++
		}
		for range ticks {
			ref := PartialRef{int32(at), int32(len(h.body) - r.Len())}
			p = Partial{Dimension: dim}
			if r.partial(&p); r.Err() != nil {
				break
			}
			yield(ref, &p)
		}
	}
	if r.Err() != nil {
		return fmt.Errorf("reading a batch of partials: %w", r.Err())
	}
	return nil
}

// name returns the name of a place in the table.
func (r *partialReader) name(at int) []byte {
	from := int32(0)
	if at > 0 {
		from = r.ends[at-1]
	}
	return r.text[from:r.ends[at]]
}

// dimension returns the dimension of a name.
func (r *partialReader) dimension(at int) int {
	dim := 0
	for dim+1 < len(r.starts) && int(r.starts[dim+1]) <= at {
		dim++
	}
	return dim
}

// at returns the place of a name so many after another.
func (r *partialReader) at(last int, step uint64) int {
	if step >= uint64(len(r.ends)-last) {
		r.Fail("unknown name")
		return 0
	}
	return last + int(step)
}

func (r *partialReader) head(dimensions int) {
	r.TickMinutes, r.base = r.Uvarint(), r.Varint()
	r.Actors, r.Subjects = int(r.Uvarint()&0xff)-1, r.Uvarint()
	r.text = make([]byte, 0, 2*r.Len())
	for range dimensions {
		r.starts = append(r.starts, int32(len(r.ends)))
		from, to, n := int32(0), int32(0), r.Count() // of the name before
		r.ends = slices.Grow(r.ends, min(n, 1<<16))
		for range n {
			shared := r.Byte()
			head, tail := int32(shared>>4), int32(shared&15)
			if size := to - from; head > size || tail > size {
				r.Fail("a name that shares more than there is")
			}
			if r.Err() != nil {
				return
			}
			start := int32(len(r.text))
			r.text = append(r.text, r.text[from:from+head]...)
			r.middle()
			r.text = append(r.text, r.text[to-tail:to]...)
			from, to = start, int32(len(r.text))
			r.ends = append(r.ends, to)
		}
	}
	r.text = slices.Clone(r.text) // without the room that it had
}

// middle reads what a name does not share with the one before.
func (r *partialReader) middle() {
	v := r.Uvarint()
	n := v / 2
	size := n
	if v&1 != 0 {
		size = (n + 1) / 2
	}
	bytes := r.Take(size)
	switch {
	case r.Err() != nil:
	case v&1 == 0:
		r.text = append(r.text, bytes...)
	default:
		for i := range n {
			r.text = append(r.text, packable[bytes[i/2]>>(i%2*4)&15])
		}
	}
}

func (r *partialReader) partial(p *Partial) {
	flags := r.Byte()
	p.Events, p.Tick = 1, r.base
	if flags&flagEvents != 0 {
		p.Events = int64(r.Uvarint() & (1<<62 - 1))
	}
	p.Apply = p.Tick
	if flags&flagPlaced != 0 {
		p.Tick += r.Varint()
		p.Apply = p.Tick + int64(r.Uvarint())
	}
	if flags&flagRows != 0 {
		p.Rows = readRows(&r.Reader)
	}
	start := r.StartMinute(p.Tick)
	if flags&flagWindow != 0 {
		p.Records = r.window(start)
	} else {
		p.Records = r.tick(start, 1)
	}
	if flags&flagDestructive != 0 {
		if p.Destructive = r.window(start); p.Destructive.Empty() && !r.skim {
			p.Destructive = p.Records.At(start)
		}
	}
	if flags&flagSubjects != 0 {
		p.Subjects = r.tokens(start)
	}
	if flags&flagUnissued != 0 {
		p.Unissued, p.UnissuedTokens = r.window(start), r.window(start)
	}
	if flags&flagTraits != 0 {
		r.traits(p)
		if !r.skim && flags&flagSubjects == 0 && r.Counts(p.Dimension) {
			p.Subjects = r.actorsOf(p, start)
		}
	}
}

func (r *partialReader) window(start uint32) (w sketches.Window) {
	switch n := r.Uvarint(); {
	case r.Err() != nil || n == windowEmpty:
	case n == windowGeneral:
		return wire.Decode(&r.Reader, sketches.DecodeWindow)
	default:
		return r.tick(start, int(min(n+1-windowListed, sketches.ExactLimit+1)))
	}
	return w
}

// tick reads a list in the form of a tick.
func (r *partialReader) tick(start uint32, n int) (w sketches.Window) {
	if r.skim {
		wire.Decode(&r.Reader, func(b []byte) (nothing struct{}, rest []byte, err error) {
			rest, err = sketches.SkipTick(b, start, n)
			return nothing, rest, err
		})
		return w
	}
	if n < 1 || n > sketches.ExactLimit {
		r.Fail("too many records")
		return w
	}
	return wire.Decode(&r.Reader, func(b []byte) (sketches.Window, []byte, error) {
		return sketches.DecodeTickInto(r.room.entries.take(n), b, sketches.PartialPrecision, start, n)
	})
}

func (r *partialReader) tokens(start uint32) (w sketches.Window) {
	n := r.Uvarint()
	if n == 0 && r.Err() == nil {
		return wire.Decode(&r.Reader, sketches.DecodeWindow)
	}
	if n > sketches.ExactLimit+1 || n > uint64(r.Len())+1 {
		r.Fail("too many subjects")
		return w
	}
	last := uint64(0)
	if r.skim {
		for range max(n, 1) - 1 {
			r.Uvarint()
		}
		return w
	}
	tokens := r.room.tokens[:0]
	for range max(n, 1) - 1 {
		last += r.Uvarint()
		tokens = append(tokens, uint32(last)&(1<<24-1))
	}
	return r.subjects(tokens, start)
}

// traits reads the traits of a partial, which come in order of their names, and
// puts them in theirs.
func (r *partialReader) traits(p *Partial) {
	n := r.CountUpTo(1 << 10)
	if !r.skim {
		p.Traits = r.room.traits.take(n)
	}
	at, dim := 0, 0
	for range n {
		v := r.Uvarint()
		if at = r.at(at, v/3); r.Err() != nil {
			return
		}
		events := int64(1)
		switch v % 3 {
		case everyTrait:
			events = p.Events
		case someTrait:
			events = int64(r.Uvarint() & (1<<62 - 1))
		}
		if r.skim {
			continue
		}
		for dim+1 < len(r.starts) && int(r.starts[dim+1]) <= at {
			dim++
		}
		p.Traits = append(p.Traits, trait.CountOf(dim, r.handle(at), trait.NameHash(r.name(at)), events))
	}
	trait.Sort(p.Traits)
}

// handle returns the handle of a name.
func (r *partialReader) handle(at int) unique.Handle[string] {
	h := &r.handles[at]
	if *h == (unique.Handle[string]{}) {
		*h = r.room.handle(r.name(at))
	}
	return *h
}

// actorsOf returns the subjects of a partial whose traits name all of them.
func (r *partialReader) actorsOf(p *Partial, start uint32) (w sketches.Window) {
	tokens := r.room.tokens[:0]
	for i := range p.Traits {
		if t := &p.Traits[i]; t.Dimension() == r.Actors {
			tokens = append(tokens, SubjectToken(trait.NameHash(t.Name())))
		}
	}
	if len(tokens) == 0 {
		return w
	}
	return r.subjects(tokens, start)
}

// subjects returns the window of subjects. tokens are the scratch of the room.
func (r *partialReader) subjects(tokens []uint32, start uint32) sketches.Window {
	r.room.tokens = tokens
	return subjectWindow(r.room.entries.take(len(tokens)), tokens, start)
}
