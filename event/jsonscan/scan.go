package jsonscan

import (
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/zerocopy"
)

// MaxKept is the size of buffers in bytes that a decoder keeps between calls;
// what a hostile value has blown up beyond it is given back.
const MaxKept = 1 << 20

// Kind is the type of a JSON value.
type Kind uint8

// The kinds.
const (
	absent Kind = iota // no such value
	Null
	Boolean
	Integer // a number without fraction and exponent
	Decimal // any other number
	Text
	Object
	Array
)

// Value is where a JSON value lies in the scanned bytes; of a text, without its
// quotes.
type Value struct {
	Lo, Hi  int
	Kind    Kind
	Escaped bool // a text that holds escapes
}

// Scanner walks a JSON text once, checks all of it against RFC 8259, and keeps
// the values at the paths of a pattern; what is not wanted is only checked. It
// builds no tree, so its memory is bounded by what the pattern asks for.
//
// A general parser was weighed. fastjson takes half as long again for parsing
// alone, and twice as long with the checks of grammar that it leaves to its
// caller (BenchmarkScan, BenchmarkFastJSON); it also keeps some 80 bytes for each
// value of a hostile input, and quotes the input in its errors.
type Scanner struct {
	B     []byte
	Slots []Value   // by slot: the first value at its path
	Lists [][]Value // by list: all values at its path, in order
	Dup   bool      // a key stood twice in one object

	unescaped []byte // scratch: a key
	pattern   *Pattern
	orders    []uint8 // by 2·id of a node its child that came first, by 2·id+1 the one that came after it, when last met
	fold      uint64  // what makes lower case of eight bytes of a key; 0 where its case counts

	Reason event.Reason // of the failure
	At     int          // where it was found
}

// Reset makes the scanner ready for a text and pattern.
func (s *Scanner) Reset(b []byte, p *Pattern) {
	s.B, s.Dup, s.fold = b, false, 0
	if p.Fold {
		s.fold = lower
	}
	if s.pattern != p {
		s.follow(p)
	}
	if cap(s.Slots) < p.Slots {
		s.Slots = make([]Value, p.Slots)
	}
	s.Slots = s.Slots[:p.Slots]
	clear(s.Slots)
	for len(s.Lists) < p.Lists {
		s.Lists = append(s.Lists, nil)
	}
	for i := range s.Lists {
		s.Lists[i] = s.Lists[i][:0]
	}
}

// follow begins anew to learn in which order a source writes its keys.
func (s *Scanner) follow(p *Pattern) {
	s.pattern = p
	s.orders = append(s.orders[:0], make([]uint8, 2*p.keys+2)...)
}

// GiveBack lets go of what a hostile text has blown up.
func (s *Scanner) GiveBack() {
	if cap(s.unescaped) > MaxKept {
		s.unescaped = nil
	}
	for i, l := range s.Lists {
		if cap(l) > 2*event.MaxRecords {
			s.Lists[i] = nil
		}
	}
}

// fail notes why the text is refused, and returns -1.
func (s *Scanner) fail(r event.Reason, at int) int {
	s.Reason, s.At = r, at
	return -1
}

// Document scans the whole text as one value of the pattern; false if it is
// refused.
func (s *Scanner) Document(p *Pattern) bool {
	i := s.Space(0)
	if i == len(s.B) {
		s.fail(event.Empty, -1)
		return false
	}
	if i = s.Value(i, &p.Root, 0); i < 0 {
		return false
	}
	if i = s.Space(i); i < len(s.B) {
		s.fail(event.NotJSON, i)
		return false
	}
	return true
}

// Space returns the first index from i on that is not white space.
func (s *Scanner) Space(i int) int {
	if i < len(s.B) && s.B[i] <= ' ' { // most documents have none
		return s.skip(i)
	}
	return i
}

// skip is Space where something may have to be skipped.
func (s *Scanner) skip(i int) int {
	for i < len(s.B) {
		switch s.B[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// Value scans the value that begins at i, and returns the index after it, or -1.
// n says what is wanted of it; nil is nothing. depth is that of what holds it.
func (s *Scanner) Value(i int, n *node, depth int) int {
	if i >= len(s.B) {
		return s.fail(event.NotJSON, i)
	}
	v := Value{Lo: i}
	switch c := s.B[i]; c {
	case '"':
		return s.textValue(i, n)
	case '{', '[':
		if depth == event.MaxDepth {
			return s.fail(event.TooDeep, i)
		}
		if c == '{' {
			v.Kind = Object
			i = s.object(i+1, n, depth+1)
		} else {
			v.Kind = Array
			i = s.array(i+1, n, depth+1)
		}
	case 't':
		v.Kind = Boolean
		i = s.literal(i, "true")
	case 'f':
		v.Kind = Boolean
		i = s.literal(i, "false")
	case 'n':
		v.Kind = Null
		i = s.literal(i, "null")
	default:
		i, v.Kind = s.number(i)
	}
	if i >= 0 && n != nil {
		v.Hi = i
		s.keep(n, v)
	}
	return i
}

// textValue is Value of a text.
func (s *Scanner) textValue(i int, n *node) int {
	end, escaped := s.text(i + 1)
	if end < 0 {
		return -1
	}
	if n != nil {
		s.keep(n, Value{i + 1, end, Text, escaped})
	}
	return end + 1
}

// keep stores a value for a node's slot and list. The first value that is not
// null counts for a slot.
func (s *Scanner) keep(n *node, v Value) {
	if n.Slot >= 0 && s.Slots[n.Slot].Kind <= Null {
		s.Slots[n.Slot] = v
	}
	if n.many && (v.Kind != Array || n.elem == nil) {
		s.alone(n, v)
	}
}

// alone keeps a value for a node's list, and for what is wanted of the elements of an array:
// what stands where one is looked for is its only element. Of an array whose elements are
// wanted, a list holds those. The value was scanned already: nothing here can fail.
func (s *Scanner) alone(n *node, v Value) {
	if n.list >= 0 {
		s.Lists[n.list] = append(s.Lists[n.list], v)
	}
	if e := n.elem; e != nil {
		if e.Slot >= 0 && s.Slots[e.Slot].Kind <= Null {
			s.Slots[e.Slot] = v
		}
		if e.list >= 0 && e.list != n.list {
			s.Lists[e.list] = append(s.Lists[e.list], v)
		}
		if v.Kind == Object && len(e.children) > 0 {
			s.object(v.Lo+1, e, 0)
		}
	}
	if n.picks != nil && v.Kind == Object {
		s.pick(v.Lo, n.picks, 0)
	}
}

// object scans the rest of an object, from after its brace.
func (s *Scanner) object(i int, n *node, depth int) int {
	if i = s.Space(i); i < len(s.B) && s.B[i] == '}' {
		return i + 1
	}
	if n != nil && len(n.children) == 0 {
		n = nil
	}
	b := s.B
	var seen uint64  // children met, by index
	var order *uint8 // of the key before; sources keep an order
	if n != nil {
		order = &s.orders[2*n.id]
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return s.fail(event.NotJSON, i)
		}
		end, k := s.key(i+1, n, order)
		if end < 0 {
			return -1
		}
		var child *node
		if k >= 0 {
			if seen&(1<<k) != 0 {
				s.Dup = true
			} else {
				child = &n.children[k]
			}
			seen |= 1 << k
			*order = uint8(k)
			order = &s.orders[2*n.children[k].id+1]
		} else if n != nil && n.deep {
			child = n.along(b[i+1 : end])
		}
		if i = end + 1; i < len(b) && b[i] != ':' {
			i = s.Space(i)
		}
		if i >= len(b) || b[i] != ':' {
			return s.fail(event.NotJSON, i)
		}
		if i = s.Space(i + 1); i < len(b) && b[i] == '"' { // most values are texts
			i = s.textValue(i, child)
		} else {
			i = s.Value(i, child, depth)
		}
		if i < 0 {
			return -1
		}
		if i < len(b) && b[i] == ',' && i+1 < len(b) && b[i+1] == '"' { // no space around
			i++
			continue
		}
		if i = s.Space(i); i >= len(b) {
			return s.fail(event.NotJSON, i)
		}
		switch b[i] {
		case ',':
			i = s.Space(i + 1)
		case '}':
			return i + 1
		default:
			return s.fail(event.NotJSON, i)
		}
	}
}

// array scans the rest of an array, from after its bracket.
func (s *Scanner) array(i int, n *node, depth int) int {
	if i = s.Space(i); i < len(s.B) && s.B[i] == ']' {
		return i + 1
	}
	var elem *node
	var picks *picks
	if n != nil {
		elem, picks = n.elem, n.picks
	}
	for {
		i = s.Space(i)
		if picks != nil && !s.pick(i, picks, depth) {
			return -1
		}
		if i = s.Value(i, elem, depth); i < 0 {
			return -1
		}
		if i = s.Space(i); i >= len(s.B) {
			return s.fail(event.NotJSON, i)
		}
		switch s.B[i] {
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
func (s *Scanner) pick(i int, p *picks, depth int) bool {
	for _, slot := range p.slots {
		s.Slots[slot] = Value{}
	}
	if s.Value(i, &p.probe, depth) < 0 {
		return false
	}
	for k := range p.choices {
		c := &p.choices[k]
		if s.holds(c.where) && s.Value(i, &c.node, depth) < 0 {
			return false
		}
	}
	return true
}

// holds reports whether all conditions hold of the values that were kept.
func (s *Scanner) holds(where []Condition) bool {
	for i := range where {
		v := s.Slots[where[i].Slot]
		switch {
		case v.Kind <= Null || v.Kind >= Object:
			return false
		case v.Escaped:
			s.unescaped = AppendUnescaped(s.unescaped[:0], s.B[v.Lo:v.Hi])
			if !where[i].Equals.Has(string(s.unescaped)) {
				return false
			}
		default:
			if !where[i].Equals.Has(zerocopy.String(s.B[v.Lo:v.Hi])) {
				return false
			}
		}
	}
	return true
}

// ScalarAt returns the value that begins at an index of b, which has been scanned
// already: of a text its kind and place, of any other value its place alone.
func (s *Scanner) ScalarAt(b []byte, at int) Value {
	s.B = b
	v := Value{Lo: at}
	if b[at] != '"' {
		v.Hi = s.Value(at, nil, 0)
		return v
	}
	v.Kind = Text
	v.Lo++
	v.Hi, v.Escaped = s.text(v.Lo)
	return v
}
