package ingest

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/numbering"
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
	partials    []int32 // by dimension, and of the name last: the index of the partial, or noPartial
}

// noPartial stands for the partial of an access in a dimension in which it has no
// identity.
const noPartial = -1

// openPartials gathers what events say of identities until the flush: one partial for
// each identity and tick. It is emptied by the flush, and its memory used again.
type openPartials struct {
	minutes    stream.TickMinutes
	partitions int32
	dimensions int             // of identities; names, of which nothing is counted, come after them
	names      numbering.Names // dimension byte, identity
	who        []accumulator   // by number of its name
	dirty      []int32         // numbers of those with something to flush
	open       []openPartial   // of the dirty ones
	log        accessLog
	gathered   gathering // by open partial
	entries    int       // touches, counted for each identity of their access
	traits     traitLists
	parting    [][]int32 // scratch: places in dirty by partition
	ticks      []int32   // scratch: partials of one identity
	flushes    int64
}

// accumulator gathers what one identity did since the last flush.
type accumulator struct {
	order     uint32 // trait.Order of the identity
	partition int32
	place     int32 // in dirty; noPlace: there is nothing to flush
	newest    int32 // of its partials, the one of the latest tick
	latest    int32 // of its partials, the one that was counted in last
	used      int64 // the flush that it was last used in
}

// noPlace stands for the place of one with nothing to flush.
const noPlace = -1

// openPartial is the partial of one identity and tick, without what it touched.
type openPartial struct {
	tick, apply int64
	events      int64
	owner       int32     // place of its accumulator
	order       uint32    // of that
	before      int32     // the next of the same owner, whose tick is earlier or the same; or noPartial
	access      int32     // the first
	lists       int32     // of several accesses: the first of its lists in traits.slots
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

// key returns the dimension byte and the name of an identity, by its place in dirty.
func (o *openPartials) key(place int32) string { return o.names.Name(o.dirty[place]) }

// count counts an access in all of its partials, and returns its number in the log.
func (o *openPartials) count(a *access) int32 {
	n := o.log.add(a)
	size := o.log.size(n)
	for _, at := range a.partials[:o.dimensions] {
		if at == noPartial {
			continue
		}
		p := &o.open[at]
		o.entries += int(size)
		switch p.events++; p.events {
		case 1:
			p.access = n
		case 2:
			o.gathered.sizes[at] = o.log.size(p.access) + size
			p.lists = o.traits.begin()
			o.addTraits(at, o.log.in(p.access))
			o.addTraits(at, a.partials)
		default:
			o.gathered.sizes[at] += size
			o.addTraits(at, a.partials)
		}
		if a.rows > 0 || a.destroys {
			o.countRare(p, a)
		}
	}
	return n
}

// countRare counts the rows of an access, and the records that it destroyed.
func (o *openPartials) countRare(p *openPartial, a *access) {
	if a.rows > 0 {
		p.rarely().rows.Add(a.rowsID, a.rows)
	}
	if a.destroys {
		r, start := p.rarely(), o.minutes.Start(p.tick)
		for _, h := range a.records {
			r.destructive = append(r.destructive, sketches.NewEntry(h, start))
		}
	}
}

// touched returns what a partial touched, once gathered, to be used up.
func (o *openPartials) touched(at int32) []sketches.Entry {
	if p := &o.open[at]; p.events == 1 {
		return o.log.touched(p.access)
	}
	return o.gathered.of(at)
}

// of returns the index of the open partial of the identity of a key (dimension byte,
// name).
func (o *openPartials) of(key []byte, tick, apply int64) int32 {
	n, isNew := o.names.Number(key)
	if isNew {
		o.who = append(o.who, accumulator{
			order: trait.Order(trait.NameHash(key[1:])), partition: int32(stream.PartitionOf(key) % uint64(o.partitions)), place: noPlace,
		})
	}
	a := &o.who[n]
	if a.place == noPlace {
		a.place, a.newest = int32(len(o.dirty)), noPartial
		o.dirty = append(o.dirty, n)
	} else if p := &o.open[a.latest]; p.tick == tick && p.apply == apply {
		return a.latest
	}
	after, before := int32(noPartial), a.newest
	for ; before != noPartial && o.open[before].tick >= tick; after, before = before, o.open[before].before {
		if p := &o.open[before]; p.tick == tick && p.apply == apply {
			a.latest = before
			return before
		}
	}
	at := int32(len(o.open))
	o.open = append(o.open, openPartial{tick: tick, apply: apply, owner: a.place, order: a.order, before: before})
	o.gathered.open()
	if a.latest = at; after == noPartial {
		a.newest = at
	} else {
		o.open[after].before = at
	}
	return at
}

// gather readies what the partials touched.
func (o *openPartials) gather() { o.gathered.gather(&o.log, o.log.partials, o.log.kinds) }

// byPartition returns the places of the identities with something to flush, in
// the order in which they came.
func (o *openPartials) byPartition() [][]int32 {
	out := o.parting
	if out == nil {
		out = make([][]int32, o.partitions)
	}
	for i := range out {
		out[i] = out[i][:0]
	}
	for place, n := range o.dirty {
		a := &o.who[n]
		a.used = o.flushes
		out[a.partition] = append(out[a.partition], int32(place))
	}
	o.parting = out
	return out
}

// ofIdentity returns the partials of an identity, by its place in dirty, in order of
// their ticks. It is good until the next call.
func (o *openPartials) ofIdentity(place int32) []int32 {
	list := o.ticks[:0]
	for at := o.who[o.dirty[place]].newest; at != noPartial; at = o.open[at].before {
		list = append(list, at)
	}
	if len(list) > 1 {
		slices.SortFunc(list, func(x, y int32) int {
			px, py := &o.open[x], &o.open[y]
			return cmp.Or(cmp.Compare(px.tick, py.tick), cmp.Compare(px.apply, py.apply))
		})
	}
	o.ticks = list
	return list
}

// drop empties what was gathered; the memory is used again.
func (o *openPartials) drop() {
	for _, n := range o.dirty {
		o.who[n].place = noPlace
	}
	clear(o.open) // they hold what is rare
	o.dirty, o.open, o.entries = o.dirty[:0], o.open[:0], 0
	o.log.drop()
	o.gathered.drop()
	o.traits.drop()
}

// flushed ends a flush: it forgets, now and then, identities that many flushes have
// not used.
func (o *openPartials) flushed() {
	const keep = 16
	if o.flushes++; o.flushes%keep != 0 {
		return
	}
	kept := o.who[:0]
	o.names.Retain(func(n int32) bool {
		a := o.who[n]
		if a.used < o.flushes-keep {
			return false
		}
		kept = append(kept, a)
		return true
	})
	o.who = kept
}
