// Package numbering gives what comes again and again a number, and finds the number
// by a hash. It does what a map does with less memory and fewer steps: what belongs
// to a number stands in lists of those who number.
package numbering

// Index finds numbers by 32 bits of a hash. Who asks tells whether a number is the
// right one. The zero value is ready for use.
type Index struct {
	slots []slot // a power of two; at most half are taken
	taken int
}

type slot struct {
	hash   uint32
	number int32 // plus one; 0: the slot is free
}

// leastSlots is how many slots an index has once anything is in it.
const leastSlots = 64

// Find returns the number of a hash for which is holds.
func (x *Index) Find(hash uint32, is func(number int32) bool) (number int32, ok bool) {
	if x.taken == 0 {
		return 0, false
	}
	mask := uint32(len(x.slots) - 1)
	for i := hash & mask; x.slots[i].number != 0; i = (i + 1) & mask {
		if s := x.slots[i]; s.hash == hash && is(s.number-1) {
			return s.number - 1, true
		}
	}
	return 0, false
}

// Add adds a number, which must not be in the index.
func (x *Index) Add(hash uint32, number int32) {
	if 2*x.taken >= len(x.slots) {
		old := x.slots
		x.slots = make([]slot, max(leastSlots, 2*len(old)))
		for _, s := range old {
			if s.number != 0 {
				x.put(s)
			}
		}
	}
	x.taken++
	x.put(slot{hash, number + 1})
}

func (x *Index) put(s slot) {
	mask := uint32(len(x.slots) - 1)
	i := s.hash & mask
	for x.slots[i].number != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = s
}

// Clear empties the index; the memory is used again, unless far less of it was used.
func (x *Index) Clear() {
	if len(x.slots) > 16*x.taken+leastSlots {
		x.slots = nil
	}
	clear(x.slots)
	x.taken = 0
}
