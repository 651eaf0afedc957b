package simulate

import (
	"slices"
	"strconv"

	"github.com/weirhq/weir/event"
)

// Numbers that stand for absent actors and records.
const (
	nobody   int32 = -1
	noRecord int32 = -1
	// customerActors is the first actor number that means a customer's account.
	customerActors int32 = 1 << 24
)

// item is an event before its texts are written: what the actors make.
type item struct {
	at       int64
	due      int64 // when it reaches the log; 0: at once
	rows     int64
	token    uint64 // 0: none
	ip       uint32 // 0: none
	actor    int32
	subject  int32
	rec      int32 // one customer; noRecord: none, or many
	many, n  int32 // or n customers from slate.records[many:]
	key      int16
	client   int16
	endpoint int16
	action   event.Action
	leak     int8 // index of the leak it belongs to, or -1
	extra    bool // the scenario added it to the calm company
	aboutKey bool // the subject is the key
}

// slate gathers one hour of items in any order and gives them out in time order.
type slate struct {
	from, to int64
	extra    bool // the scenario is adding
	items    []item
	carry    []item  // begun in an earlier hour, due in a later one
	records  []int32 // customers of items with many

	order   []uint64
	sorted  []item
	arena   []byte
	marks   []int
	strings []string
	out     []event.Event
	leak    []int8
	pos     int
}

// begin starts the hour [from, to) with what earlier hours left for it.
func (s *slate) begin(from, to int64) {
	s.from, s.to = from, to
	s.items, s.records = s.items[:0], s.records[:0]
	due := s.carry
	s.carry = nil
	for i := range due {
		s.put(&due[i])
	}
}

// add takes a benign item of any time from this hour's start on. An item of
// many customers is due in this hour; it is moved to its end if it is not.
func (s *slate) add(it item) {
	it.leak, it.extra = -1, s.extra
	s.put(&it)
}

// steal takes an item of a leak.
func (s *slate) steal(leak int, it item) {
	it.leak, it.extra = int8(leak), true
	s.put(&it)
}

func (s *slate) put(it *item) {
	if it.due == 0 {
		it.due = it.at
	}
	if it.due >= s.to {
		if it.n == 0 {
			s.carry = append(s.carry, *it)
			return
		}
		it.at, it.due = s.to-1, s.to-1
	}
	s.items = append(s.items, *it)
}

// page gives an item n customers. An item with many stays
// in the hour in which it is made.
func (s *slate) page(it *item, n int64, next func() int32) {
	it.many, it.n = int32(len(s.records)), int32(n)
	for range n {
		s.records = append(s.records, next())
	}
}

// recordsOf returns the customers of the p-th item given out, if it has many.
func (s *slate) recordsOf(p int) []int32 {
	it := &s.items[p]
	return s.records[it.many : it.many+it.n]
}

// sort puts the items in the order of time; at one instant the order is that of adding.
func (s *slate) sort() {
	s.order = s.order[:0]
	for i := range s.items {
		s.order = append(s.order, uint64(s.items[i].due-s.from)<<32|uint64(i))
	}
	slices.Sort(s.order)
	s.sorted = s.sorted[:0]
	for _, o := range s.order {
		s.sorted = append(s.sorted, s.items[uint32(o)])
	}
	s.items, s.sorted = s.sorted, s.items
}

// render turns the hour's items into events. All texts of the hour are written
// into one arena that becomes one string, so that an event costs no allocation.
func (c *Company) render() {
	s := &c.slate
	s.sort()
	c.writeTexts()
	text := string(s.arena)
	s.out, s.leak, s.pos = s.out[:0], s.leak[:0], 0
	s.strings = make([]string, 0, len(s.items)+len(s.records))
	at, mark := 0, 0
	next := func() string {
		t := text[at:s.marks[mark]]
		at, mark = s.marks[mark], mark+1
		return t
	}
	for i := range s.items {
		it := &s.items[i]
		ev := event.Event{Time: it.at, Action: it.action, Rows: it.rows, KeyID: c.keys[it.key], Client: c.clients[it.client]}
		ev.ID, ev.Session, ev.IP, ev.Endpoint = next(), next(), next(), next()
		ev.Actor, ev.Subject = c.actorName(it.actor), c.actorName(it.subject)
		if it.aboutKey {
			ev.Subject = ev.KeyID
		}
		from := len(s.strings)
		if it.rec != noRecord {
			s.strings = append(s.strings, c.customers.record(it.rec))
		}
		for _, r := range s.records[it.many : it.many+it.n] {
			s.strings = append(s.strings, c.customers.record(r))
		}
		if to := len(s.strings); to > from {
			ev.Records = s.strings[from:to:to]
		}
		s.out, s.leak = append(s.out, ev), append(s.leak, it.leak)
	}
}

// writeTexts writes id, session, address and endpoint of every item.
func (c *Company) writeTexts() {
	s := &c.slate
	b, marks := s.arena[:0], s.marks[:0]
	for i := range s.items {
		it := &s.items[i]
		ids := &c.ids[0]
		if it.extra {
			ids = &c.ids[1]
		}
		b = appendHex(b, ids.take())
		marks = append(marks, len(b))
		if it.token != 0 {
			b = appendHex(b, it.token)
		}
		marks = append(marks, len(b))
		if it.ip != 0 {
			b = appendIP(b, it.ip)
		}
		marks = append(marks, len(b))
		e := &endpoints[it.endpoint]
		b = append(b, e.before...)
		if e.id {
			b = append(b, c.customers.record(max(it.rec, 0))...)
			b = append(b, e.after...)
		}
		marks = append(marks, len(b))
	}
	s.arena, s.marks = b, marks
}

func (c *Company) actorName(n int32) string {
	switch {
	case n == nobody:
		return ""
	case n >= customerActors:
		return c.customers.account(n - customerActors)
	}
	return c.names[n]
}

// appendHex appends 16 hexadecimal digits.
func appendHex(b []byte, x uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, digits[x>>shift&15])
	}
	return b
}

// appendIP appends an IPv4 address.
func appendIP(b []byte, ip uint32) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		b = strconv.AppendUint(b, uint64(ip>>shift&255), 10)
		if shift > 0 {
			b = append(b, '.')
		}
	}
	return b
}

// take returns a number for a token.
func (c *Company) take() uint64 {
	if c.slate.extra {
		return c.tokens[1].take()
	}
	return c.tokens[0].take()
}
