package detectors

import "encoding/binary"

// maxVisits is how many active bins are kept at most: two days of hours.
const maxVisits = 48

// visit is one recent bin in which the identity had a count.
type visit struct {
	bin    uint32 // index of the bin
	counts [NumMeasures]uint64
}

// history is the unpacked form of State.recent. Packed it is a sequence of
// varints, three a visit (bin, as the distance from the one before; counts),
// oldest first; so four to seven bytes a visit.
type history struct {
	n      int
	visits [maxVisits + 1]visit
}

// read unpacks what append packed. Packed histories hold at most the capacity
// of h: State.remember sees to it.
func (h *history) read(b []byte) {
	h.n = 0
	bin := uint32(0)
	for len(b) > 0 {
		gap, n := binary.Uvarint(b)
		b = b[n:]
		bin += uint32(gap)
		v := &h.visits[h.n]
		v.bin = bin
		for m := range v.counts {
			v.counts[m], n = binary.Uvarint(b)
			b = b[n:]
		}
		h.n++
	}
}

// decode reads n visits from an encoded state.
func (h *history) decode(r *reader) {
	n := r.uvarint()
	if n > maxVisits {
		r.fail()
	}
	var bin uint64
	for i := 0; i < int(n) && !r.bad; i++ {
		gap := r.uvarint()
		if i > 0 && gap == 0 {
			r.fail()
		}
		bin += gap
		if gap > 1<<32-2 || bin > 1<<32-2 {
			r.fail()
		}
		v := visit{bin: uint32(bin)}
		for m := range v.counts {
			v.counts[m] = r.uvarint()
			if v.counts[m] > maxCount {
				r.fail()
			}
		}
		h.visits[i] = v
		h.n = i + 1
	}
}

// append packs the history after b.
func (h *history) append(b []byte) []byte {
	bin := uint32(0)
	for _, v := range h.visits[:h.n] {
		b = binary.AppendUvarint(b, uint64(v.bin-bin))
		bin = v.bin
		for _, c := range v.counts {
			b = binary.AppendUvarint(b, c)
		}
	}
	return b
}

// prune forgets visits before the bin from, and the oldest beyond maxVisits.
func (h *history) prune(from uint32) {
	drop := max(0, h.n-maxVisits)
	for drop < h.n && h.visits[drop].bin < from {
		drop++
	}
	copy(h.visits[:], h.visits[drop:h.n])
	h.n -= drop
}

// add puts counts into the visit of a bin, making one in its place if there is
// none.
func (h *history) add(bin uint32, c Counts) {
	i := h.n
	for i > 0 && h.visits[i-1].bin >= bin {
		i--
	}
	if i == h.n || h.visits[i].bin != bin {
		copy(h.visits[i+1:h.n+1], h.visits[i:h.n])
		h.visits[i] = visit{bin: bin}
		h.n++
	}
	for m := range c {
		v := &h.visits[i].counts[m]
		*v = min(*v+uint64(c[m]), maxCount)
	}
}

// counts returns what the visit of a bin holds, zeros if there is none.
func (h *history) counts(bin uint32) Counts {
	for i := h.n - 1; i >= 0; i-- {
		if h.visits[i].bin == bin {
			return h.visits[i].asCounts()
		}
	}
	return Counts{}
}

func (v *visit) asCounts() (c Counts) {
	for m := range c {
		c[m] = float64(v.counts[m])
	}
	return c
}

// oldestKept returns the first bin that is still kept when last is the last
// closed one.
func (e *Engine) oldestKept(last uint32) uint32 {
	if last < e.keep {
		return 0
	}
	return last - e.keep
}

// remember notes an active bin, which is the newest.
func (e *Engine) remember(s *State, bin uint32, c Counts) {
	var h history
	h.read(s.recent)
	h.prune(e.oldestKept(bin))
	h.add(bin, c)
	h.prune(e.oldestKept(bin))
	s.recent = h.append(s.recent[:0])
}
