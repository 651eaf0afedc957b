package fieldmap

import (
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/zerocopy"
)

// kind is the type of a JSON value.
type kind uint8

const (
	absent kind = iota // no such value
	null
	boolean
	integer // a number without fraction and exponent
	decimal // any other number
	text
	object
	array
)

// value is where a JSON value lies in the scanned bytes; of a text, without its
// quotes.
type value struct {
	lo, hi  int
	kind    kind
	escaped bool // a text that holds escapes
}

// scanner walks a JSON text once, checks all of it against RFC 8259, and keeps
// the values at the paths of a pattern; what is not wanted is only checked. It
// builds no tree, so its memory is bounded by what the pattern asks for.
//
// A general parser was weighed. fastjson takes half as long again for parsing
// alone, and twice as long with the checks of grammar that it leaves to its
// caller (BenchmarkScan, BenchmarkFastJSON); it also keeps some 80 bytes for each
// value of a hostile input, and quotes the input in its errors.
type scanner struct {
	b     []byte
	slots []value   // by slot: the first value at its path
	lists [][]value // by list: all values at its path, in order
	dup   bool      // a key stood twice in one object

	unescaped []byte // scratch: a key

	reason event.Reason // of the failure
	at     int          // where it was found
}

// reset makes the scanner ready for a text and pattern.
func (s *scanner) reset(b []byte, p *pattern) {
	s.b, s.dup = b, false
	if cap(s.slots) < p.slots {
		s.slots = make([]value, p.slots)
	}
	s.slots = s.slots[:p.slots]
	clear(s.slots)
	for len(s.lists) < p.lists {
		s.lists = append(s.lists, nil)
	}
	for i := range s.lists {
		s.lists[i] = s.lists[i][:0]
	}
}

// giveBack lets go of what a hostile text has blown up.
func (s *scanner) giveBack() {
	if cap(s.unescaped) > maxKept {
		s.unescaped = nil
	}
	for i, l := range s.lists {
		if cap(l) > 2*event.MaxRecords {
			s.lists[i] = nil
		}
	}
}

// fail notes why the text is refused, and returns -1.
func (s *scanner) fail(r event.Reason, at int) int {
	s.reason, s.at = r, at
	return -1
}

// document scans the whole text as one value of the pattern; false if it is
// refused.
func (s *scanner) document(p *pattern) bool {
	i := s.space(0)
	if i == len(s.b) {
		s.fail(event.Empty, -1)
		return false
	}
	if i = s.value(i, &p.root, 0); i < 0 {
		return false
	}
	if i = s.space(i); i < len(s.b) {
		s.fail(event.NotJSON, i)
		return false
	}
	return true
}

// space returns the first index from i on that is not white space.
func (s *scanner) space(i int) int {
	for i < len(s.b) {
		switch s.b[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// value scans the value that begins at i, and returns the index after it, or -1.
// n says what is wanted of it; nil is nothing. depth is that of what holds it.
func (s *scanner) value(i int, n *node, depth int) int {
	if i >= len(s.b) {
		return s.fail(event.NotJSON, i)
	}
	v := value{lo: i}
	switch c := s.b[i]; c {
	case '"':
		end, escaped := s.text(i + 1)
		if end < 0 {
			return -1
		}
		if n != nil {
			s.keep(n, value{i + 1, end, text, escaped})
		}
		return end + 1
	case '{', '[':
		if depth == event.MaxDepth {
			return s.fail(event.TooDeep, i)
		}
		if c == '{' {
			v.kind = object
			i = s.object(i+1, n, depth+1)
		} else {
			v.kind = array
			i = s.array(i+1, n, depth+1)
		}
	case 't':
		v.kind = boolean
		i = s.literal(i, "true")
	case 'f':
		v.kind = boolean
		i = s.literal(i, "false")
	case 'n':
		v.kind = null
		i = s.literal(i, "null")
	default:
		i, v.kind = s.number(i)
	}
	if i >= 0 && n != nil {
		v.hi = i
		s.keep(n, v)
	}
	return i
}

// keep stores a value for a node's slot and list. The first value that is not
// null counts for a slot. Of an array whose elements are wanted, a list holds those.
func (s *scanner) keep(n *node, v value) {
	if n.slot >= 0 && s.slots[n.slot].kind <= null {
		s.slots[n.slot] = v
	}
	if n.list >= 0 && (v.kind != array || n.elem == nil) {
		s.lists[n.list] = append(s.lists[n.list], v)
	}
}

// object scans the rest of an object, from after its brace.
func (s *scanner) object(i int, n *node, depth int) int {
	if i = s.space(i); i < len(s.b) && s.b[i] == '}' {
		return i + 1
	}
	var seen uint64 // children met, by index
	next := 0       // the child that is likely next: sources keep an order
	for {
		if i >= len(s.b) || s.b[i] != '"' {
			return s.fail(event.NotJSON, i)
		}
		end, k := s.key(i+1, n, next)
		if end < 0 {
			return -1
		}
		var child *node
		if k >= 0 {
			if seen&(1<<k) != 0 {
				s.dup = true
			} else {
				child = &n.children[k]
			}
			seen |= 1 << k
			next = k + 1
		}
		if i = s.space(end + 1); i >= len(s.b) || s.b[i] != ':' {
			return s.fail(event.NotJSON, i)
		}
		if i = s.value(s.space(i+1), child, depth); i < 0 {
			return -1
		}
		if i = s.space(i); i >= len(s.b) {
			return s.fail(event.NotJSON, i)
		}
		switch s.b[i] {
		case ',':
			i = s.space(i + 1)
		case '}':
			return i + 1
		default:
			return s.fail(event.NotJSON, i)
		}
	}
}

// key scans a key from after its opening quote; it returns the index of the
// closing one, or -1, and which child of n the key is, or -1. It looks first
// whether the key is the child at next.
func (s *scanner) key(i int, n *node, next int) (end, child int) {
	if n == nil || len(n.children) == 0 {
		end, _ = s.text(i)
		return end, -1
	}
	if next < len(n.children) {
		if c := &n.children[next]; c.plain {
			end = i + len(c.key)
			if end < len(s.b) && s.b[end] == '"' && string(s.b[i:end]) == c.key {
				return end, next
			}
		}
	}
	end, escaped := s.text(i)
	if end < 0 {
		return -1, -1
	}
	key := s.b[i:end]
	if escaped {
		s.unescaped = appendUnescaped(s.unescaped[:0], key)
		key = s.unescaped
	}
	return end, n.find(key, next)
}

// array scans the rest of an array, from after its bracket.
func (s *scanner) array(i int, n *node, depth int) int {
	if i = s.space(i); i < len(s.b) && s.b[i] == ']' {
		return i + 1
	}
	var elem *node
	var picks *picks
	if n != nil {
		elem, picks = n.elem, n.picks
	}
	for {
		i = s.space(i)
		if picks != nil && !s.pick(i, picks, depth) {
			return -1
		}
		if i = s.value(i, elem, depth); i < 0 {
			return -1
		}
		if i = s.space(i); i >= len(s.b) {
			return s.fail(event.NotJSON, i)
		}
		switch s.b[i] {
		case ',':
			i++
		case ']':
			return i + 1
		default:
			return s.fail(event.NotJSON, i)
		}
	}
}

// pick scans the element of an array that begins at i for each choice whose
// conditions it holds; false if it is refused.
func (s *scanner) pick(i int, p *picks, depth int) bool {
	for _, slot := range p.slots {
		s.slots[slot] = value{}
	}
	if s.value(i, &p.probe, depth) < 0 {
		return false
	}
	for k := range p.choices {
		c := &p.choices[k]
		if s.holds(c.where) && s.value(i, &c.node, depth) < 0 {
			return false
		}
	}
	return true
}

// holds reports whether all conditions hold of the values that were kept.
func (s *scanner) holds(where []condition) bool {
	for i := range where {
		v := s.slots[where[i].slot]
		switch {
		case v.kind <= null || v.kind >= object:
			return false
		case v.escaped:
			s.unescaped = appendUnescaped(s.unescaped[:0], s.b[v.lo:v.hi])
			if _, ok := where[i].equals.get(string(s.unescaped)); !ok {
				return false
			}
		default:
			if _, ok := where[i].equals.get(zerocopy.String(s.b[v.lo:v.hi])); !ok {
				return false
			}
		}
	}
	return true
}
