package stream

import (
	"fmt"
	"slices"

	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

// partialReader takes the body of a batch apart; see partialwriter.go.
type partialReader struct {
	wire.Reader
	minutes TickMinutes
	base    int64
	text    string   // the names, one after the other
	ends    []int32  // where each ends in text
	starts  []int32  // by dimension: its first name
	orders  []uint32 // trait.Order of the names that were read as traits, plus one; 0: not known yet
	own     []string // those names, in memory of their own
	skim    bool     // only where a partial ends and counts is of interest
	room    *Room    // for what is read; nil: what is read has memory of its own
}

// Partials hands each partial to yield, which may keep it.
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
func (r *partialReader) name(at int) string {
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
	r.minutes, r.base = TickMinutes(r.Uvarint()), r.Varint()
	text := make([]byte, 0, 2*r.Len())
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
			start := int32(len(text))
			text = append(text, text[from:from+head]...)
			text = r.middle(text)
			text = append(text, text[to-tail:to]...)
			from, to = start, int32(len(text))
			r.ends = append(r.ends, to)
		}
	}
	r.text = string(text)
}

// middle appends what a name does not share with the one before.
func (r *partialReader) middle(text []byte) []byte {
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
		text = append(text, bytes...)
	default:
		for i := range n {
			text = append(text, packable[bytes[i/2]>>(i%2*4)&15])
		}
	}
	return text
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
	start := r.minutes.Start(p.Tick)
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
	if flags&flagUnissued != 0 {
		p.Unissued, p.UnissuedTokens, p.UnissuedRecords = r.window(start), r.window(start), r.window(start)
	}
	if flags&flagTraits != 0 {
		r.traits(p)
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
	var list []sketches.Entry
	if r.room != nil {
		list = r.room.entries.take(n)
	}
	return wire.Decode(&r.Reader, func(b []byte) (sketches.Window, []byte, error) {
		return sketches.DecodeTickInto(list, b, sketches.PartialPrecision, start, n)
	})
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
		name, order := r.trait(at)
		p.Traits = append(p.Traits, trait.CountOf(dim, name, order, events))
	}
	trait.Sort(p.Traits)
}

// trait returns a name in memory of its own, and its trait.Order.
func (r *partialReader) trait(at int) (name string, order uint32) {
	o := &r.orders[at]
	if *o == 0 {
		hash := trait.NameHash(r.name(at))
		r.own[at] = r.room.names.Own(r.name(at), hash)
		*o = trait.Order(hash) + 1 // zero, of one name in four billion, is made again each time
	}
	return r.own[at], *o - 1
}
