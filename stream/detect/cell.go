package detect

import (
	"slices"

	"github.com/weirhq/weir/detectors/exposure"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/clamp"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// cell is what one identity did that counts at one tick.
type cell struct {
	id    *identity // nil: it is not kept, or not yet
	key   string    // of one that is not kept: dimension byte, name
	apply int64
	parts []part
	room  [1]part // of parts: nearly all cells have one
}

// cells is memory for what counts at one tick, used again at the next.
type cells struct {
	list      []*cell
	strangers []*cell          // of those that are not kept
	byKey     map[string]*cell // strangers
	spare     []*cell          // not in use
	room      stream.Room
	read      stream.Partial // scratch
}

// add takes a partial into the cell of an identity.
func (c *cells) add(id *identity, tick int64) {
	if id.cell == nil {
		id.cell = c.empty()
		*id.cell = cell{id: id, apply: tick}
		c.list = append(c.list, id.cell)
	}
	id.cell.add(&c.read)
}

// addStranger takes a partial into the cell of an identity that is not kept.
func (c *cells) addStranger(key []byte, tick int64) {
	to := c.byKey[string(key)]
	if to == nil {
		to = c.empty()
		*to = cell{key: string(key), apply: tick}
		if c.byKey == nil {
			c.byKey = map[string]*cell{}
		}
		c.byKey[to.key] = to
		c.strangers = append(c.strangers, to)
	}
	to.add(&c.read)
}

func (c *cells) empty() *cell {
	n := len(c.spare)
	if n == 0 {
		return &cell{}
	}
	out := c.spare[n-1]
	c.spare = c.spare[:n-1]
	return out
}

// drop empties what was gathered.
func (c *cells) drop() {
	c.spare = append(c.spare, c.list...)
	for _, x := range c.list {
		*x = cell{} // it must not hold on to an identity that sleeps
	}
	if most := 2*len(c.list) + 64; len(c.spare) > most {
		clear(c.spare[most:])
		c.spare = c.spare[:most]
	}
	clear(c.list)
	c.list = c.list[:0]
	clear(c.strangers)
	c.strangers = c.strangers[:0]
	if clear(c.byKey); cap(c.strangers) > 1<<16 { // maps grow and never shrink
		c.strangers, c.byKey = nil, nil
	}
	c.room.Reset()
	c.read = stream.Partial{}
}

// gather returns what those did that are kept and that counts at a tick, united by
// identity. It holds until d.cells is dropped.
func (d *Task) gather(tick int64) []*cell {
	d.waiting.take(tick, func(batch *waitingBatch, refs []stream.PartialRef) {
		for _, ref := range refs {
			p := &d.cells.read
			batch.Read(ref, p, &d.cells.room)
			id := batch.known(ref)
			if *id == nil || (*id).gone {
				d.buffer = append(append(d.buffer[:0], byte(p.Dimension)), p.Identity...)
				*id = d.people.known(d.buffer)
			}
			if *id != nil {
				d.cells.add(*id, tick)
			} else {
				d.cells.addStranger(d.buffer, tick)
			}
		}
	})
	d.admit(tick)
	for _, c := range d.cells.list {
		c.id.cell = nil
	}
	return d.cells.list
}

// part is the union of partials of one tick of event time.
type part struct {
	tick    int64
	events  int64 // zero if all came from the join of tokens
	traits  []trait.Count
	records sketches.Window
	*rarePart
}

// rarePart is what few parts have.
type rarePart struct {
	rows        stream.Rows
	destructive sketches.Window
	unissued    sketches.Window // tokens found to be so
	tokens      sketches.Window // unissued ones that read, and count for the identity
	through     sketches.Window // records that they read
}

// nothingRare stands for the rare part of those that have none. It is shared,
// and never written to.
var nothingRare = &rarePart{}

// newPart takes a partial over.
func newPart(p *stream.Partial) part {
	out := part{p.Tick, p.Events, p.Traits, p.Records, nothingRare}
	if p.Rare() {
		out.rarePart = &rarePart{p.Rows, p.Destructive, p.Unissued, p.UnissuedTokens, p.UnissuedRecords}
	}
	return out
}

// merge unites with a partial of the same tick.
func (p *part) merge(o *stream.Partial) {
	p.events = clamp.Add(p.events, o.Events)
	p.traits = trait.Merge(p.traits, o.Traits)
	p.records.Merge(&o.Records)
	if !o.Rare() {
		return
	}
	if p.rarePart == nothingRare {
		p.rarePart = &rarePart{}
	}
	p.rows.Merge(&o.Rows)
	p.destructive.Merge(&o.Destructive)
	p.unissued.Merge(&o.Unissued)
	p.tokens.Merge(&o.UnissuedTokens)
	p.through.Merge(&o.UnissuedRecords)
}

// add takes a partial into the cell.
func (c *cell) add(p *stream.Partial) {
	for i := range c.parts {
		if c.parts[i].tick == p.Tick {
			c.parts[i].merge(p)
			return
		}
	}
	if c.parts == nil {
		c.parts = c.room[:0]
	}
	c.parts = append(c.parts, newPart(p))
}

// acts reports whether the identity did anything in the cell.
func (c *cell) acts() bool {
	return slices.ContainsFunc(c.parts, func(p part) bool { return p.events > 0 })
}

// unissued returns what was read by tokens that nobody issued and that count for
// the identity of the cell.
func (c *cell) unissued() (out []fact.UnissuedTokens) {
	for i := range c.parts {
		if p := &c.parts[i]; !p.tokens.Empty() {
			out = append(out, fact.UnissuedTokens{Tokens: &p.tokens, Records: &p.through})
		}
	}
	return out
}

// addTo adds what a part touched to an exposure.
func (p *part) addTo(e *exposure.Exposure) {
	e.Add(&p.records, p.rows.Total(), p.events, p.traits)
}
