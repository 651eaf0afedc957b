package score

import (
	"encoding/binary"

	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/internal/wire"
)

// maxVisits is how many active bins are kept at most: two days of hours.
const maxVisits = 48

// visit is one recent bin in which the identity had a count.
type visit struct {
	bin    uint32 // index of the bin
	taught uint8  // what it taught, 1 to 4 quarters; see taught in learn.go
	counts [fleet.NumMeasures]uint64
}

// history is the unpacked form of State.recent. Packed it is a sequence of
// visits (see appendVisit), oldest first, so four to seven bytes a visit; and at
// the end the bin of the newest and the number of visits, so that one can be
// added without reading all.
type history struct {
	n      int
	visits [maxVisits + 1]visit
}

// trailer is the size of what ends a packed history.
const trailer = 5

// appendVisit packs one visit: as varints a number made of the distance of its bin
// from the one before, of the quarters that it did not teach (two bits) and of
// whether there are counts other than those of the core (the lowest bit); the
// core's counts; then a byte with a bit for each other measure that is above
// zero, and their counts.
func appendVisit(b []byte, gap uint32, taught uint8, counts *[fleet.NumMeasures]uint64) []byte {
	var mask byte
	for m := fleet.NumCore; m < int(fleet.NumMeasures); m++ {
		if counts[m] > 0 {
			mask |= 1 << (m - fleet.NumCore)
		}
	}
	head := uint64(gap)<<visitBits | uint64(quarters-taught)<<1
	if mask != 0 {
		head |= 1
	}
	b = binary.AppendUvarint(b, head)
	for _, c := range counts[:fleet.NumCore] {
		b = binary.AppendUvarint(b, c)
	}
	if mask == 0 {
		return b
	}
	b = append(b, mask)
	for m := fleet.NumCore; m < int(fleet.NumMeasures); m++ {
		if counts[m] > 0 {
			b = binary.AppendUvarint(b, counts[m])
		}
	}
	return b
}

// visitBits is how many bits below the distance say something else.
const visitBits = 3

// readVisit reads what appendVisit wrote but for the bin, and returns the distance.
func readVisit(r *wire.Reader, v *visit) (gap uint64) {
	head := r.Uvarint()
	v.taught = quarters - uint8(head>>1&(quarters-1))
	v.counts = [fleet.NumMeasures]uint64{}
	counts := &v.counts
	for m := range counts[:fleet.NumCore] {
		counts[m] = readCount(r)
	}
	if head&1 == 0 {
		return head >> visitBits
	}
	mask := r.Byte()
	if mask == 0 || mask>>(int(fleet.NumMeasures)-fleet.NumCore) != 0 {
		r.Fail("counts of measures that there are not")
	}
	for m := fleet.NumCore; m < int(fleet.NumMeasures); m++ {
		if mask>>(m-fleet.NumCore)&1 == 0 {
			continue
		}
		if counts[m] = readCount(r); counts[m] == 0 {
			r.Fail("a count of zero that need not be told")
		}
	}
	return head >> visitBits
}

// readCount reads one count of a visit.
func readCount(r *wire.Reader) uint64 {
	v := r.Uvarint()
	if v > fleet.MaxCount {
		r.Fail("a count too large")
	}
	return v
}

// read unpacks what pack packed.
func (h *history) read(b []byte) {
	h.n = 0
	if len(b) == 0 {
		return
	}
	bin := uint32(0)
	for r := wire.NewReader(b[:len(b)-trailer]); r.Len() > 0; h.n++ {
		v := &h.visits[h.n]
		bin += uint32(readVisit(&r, v))
		v.bin = bin
	}
}

// pack packs the history into the memory of b.
func (h *history) pack(b []byte) []byte {
	if h.n == 0 {
		return b[:0]
	}
	b = h.append(b[:0])
	b = binary.LittleEndian.AppendUint32(b, h.visits[h.n-1].bin)
	return append(b, byte(h.n))
}

// decode reads n visits from an encoded state.
func (h *history) decode(r *wire.Reader) {
	var bin uint64
	for i := range r.CountUpTo(maxVisits) {
		if r.Err() != nil {
			return
		}
		v := &h.visits[i]
		gap := readVisit(r, v)
		if i > 0 && gap == 0 {
			r.Fail("two visits in one bin")
		}
		bin += gap
		if gap > 1<<32-2 || bin > 1<<32-2 {
			r.Fail("a visit after the end of time")
		}
		v.bin = uint32(bin)
		h.n = i + 1
	}
}

// append packs the history after b.
func (h *history) append(b []byte) []byte {
	bin := uint32(0)
	for i := range h.visits[:h.n] {
		v := &h.visits[i]
		b = appendVisit(b, v.bin-bin, v.taught, &v.counts)
		bin = v.bin
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
// none: one that taught what the silence there did.
func (h *history) add(bin uint32, c fleet.Counts) {
	i := h.n
	for i > 0 && h.visits[i-1].bin >= bin {
		i--
	}
	if i == h.n || h.visits[i].bin != bin {
		taught := h.taught(bin)
		copy(h.visits[i+1:h.n+1], h.visits[i:h.n])
		h.visits[i] = visit{bin: bin, taught: taught}
		h.n++
	}
	for m := range c {
		v := &h.visits[i].counts[m]
		*v = min(*v+uint64(c[m]), fleet.MaxCount)
	}
}

// counts returns what the visit of a bin holds, zeros if there is none.
func (h *history) counts(bin uint32) fleet.Counts {
	for i := h.n - 1; i >= 0; i-- {
		if h.visits[i].bin == bin {
			return h.visits[i].asCounts()
		}
	}
	return fleet.Counts{}
}

// taught returns what a bin taught, in quarters: of a silent bin, what the visit
// before it did.
func (h *history) taught(bin uint32) uint8 {
	for i := h.n - 1; i >= 0; i-- {
		if h.visits[i].bin <= bin {
			return h.visits[i].taught
		}
	}
	return quarters
}

func (v *visit) asCounts() (c fleet.Counts) {
	for m := range c {
		c[m] = float64(v.counts[m])
	}
	return c
}

// oldestKept returns the first bin that is still kept when last is the last
// closed one.
func (e *Engine) oldestKept(last uint32) uint32 {
	if last < e.KeptBins {
		return 0
	}
	return last - e.KeptBins
}

// lastVisit returns the bin of the newest visit of a packed history that is not
// empty.
func lastVisit(b []byte) uint32 { return binary.LittleEndian.Uint32(b[len(b)-trailer:]) }

// remember notes an active bin, which is the newest, in place.
func (e *Engine) remember(s *State, bin uint32, taught uint8, c *fleet.Counts) {
	b := s.recent
	newest, n := uint32(0), 0
	if len(b) > 0 {
		newest = lastVisit(b)
		n = int(b[len(b)-1])
		b = b[:len(b)-trailer]
	}
	for from := e.oldestKept(bin); n > 0; n-- {
		oldest, _ := binary.Uvarint(b)
		if n < maxVisits && uint32(oldest>>visitBits) >= from {
			break
		}
		b = dropOldest(b)
	}
	if n == 0 {
		b, newest = b[:0], 0
	}
	var counts [fleet.NumMeasures]uint64
	for m, v := range c {
		counts[m] = uint64(v)
	}
	b = appendVisit(b, bin-newest, taught, &counts)
	b = binary.LittleEndian.AppendUint32(b, bin)
	s.recent = append(b, byte(n+1))
}

// dropOldest removes the first visit of a packed history without its trailer.
// The second one's bin, until now a distance, is written in full: it never
// takes more room than the visit that goes.
func dropOldest(b []byte) []byte {
	r := wire.NewReader(b)
	var oldest visit
	bin := readVisit(&r, &oldest)
	if r.Len() == 0 {
		return b[:0]
	}
	next := r.Uvarint()
	rest := r.Rest()
	n := binary.PutUvarint(b, next+bin<<visitBits)
	return b[:n+copy(b[n:], rest)]
}
