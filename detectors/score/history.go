package score

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Two things are remembered of single bins. Of everybody the counts of the open day
// and of the two before, in some four bytes a bin with work, so that late counts can
// be judged in their own bin; of whoever stands out those since some days before, so
// that it can be dated. Of an identity that stands out, a Point for each bin,
// for 30 days.

// keptDays is how many days before a day its bins are kept.
const keptDays = 2

// Point is one bin of an identity that is watched.
type Point struct {
	Bin      uint32
	Counts   [NumMeasures]float32
	Expected [2]float32         // of Distinct and FirstTouch, in a bin with work
	Log      [NumGroups]float32 // evidence of the groups
}

// PointBytes is the size of a Point as it is kept, and mostPoints how many there
// are at the most: 30 days of hourly bins, 38 kB.
const (
	PointBytes = 4 + 4*int(NumMeasures) + 8 + 4*int(NumGroups)
	mostPoints = 720
	watchDays  = 30
)

// visit is a bin with work.
type visit struct {
	bin uint32
	c   Counts
}

// visitRoom is room for the bins of most identities that are watched.
type visitRoom [96]visit

// remember adds a closed bin, which is after all others, and forgets what is old.
func (s *State) remember(e *Engine, at uint32, c *Counts) {
	if len(s.recent) > 0 && float64(at-s.before) > (keptDays+1)*e.perDay {
		if oldest := min(e.oldest(at), s.dated(e, at)); s.before < oldest {
			s.forget(oldest)
		}
	}
	if len(s.recent) == 0 {
		s.before = at - min(at, 1)
		s.recent = appendVisit(s.recent, s.before, at, c)
		s.lastWork = at
		return
	}
	s.recent = appendVisit(s.recent, s.lastWork, at, c)
	s.lastWork = at
}

// dated returns since when bins are kept to date what stands out: some days before it
// does, 30 at the most.
func (s *State) dated(e *Engine, at uint32) uint32 {
	back := func(from uint32, days float64) uint32 { return from - min(from, uint32(days*e.perDay)) }
	return max(back(s.rise, keptDays+1), back(at, watchDays))
}

// oldest returns the first bin that is kept on the day of a bin.
func (e *Engine) oldest(at uint32) uint32 {
	day := e.Day(int64(at))
	width := int64(e.perDay)
	from := max(int64(at)-(keptDays+1)*width-1, 0)
	for e.Day(from) < day-keptDays {
		from++
	}
	return uint32(from)
}

// forget drops the bins before oldest, in place: of the first that stays only the distance
// to the one before is written anew.
func (s *State) forget(oldest uint32) {
	bin := s.before
	for b := s.recent; len(b) > 0; {
		step, n := binary.Uvarint(b)
		if bin += uint32(step); bin >= oldest {
			s.before = bin - min(bin, 1)
			s.recent = append(binary.AppendUvarint(s.recent[:0], uint64(bin-s.before)), b[n:]...)
			return
		}
		mask := b[n]
		b = b[n+1:]
		for range bits.OnesCount8(mask) {
			_, n = binary.Uvarint(b)
			b = b[n:]
		}
	}
	s.recent = nil
}

// appendVisit appends a bin as the distance to the last, a mask of the measures
// that are not zero, and their counts.
func appendVisit(b []byte, last, at uint32, c *Counts) []byte {
	b = binary.AppendUvarint(b, uint64(at-last))
	mask := byte(0)
	for m, n := range c {
		if n > 0 {
			mask |= 1 << m
		}
	}
	b = append(b, mask)
	for _, n := range c {
		if n > 0 {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}
	return b
}

// eachVisit hands over the bins in order. What was written reads back.
func eachVisit(b []byte, before uint32, yield func(visit)) bool {
	v := visit{bin: before}
	for len(b) > 0 {
		step, n := binary.Uvarint(b)
		if n <= 0 || n >= len(b) || step > 1<<31 {
			return false
		}
		v.bin += uint32(step)
		mask := b[n]
		b = b[n+1:]
		v.c = Counts{}
		if bits.Len8(mask) > int(NumMeasures) {
			return false
		}
		for m := range v.c {
			if mask&(1<<m) == 0 {
				continue
			}
			x, n := binary.Uvarint(b)
			if n <= 0 {
				return false
			}
			v.c[m], b = float64(x), b[n:]
		}
		yield(v)
	}
	return true
}

// visits returns the bins that are kept.
func (s *State) visits() (out []visit) {
	eachVisit(s.recent, s.before, func(v visit) { out = append(out, v) })
	return out
}

// keep replaces the bins that are kept.
func (s *State) keep(all []visit) {
	s.recent, s.before = nil, 0
	for i := range all {
		if i == 0 {
			s.before = all[0].bin - min(all[0].bin, 1)
			s.recent = appendVisit(nil, s.before, all[0].bin, &all[0].c)
			continue
		}
		s.recent = appendVisit(s.recent, all[i-1].bin, all[i].bin, &all[i].c)
	}
	if len(all) > 0 {
		s.lastWork = max(s.lastWork, all[len(all)-1].bin)
	}
}

// Counted returns what was counted in a closed bin, as far as it is kept.
func (s *State) Counted(bin int64) (c Counts) {
	at := clampBin(bin)
	eachVisit(s.recent, s.before, func(v visit) {
		if v.bin == at {
			c = v.c
		}
	})
	return c
}

// Since hands over the closed bins from a bin on, as far as they are kept: three days,
// or 30 of an identity that is watched.
func (s *State) Since(bin int64, yield func(*Counts)) {
	var room visitRoom
	all := s.known(room[:])
	for i := range all {
		if v := &all[i]; int64(v.bin) >= bin {
			yield(&v.c)
		}
	}
}

// watch notes a bin of an identity that stands out, or did in the last 30 days.
func (s *State) watch(e *Engine, at uint32, c *Counts, ev *Evidence) {
	if len(s.points) == 0 && !ev.Candidate() {
		return
	}
	if !ev.Candidate() && !c.any() {
		return
	}
	p := Point{Bin: at, Expected: s.pace}
	for m, n := range c {
		p.Counts[m] = float32(n)
	}
	for g, x := range ev.Groups {
		p.Log[g] = float32(x)
	}
	s.points = append(s.points, p)
	oldest := at - min(at, uint32(watchDays*e.perDay))
	drop := 0
	for drop < len(s.points) && (s.points[drop].Bin < oldest || len(s.points)-drop > mostPoints) {
		drop++
	}
	s.points = slices.Delete(s.points, 0, drop)
	if !ev.Candidate() && s.calm() {
		s.points = nil
	}
}

// calm reports whether nothing has stood out for so long that it is forgotten.
func (s *State) calm() bool {
	for _, h := range s.high {
		if h > 0 {
			return false
		}
	}
	return true
}

// History returns what is kept of a watched identity, the oldest first. It is the
// state's own and must not be written to.
func (s *State) History() []Point { return s.points }
