package ingest

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// access is one access on its way into the partials of its identities.
type access struct {
	tick, apply int64
	minute      uint32   // of event time
	records     []uint64 // keyed hashes
	rows        int64    // beside the records
	rowsID      uint64   // keyed hash of the event's id; 0: it has none
	destroys    bool
	partials    []int32 // by dimension: the index of the identity's partial, or noPartial
}

// noPartial stands for the partial of an access in a dimension in which it has no
// identity.
const noPartial = -1

// openPartials gathers what events say of identities until the flush: one partial for
// each identity and tick. It is emptied by the flush, and its memory used again.
type openPartials struct {
	minutes    stream.TickMinutes
	partitions int32
	byKey      map[string]*accumulator
	spare      []*accumulator // not in use
	dirty      []*accumulator // with something to flush
	open       []openPartial  // of the dirty ones
	touches    touchLog       // of open
	traits     traitLists
	parting    [][]int32 // scratch: places in dirty by partition
	flushes    int64
}

// accumulator gathers what one identity did since the last flush.
type accumulator struct {
	key       string // dimension byte, identity
	order     uint32 // trait.Order of the identity
	partition int32
	place     int32   // in dirty
	used      int64   // the flush that it was last used in
	partials  []int32 // indexes in open
	latest    int32   // of partials, the one that was counted in last
	written   int64   // the number of the record of weir.partials that last named it
	reference int32   // its place among the names of that record
	read      int64   // the number of the record of weir.sessions that last named it
	reader    int32   // its place among the names of that record
}

// openPartial is the partial of one identity and tick, without its touches.
type openPartial struct {
	tick, apply int64
	events      int64
	owner       int32     // place of its accumulator
	order       uint32    // of that
	traits      int32     // of one access: where it begins in traits.accesses; of several: the first of its lists in traits.slots
	rare        *rarePart // nil: none of it
}

// rarePart is the part of an open partial that few have.
type rarePart struct {
	rows        stream.Rows
	destructive []sketches.Entry
}

func (p *openPartial) rarely() *rarePart {
	if p.rare == nil {
		p.rare = &rarePart{}
	}
	return p.rare
}

// accumulator returns a new one for a key, in the memory of one that is not used any
// longer if there is one.
func (o *openPartials) accumulator(key []byte) *accumulator {
	var a *accumulator
	if n := len(o.spare); n > 0 {
		a, o.spare = o.spare[n-1], o.spare[:n-1]
	} else {
		a = &accumulator{}
	}
	*a = accumulator{
		key: string(key), order: trait.Order(trait.NameHash(key[1:])), partition: int32(stream.PartitionOf(key) % uint64(o.partitions)),
		partials: a.partials[:0],
	}
	return a
}

// add counts an access for the identity of a key (dimension byte, name), and returns
// the index of its partial.
func (o *openPartials) add(key []byte, a *access) int32 {
	at := o.of(key, a.tick, a.apply)
	p := &o.open[at]
	p.events++
	if a.rows > 0 {
		p.rarely().rows.Add(a.rowsID, a.rows)
	}
	o.touches.add(at, a)
	if a.destroys {
		r, start := p.rarely(), o.minutes.Start(p.tick)
		for _, h := range a.records {
			r.destructive = append(r.destructive, sketches.NewEntry(h, start))
		}
	}
	return at
}

// of returns the index of the open partial of the identity of a key.
func (o *openPartials) of(key []byte, tick, apply int64) int32 {
	a := o.byKey[string(key)]
	if a == nil {
		a = o.accumulator(key)
		o.byKey[a.key] = a
	}
	if len(a.partials) == 0 {
		a.place = int32(len(o.dirty))
		o.dirty = append(o.dirty, a)
	}
	counts := func(at int32) bool { return o.open[at].tick == tick && o.open[at].apply == apply }
	if len(a.partials) > 0 {
		if counts(a.latest) {
			return a.latest
		}
		if i := slices.IndexFunc(a.partials, counts); i >= 0 {
			a.latest = a.partials[i]
			return a.latest
		}
	}
	a.latest = int32(len(o.open))
	o.open = append(o.open, openPartial{tick: tick, apply: apply, owner: a.place, order: a.order})
	o.touches.open()
	a.partials = append(a.partials, a.latest)
	return a.latest
}

// byPartition returns the places of the identities with something to flush, in
// the order in which they came, and sorts the ticks of each.
func (o *openPartials) byPartition() [][]int32 {
	out := o.parting
	if out == nil {
		out = make([][]int32, o.partitions)
	}
	for i := range out {
		out[i] = out[i][:0]
	}
	for at, a := range o.dirty {
		a.used = o.flushes
		out[a.partition] = append(out[a.partition], int32(at))
		if len(a.partials) > 1 {
			slices.SortFunc(a.partials, func(x, y int32) int {
				px, py := &o.open[x], &o.open[y]
				return cmp.Or(cmp.Compare(px.tick, py.tick), cmp.Compare(px.apply, py.apply))
			})
		}
	}
	o.parting = out
	return out
}

// drop empties what was gathered; the memory is used again.
func (o *openPartials) drop() {
	for _, a := range o.dirty {
		a.partials = a.partials[:0]
	}
	clear(o.dirty)
	clear(o.open) // they hold what is rare
	o.traits.drop()
	o.dirty, o.open = o.dirty[:0], o.open[:0]
	o.touches.drop()
}

// flushed ends a flush: it drops, now and then, accumulators that many flushes have
// not used.
func (o *openPartials) flushed() {
	const keep = 16
	if o.flushes++; o.flushes%keep != 0 {
		return
	}
	for k, a := range o.byKey {
		if a.used < o.flushes-keep {
			delete(o.byKey, k)
			a.key = ""
			o.spare = append(o.spare, a)
		}
	}
	if most := len(o.byKey) + 1024; len(o.spare) > most {
		clear(o.spare[most:])
		o.spare = o.spare[:most]
	}
}
