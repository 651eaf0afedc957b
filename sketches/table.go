package sketches

import "math/bits"

// Table holds the windows, at StatePrecision, of very many identities, most of
// them small, keyed by a 64-bit hash of the identity. Two of a million share a
// key in one of 40 million tables, if the hash is keyed; if it is not, they can
// be made to.
//
// Lists lie in an arena of large pieces, so that a million identities are some
// hundreds of objects to the garbage collector, and one of five records takes
// 70 to 130 bytes in all, by the order in which records come. A window that
// becomes a matrix is an object of its own. Memory that is freed is used again
// by the table, but never given back before the table itself is.
//
// What a table holds is that of a map of windows under the same operations. The
// zero value is empty and ready for use; do not copy one after first use.
type Table struct {
	slots    []slot // open addressing, linear probing; a power of two of them
	count    int
	arena    arena
	matrices []*matrix
	unused   []uint32 // places in matrices that are free
}

// slot says where the window of a key is. An empty slot has no block, and no
// window is empty.
type slot struct {
	key   uint64
	block uint32 // a blockID, or a place in matrices and one more; 0 if the slot is empty
	len   uint16 // entries of the list
	class uint8  // of the block, or isMatrix
}

const isMatrix = 0xff

// Len returns how many identities have a window that is not empty.
func (t *Table) Len() int { return t.count }

// Bytes returns the memory that the table takes.
func (t *Table) Bytes() int {
	n := 16*cap(t.slots) + t.arena.bytes() + 8*cap(t.matrices) + 4*cap(t.unused)
	for _, m := range t.matrices {
		if m != nil {
			n += m.bytes()
		}
	}
	return n
}

// Get returns the window of a key, to be read only and until the table is next
// changed. It is empty if the key has none; ok tells.
func (t *Table) Get(key uint64) (w Window, ok bool) {
	if i, found := t.find(key); found {
		return t.load(&t.slots[i]), true
	}
	return Window{}, false
}

// Update has f change the window of a key, empty if it had none. f must not use
// the table, nor keep the window. A window that is empty afterwards is forgotten.
func (t *Table) Update(key uint64, f func(w *Window)) {
	if t.count >= len(t.slots)-len(t.slots)/8 {
		t.grow()
	}
	i, found := t.find(key)
	s := &t.slots[i]
	if !found {
		var w Window
		if f(&w); !w.Empty() {
			s.key = key
			t.count++
			t.store(s, &w)
		}
		return
	}
	w := t.load(s)
	if f(&w); w.Empty() {
		t.drop(i)
		return
	}
	t.store(s, &w)
}

// Insert records a touch: it is Update with Window.Insert.
func (t *Table) Insert(key, hash uint64, minute uint32) {
	if i, ok := t.find(key); ok {
		if s := &t.slots[i]; s.class == isMatrix {
			t.matrices[s.block-1].insert(NewEntry(hash, minute))
			return
		} else if int(s.len) < classSize(s.class) {
			list, _ := insertRecord(t.list(s), NewEntry(hash, minute))
			s.len = uint16(len(list))
			return
		}
	}
	t.Update(key, func(w *Window) { w.Insert(hash, minute) })
}

// Expire forgets, of all identities, the records last seen before the given
// minute. See Window.Expire.
func (t *Table) Expire(before uint32) {
	var empty []uint64
	for i := range t.slots {
		s := &t.slots[i]
		if s.block == 0 {
			continue
		}
		w := t.load(s)
		if w.Expire(before); w.Empty() {
			empty = append(empty, s.key)
			continue
		}
		t.store(s, &w)
	}
	for _, key := range empty {
		i, _ := t.find(key)
		t.drop(i)
	}
}

// All calls yield with each key and its window, in no order to rely on, until
// yield returns false. The window is to be read only; the table must not be
// changed meanwhile.
func (t *Table) All(yield func(key uint64, w *Window) bool) {
	for i := range t.slots {
		if s := &t.slots[i]; s.block != 0 {
			if w := t.load(s); !yield(s.key, &w) {
				return
			}
		}
	}
}

// home is where a key's slot is looked for first. Keys are hashes, but need not
// be good ones: their bits are mixed (Fibonacci hashing: Knuth, volume 3, 6.4).
func (t *Table) home(key uint64) int {
	return int(key * 0x9e3779b97f4a7c15 >> (64 - bits.TrailingZeros(uint(len(t.slots)))))
}

// find returns the slot of a key, or else the empty one where it belongs.
func (t *Table) find(key uint64) (i int, ok bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	for i = t.home(key); t.slots[i].block != 0; i = (i + 1) & (len(t.slots) - 1) {
		if t.slots[i].key == key {
			return i, true
		}
	}
	return i, false
}

func (t *Table) grow() {
	old := t.slots
	t.slots = make([]slot, max(16, 2*len(old)))
	for _, s := range old {
		if s.block != 0 {
			i, _ := t.find(s.key)
			t.slots[i] = s
		}
	}
}

// drop forgets the window of a slot, and moves up those that had to pass it.
func (t *Table) drop(i int) {
	t.free(&t.slots[i])
	mask := len(t.slots) - 1
	for next := (i + 1) & mask; t.slots[next].block != 0; next = (next + 1) & mask {
		if home := t.home(t.slots[next].key); (next-home)&mask >= (next-i)&mask {
			t.slots[i] = t.slots[next]
			i = next
		}
	}
	t.slots[i] = slot{}
	t.count--
}

// list returns the list of a slot, with room up to the end of its block.
func (t *Table) list(s *slot) []Entry {
	return t.arena.block(blockID(s.block), s.class)[:s.len]
}

// load returns the window of a slot. It may be changed, and must then be stored.
func (t *Table) load(s *slot) Window {
	if s.class == isMatrix {
		m := t.matrices[s.block-1]
		return Window{matrix: m}
	}
	return Window{list: t.list(s)}
}

// store puts a window, not empty, into the slot that it came from.
func (t *Table) store(s *slot, w *Window) {
	w.coarsen(StatePrecision)
	switch {
	case w.matrix != nil:
		if s.block != 0 && s.class == isMatrix {
			t.matrices[s.block-1] = w.matrix
			return
		}
		t.free(s)
		if n := len(t.unused); n > 0 {
			s.block = t.unused[n-1] + 1
			t.unused = t.unused[:n-1]
		} else {
			t.matrices = append(t.matrices, nil)
			s.block = uint32(len(t.matrices))
		}
		s.class, s.len = isMatrix, 0
		t.matrices[s.block-1] = w.matrix
	default:
		n := len(w.list)
		class := classOf(n)
		if s.block == 0 || s.class == isMatrix || s.class < class || s.class > class+2 {
			id := t.arena.alloc(class)
			copy(t.arena.block(id, class), w.list)
			t.free(s)
			s.block, s.class = uint32(id), class
		} else if block := t.arena.block(blockID(s.block), s.class); &block[0] != &w.list[0] {
			copy(block, w.list)
		}
		s.len = uint16(n)
	}
}

// free gives back what a slot holds.
func (t *Table) free(s *slot) {
	switch {
	case s.block == 0:
	case s.class == isMatrix:
		t.matrices[s.block-1] = nil
		t.unused = append(t.unused, s.block-1)
	default:
		t.arena.release(blockID(s.block), s.class)
	}
	s.block = 0
}
