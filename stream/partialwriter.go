package stream

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/weirhq/weir/sketches"
)

// The body of a batch:
//
//	uvarint  minutes in a tick
//	varint   the base tick
//	names    of each dimension: uvarint how many, and each by rising order: a
//	         byte with the lengths (to 15) of the beginning and the end that it
//	         shares with the one before, and what is between: uvarint
//	         2·(characters) + (packed), and if packed, two characters a byte
//	groups   each an identity and one or more of its ticks: uvarint
//	         2·(distance of its name from the last group's) + (several ticks);
//	         if several, how many
//
// and of each tick flags, and what they announce, in this order. A tick with no
// flag set is one event of one record in the base tick.
const (
	flagEvents      = 1 << iota // uvarint: how many events, else one
	flagPlaced                  // varint: tick less base; uvarint: apply less tick
	flagRows                    // Rows
	flagWindow                  // a window, else a list of one record in the form of a tick
	flagDestructive             // a window; an empty one stands for all the records
	flagUnissued                // a window of tokens found, one of tokens that read, and one of records
	flagTraits                  // uvarint: how many, and each: uvarint 3·(distance of its name from the last one's) + form of its count
)

// The forms of a trait's count.
const (
	onceTrait = iota
	everyTrait
	someTrait // a uvarint follows
)

// A window is a uvarint: 0 if it is empty, 1 if it follows in the general form,
// else the number of records plus one, and they follow in the form of a tick.
const (
	windowEmpty = iota
	windowGeneral
	windowListed
)

// TickMinutes is how many minutes a tick has, for who reads and writes partials.
type TickMinutes uint64

// Start returns the first minute of a tick, since 1970.
func (m TickMinutes) Start(tick int64) uint32 { return uint32(tick * int64(m)) }

// PartialWriter builds the body of a batch. Its memory is used again.
type PartialWriter struct {
	minutes    TickMinutes
	dimensions int
	base       int64
	names      []string // dimension byte and name, by reference
	groups     []writtenGroup
	parts      []writtenPart
	body       []byte // the parts without their traits
	traits     []TraitRef
	room       int         // bytes that the names may take
	order      []nameOrder // the names in order
	rank       []int32     // by reference of a name: its place in order
	groupsOf   []int32     // by reference of a name: its first group, or noGroup
}

// nameOrder is a name by its reference, and its first bytes, which mostly tell its place.
type nameOrder struct {
	first uint64
	name  int32
}

type writtenGroup struct {
	name        int32
	next        int32 // of the same name, or noGroup
	first, last int32 // of parts
}

const noGroup = -1

type writtenPart struct {
	end       int   // in body
	traitsEnd int32 // in traits
	events    int64
}

// TraitRef is a trait by the reference of its name.
type TraitRef struct {
	Name   int32
	Events uint32
}

// NewPartialWriter returns a writer of partials of so many dimensions.
func NewPartialWriter(m TickMinutes, dimensions int) *PartialWriter {
	return &PartialWriter{minutes: m, dimensions: dimensions}
}

func (w *PartialWriter) reset() {
	w.names, w.groups, w.parts = w.names[:0], w.groups[:0], w.parts[:0]
	w.body, w.traits, w.room = w.body[:0], w.traits[:0], 0
}

func (w *PartialWriter) empty() bool { return len(w.groups) == 0 }

// Size returns a bound of what append will write.
func (w *PartialWriter) Size() int { return len(w.body) + w.room + 6*len(w.traits) + 8*len(w.groups) }

// Name adds a name, dimension byte first, and returns its reference.
func (w *PartialWriter) Name(key string) int32 {
	w.names = append(w.names, key)
	w.room += len(key) + 4
	return int32(len(w.names) - 1)
}

// Group begins the ticks of one identity.
func (w *PartialWriter) Group(name int32) {
	w.groups = append(w.groups, writtenGroup{name, noGroup, int32(len(w.parts)), int32(len(w.parts))})
}

// Add writes one tick of the group. Of p's traits only those in refs count.
func (w *PartialWriter) Add(p *Partial, refs []TraitRef) {
	if len(w.parts) == 0 {
		w.base = p.Tick
	}
	at := len(w.body)
	b := append(w.body, 0)
	flags := byte(0)
	if p.Events != 1 {
		flags |= flagEvents
		b = binary.AppendUvarint(b, uint64(p.Events))
	}
	if p.Tick != w.base || p.Apply != p.Tick {
		flags |= flagPlaced
		b = binary.AppendVarint(b, p.Tick-w.base)
		b = binary.AppendUvarint(b, uint64(p.Apply-p.Tick))
	}
	if !p.Rows.Empty() {
		flags |= flagRows
		b = p.Rows.append(b)
	}
	start := w.minutes.Start(p.Tick)
	if p.Records.Listed(start) == 1 {
		b = p.Records.AppendTick(b, start)
	} else {
		flags |= flagWindow
		b = appendWindow(b, &p.Records, start)
	}
	if !p.Destructive.Empty() {
		flags |= flagDestructive
		b = appendDestructive(b, p, start)
	}
	if p.unissued() {
		flags |= flagUnissued
		for _, window := range [...]*sketches.Window{&p.Unissued, &p.UnissuedTokens, &p.UnissuedRecords} {
			b = appendWindow(b, window, start)
		}
	}
	if len(refs) > 0 {
		flags |= flagTraits
	}
	b[at] = flags
	w.body = b
	w.traits = append(w.traits, refs...)
	w.parts = append(w.parts, writtenPart{len(b), int32(len(w.traits)), p.Events})
	w.groups[len(w.groups)-1].last = int32(len(w.parts))
}

func appendWindow(b []byte, w *sketches.Window, start uint32) []byte {
	if w.Empty() {
		return append(b, windowEmpty)
	}
	if n := w.Listed(start); n > 0 {
		return w.AppendTick(binary.AppendUvarint(b, uint64(n)-1+windowListed), start)
	}
	return w.AppendBinary(append(b, windowGeneral))
}

// appendDestructive writes what was updated or deleted: seldom but all.
func appendDestructive(b []byte, p *Partial, start uint32) []byte {
	if n := p.Destructive.Listed(start); n > 0 && n == p.Records.Listed(start) {
		return append(b, windowEmpty)
	}
	return appendWindow(b, &p.Destructive, start)
}

// Append writes the body and forgets what was added.
func (w *PartialWriter) Append(b []byte) []byte {
	if w.empty() {
		return b
	}
	b = binary.AppendUvarint(b, uint64(w.minutes))
	b = binary.AppendVarint(b, w.base)
	b = w.appendNames(b)
	w.linkGroups()
	last := 0
	for at, name := range w.order {
		for i := w.groupsOf[name.name]; i != noGroup; i = w.groups[i].next {
			b = w.appendGroup(b, &w.groups[i], at-last)
			last = at
		}
	}
	w.reset()
	return b
}

// linkGroups finds the groups of each name, in the order in which they were added.
func (w *PartialWriter) linkGroups() {
	w.groupsOf = slices.Grow(w.groupsOf[:0], len(w.names))[:len(w.names)]
	for i := range w.groupsOf {
		w.groupsOf[i] = noGroup
	}
	for i := len(w.groups) - 1; i >= 0; i-- {
		g := &w.groups[i]
		g.next, w.groupsOf[g.name] = w.groupsOf[g.name], int32(i)
	}
}

// appendGroup writes a group whose name is so many after that of the last.
func (w *PartialWriter) appendGroup(b []byte, g *writtenGroup, step int) []byte {
	if g.last-g.first > 1 {
		b = binary.AppendUvarint(b, 2*uint64(step)+1)
		b = binary.AppendUvarint(b, uint64(g.last-g.first))
	} else {
		b = binary.AppendUvarint(b, 2*uint64(step))
	}
	for i := g.first; i < g.last; i++ {
		b = w.appendPart(b, i)
	}
	return b
}

func (w *PartialWriter) appendPart(b []byte, i int32) []byte {
	var from writtenPart
	if i > 0 {
		from = w.parts[i-1]
	}
	p := w.parts[i]
	b = append(b, w.body[from.end:p.end]...)
	refs := w.traits[from.traitsEnd:p.traitsEnd]
	if len(refs) == 0 {
		return b
	}
	slices.SortFunc(refs, func(x, y TraitRef) int { return cmp.Compare(w.rank[x.Name], w.rank[y.Name]) })
	b = binary.AppendUvarint(b, uint64(len(refs)))
	last := int32(0)
	for _, t := range refs {
		at := w.rank[t.Name]
		form := uint64(someTrait)
		switch int64(t.Events) {
		case 1:
			form = onceTrait
		case p.events:
			form = everyTrait
		}
		b = binary.AppendUvarint(b, 3*uint64(at-last)+form)
		if form == someTrait {
			b = binary.AppendUvarint(b, uint64(t.Events))
		}
		last = at
	}
	return b
}

// appendNames writes the table of names and sets rank, their places in it.
func (w *PartialWriter) appendNames(b []byte) []byte {
	w.order, w.rank = w.order[:0], slices.Grow(w.rank[:0], len(w.names))[:len(w.names)]
	for i, name := range w.names {
		w.order = append(w.order, nameOrder{firstBytes(name), int32(i)})
	}
	slices.SortFunc(w.order, func(x, y nameOrder) int {
		if x.first != y.first {
			return cmp.Compare(x.first, y.first)
		}
		return cmp.Compare(w.names[x.name], w.names[y.name])
	})
	next := 0
	for dim := range w.dimensions {
		from := next
		for next < len(w.order) && int(w.order[next].first>>56) == dim {
			w.rank[w.order[next].name] = int32(next)
			next++
		}
		b = binary.AppendUvarint(b, uint64(next-from))
		last := ""
		for _, at := range w.order[from:next] {
			name := w.names[at.name][1:]
			b = appendName(b, last, name)
			last = name
		}
	}
	return b
}

// firstBytes returns the first eight bytes of a text, those that it lacks as zeros, as a
// number that is in order where texts are.
func firstBytes(text string) (first uint64) {
	for i := range 8 {
		first <<= 8
		if i < len(text) {
			first |= uint64(text[i])
		}
	}
	return first
}

// appendName writes a name after the one before it.
func appendName(b []byte, last, name string) []byte {
	const most = 15
	head, tail := 0, 0
	for head < min(len(last), len(name), most) && last[head] == name[head] {
		head++
	}
	for tail < min(len(last), len(name)-head, most) && last[len(last)-1-tail] == name[len(name)-1-tail] {
		tail++
	}
	b = append(b, byte(head<<4|tail))
	middle := name[head : len(name)-tail]
	for i := range len(middle) {
		if packed[middle[i]] == 0 {
			b = binary.AppendUvarint(b, 2*uint64(len(middle)))
			return append(b, middle...)
		}
	}
	b = binary.AppendUvarint(b, 2*uint64(len(middle))+1)
	for i := 0; i < len(middle); i += 2 {
		pair := packed[middle[i]] - 1
		if i+1 < len(middle) {
			pair |= (packed[middle[i+1]] - 1) << 4
		}
		b = append(b, pair)
	}
	return b
}

// packable are the characters that names, and above all what differs in them,
// are mostly made of: numbers and addresses.
const packable = "0123456789.-/:_ "

// packed is the place of each packable character plus one.
var packed = func() (places [256]byte) {
	for i := range len(packable) {
		places[packable[i]] = byte(i + 1)
	}
	return places
}()
