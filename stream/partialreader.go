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
	base  int64
	names []tableName
	text  []byte // of the names, one after the other
}

// tableName is one name of a batch.
type tableName struct {
	from, to int32 // in text
	dim      uint8
	known    bool // handle and hash are set
	hash     uint64
	handle   unique.Handle[string]
}

// Partials hands each partial to yield, which may keep its Records, Rows and
// Traits, but not its Identity.
func (b *Batch) Partials(yield func(*Partial)) error {
	if len(b.Body) == 0 {
		return nil
	}
	r := partialReader{Reader: wire.NewReader(b.Body)}
	r.head(len(b.Dimensions))
	at := 0
	for r.Len() > 0 {
		step, ticks := r.Uvarint(), 1
		if step&1 != 0 {
			ticks = r.Count()
		}
		if at = r.at(at, step/2); r.Err() != nil {
			break
		}
		n := r.names[at]
		for range ticks {
			p := Partial{Dimension: int(n.dim), Identity: r.text[n.from:n.to]}
			if r.partial(&p); r.Err() != nil {
				break
			}
			yield(&p)
		}
	}
	if r.Err() != nil {
		return fmt.Errorf("reading a batch of partials: %w", r.Err())
	}
	return nil
}

// at returns the place of a name so many after another.
func (r *partialReader) at(last int, step uint64) int {
	if step >= uint64(len(r.names)-last) {
		r.Fail("unknown name")
		return 0
	}
	return last + int(step)
}

func (r *partialReader) head(dimensions int) {
	r.TickMinutes, r.base = r.Uvarint(), r.Varint()
	r.Actors, r.Subjects = int(r.Uvarint()&0xff)-1, r.Uvarint()
	for dim := range dimensions {
		last, n := tableName{}, r.Count()
		r.names = slices.Grow(r.names, min(n, 1<<16))
		for range n {
			shared := r.Byte()
			head, tail := int32(shared>>4), int32(shared&15)
			if size := last.to - last.from; head > size || tail > size {
				r.Fail("a name that shares more than there is")
			}
			if r.Err() != nil {
				return
			}
			n := tableName{from: int32(len(r.text)), dim: uint8(dim)}
			r.text = append(r.text, r.text[last.from:last.from+head]...)
			r.middle()
			r.text = append(r.text, r.text[last.to-tail:last.to]...)
			n.to = int32(len(r.text))
			r.names = append(r.names, n)
			last = n
		}
	}
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
		if p.Destructive = r.window(start); p.Destructive.Empty() {
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
		if flags&flagSubjects == 0 && r.Counts(p.Dimension) {
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
	return wire.Decode(&r.Reader, func(b []byte) (sketches.Window, []byte, error) {
		return sketches.DecodeTick(b, sketches.PartialPrecision, start, n)
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
	tokens, last := make([]uint32, 0, n), uint64(0)
	for range max(n, 1) - 1 {
		last += r.Uvarint()
		tokens = append(tokens, uint32(last)&(1<<24-1))
	}
	return subjectWindow(tokens, start)
}

// traits reads the traits of a partial, which come in order of their names, and
// puts them in theirs.
func (r *partialReader) traits(p *Partial) {
	n := r.CountUpTo(1 << 10)
	p.Traits = make([]trait.Count, 0, n)
	at := 0
	for range n {
		v := r.Uvarint()
		if at = r.at(at, v/3); r.Err() != nil {
			return
		}
		t := &r.names[at]
		if !t.known {
			text := r.text[t.from:t.to]
			t.hash, t.handle, t.known = trait.NameHash(text), unique.Make(string(text)), true
		}
		events := int64(1)
		switch v % 3 {
		case everyTrait:
			events = p.Events
		case someTrait:
			events = int64(r.Uvarint() & (1<<62 - 1))
		}
		p.Traits = append(p.Traits, trait.CountOf(int(t.dim), t.handle, t.hash, events))
	}
	trait.Sort(p.Traits)
}

// actorsOf returns the subjects of a partial whose traits name all of them.
func (r *partialReader) actorsOf(p *Partial, start uint32) (w sketches.Window) {
	var tokens []uint32
	for i := range p.Traits {
		if t := &p.Traits[i]; t.Dimension() == r.Actors {
			tokens = append(tokens, SubjectToken(trait.NameHash(t.Name())))
		}
	}
	if len(tokens) == 0 {
		return w
	}
	return subjectWindow(tokens, start)
}
