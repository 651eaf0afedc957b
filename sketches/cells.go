package sketches

// cells is a sorted list of packed cells, rank<<p | register and minute, of
// which 45 bits are in use: three words of 16 bits each, the highest first,
// where an Entry would take four.
type cells []uint16

const cellWords = 3

func (c cells) len() int { return len(c) / cellWords }

func (c cells) at(i int) Entry {
	w := c[cellWords*i : cellWords*i+cellWords : cellWords*i+cellWords]
	return Entry(w[0])<<32 | Entry(w[1])<<16 | Entry(w[2])
}

func (c cells) set(i int, e Entry) {
	w := c[cellWords*i : cellWords*i+cellWords : cellWords*i+cellWords]
	w[0], w[1], w[2] = uint16(e>>32), uint16(e>>16), uint16(e)
}

// slice returns the cells i to j-1, in the same memory.
func (c cells) slice(i, j int) cells { return c[cellWords*i : cellWords*j] }

// search returns the first position whose key is at least key.
func (c cells) search(key uint64) int {
	want := Entry(key << minuteBits)
	lo, n := 0, c.len()
	for n > 0 {
		half := n >> 1
		if c.at(lo+half) < want {
			lo += half + 1
			n -= half + 1
		} else {
			n = half
		}
	}
	return lo
}

// entries appends the cells, unpacked, to out.
func (c cells) entries(out []Entry) []Entry {
	for i := range c.len() {
		out = append(out, c.at(i))
	}
	return out
}

// grow returns the cells with room for extra more, growing as grow does.
func (c cells) grow(extra int) cells {
	if need := len(c) + cellWords*extra; need > cap(c) {
		return append(make(cells, 0, max(need, len(c)+len(c)/8)), c...)
	}
	return c
}

// shrunk returns the cells, moved to memory of their size if they waste more
// than half.
func (c cells) shrunk() cells {
	switch {
	case len(c) == 0:
		return nil
	case cap(c) > 8*cellWords && len(c) <= cap(c)/2:
		return append(make(cells, 0, len(c)), c...)
	}
	return c
}

// insert puts in one cell, keeping the later minute, and reports whether its
// key is new.
func (c cells) insert(e Entry) (cells, bool) {
	i := c.search(e.key())
	if i < c.len() && c.at(i).key() == e.key() {
		c.set(i, max(c.at(i), e))
		return c, false
	}
	c = c.grow(1)
	c = c[:len(c)+cellWords]
	copy(c[cellWords*(i+1):], c[cellWords*i:])
	c.set(i, e)
	return c, true
}

// union merges a block, sorted and distinct, into c.
func (c cells) union(block []Entry) cells {
	if gallops(len(block), c.len()) {
		return c.unionFew(block)
	}
	all := c.entries(make([]Entry, 0, c.len()+len(block)))
	all = union(all, block, missing(all, block))
	c = c.grow(len(all) - c.len())[:cellWords*len(all)]
	for i, e := range all {
		c.set(i, e)
	}
	return c
}

// unionFew is union for a block that is much smaller than c: it looks up each
// place, and moves stretches of c and not single cells.
func (c cells) unionFew(block []Entry) cells {
	added := 0
	for _, e := range block {
		if i := c.search(e.key()); i == c.len() || c.at(i).key() != e.key() {
			added++
		}
	}
	i := c.len()
	out := i + added
	c = c.grow(added)
	c = c[:cellWords*out]
	for j := len(block) - 1; j >= 0; j-- {
		at := c.slice(0, i).search(block[j].key() + 1)
		out -= i - at
		copy(c.slice(out, out+i-at), c.slice(at, i))
		i = at
		out--
		if i > 0 && c.at(i-1).key() == block[j].key() {
			i--
			c.set(out, max(c.at(i), block[j]))
		} else {
			c.set(out, block[j])
		}
	}
	return c
}

// expire drops cells older than before, in place.
func (c cells) expire(before uint32) cells {
	n := 0
	for i := range c.len() {
		if e := c.at(i); e.minute() >= before {
			c.set(n, e)
			n++
		}
	}
	return c.slice(0, n)
}
