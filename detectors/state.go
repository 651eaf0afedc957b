package detectors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// State is what is known of one identity in one dimension. Its zero value is an
// identity never seen. It takes 128 bytes, a few more for each active bin of
// the last two days, and 248 more for the hours of an identity that is active
// enough to have its own. It is copied only by the package itself: profile and
// recent are shared by copies.
type State struct {
	// stat are the Shiryaev-Roberts statistics, linear.
	stat [numCore][NumRates]float32
	// count and exposure are decayed sums of learned counts and of the factors
	// (shape × mode) under which they came: their ratio is the own level.
	count, exposure [numCore]float32
	// excess and square are decayed sums of (c-μ)²-c and μ²: their ratio
	// estimates 1/k, the over-dispersion.
	excess, square [numCore]float32
	active         float32 // decayed number of bins with a count
	peak           float32 // the largest log evidence of late, falling by Engine.peakFall a bin
	first, last    uint32  // first and last closed bin, plus one
	rise           uint32  // bin since which the evidence has been above nothing, plus one
	busy           bool    // the last closed bin had a count
	profile        *profile
	recent         []byte // visits, see history.go
}

// cells is the number of cells of an identity's own hours: 24 of a working
// day, 24 of a weekend day.
const cells = 48

// profile is an identity's own hours: in each cell the mean of count over
// level, and on how many bins it rests (at most profileMemory).
type profile struct {
	mean    [cells]float32
	n       [cells]uint8
	follows float32 // how far they follow the shared shape: 1 wholly, 0 not at all
}

// observe takes in one bin of a cell: x is its count over the level.
func (p *profile) observe(cell int, x float64) {
	if p.n[cell] < profileMemory {
		p.n[cell]++
	}
	p.mean[cell] += float32((x - float64(p.mean[cell])) / float64(p.n[cell]))
}

// compare estimates how far the own hours follow the shared ones, as the slope
// of a regression through (1, 1) that starts from wholly. It tells a service
// that works around the clock among people in offices within a day, where its
// own hours take weeks.
func (p *profile) compare(d *Dimension) {
	above, square := followsPrior, followsPrior
	for i, n := range p.n {
		if n == 0 {
			continue
		}
		x := d.typical(i) - 1
		above += float64(n) * x * (float64(p.mean[i]) - 1)
		square += float64(n) * x * x
	}
	p.follows = float32(min(max(above/square, 0), 1))
}

// followsPrior is the weight of the assumption that hours follow the shared
// ones, in hours that differ from the mean by a factor of two.
const followsPrior = 4.0

// profileMemory bounds how many bins of one cell are remembered; older ones
// fade geometrically. 20 working days are four weeks.
const profileMemory = 20

// profileMin is the (decayed) number of records from which an identity keeps
// its own hours; below it, they would be noise.
const profileMin = 32

// cell returns the cell of an hour of the week.
func cell(hour int) int {
	if hour >= 5*24 {
		return 24 + hour%24
	}
	return hour % 24
}

// Seen reports whether any bin of the identity has been closed.
func (s *State) Seen() bool { return s.last != 0 }

// LastBin returns the index of the last closed bin, -1 if there is none.
func (s *State) LastBin() int64 { return int64(s.last) - 1 }

// FirstBin returns the index of the bin in which the identity was first seen,
// -1 if it never was.
func (s *State) FirstBin() int64 { return int64(s.first) - 1 }

// Log returns the natural log of the combined evidence as of the last closed
// bin; minus infinity before any.
func (s *State) Log() float64 {
	var sum float64
	for m := range s.stat {
		for _, v := range s.stat[m] {
			sum += float64(v)
		}
	}
	if sum == 0 {
		return math.Inf(-1)
	}
	return ln(sum / float64(numCore*NumRates))
}

const stateVersion = 1

// AppendBinary appends the canonical encoding of the state to b: equal states
// give equal bytes.
func (s *State) AppendBinary(b []byte) []byte {
	b = append(b, stateVersion)
	var flags byte
	if s.busy {
		flags |= 1
	}
	if s.profile != nil {
		flags |= 2
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(s.first))
	b = binary.AppendUvarint(b, uint64(s.last))
	b = binary.AppendUvarint(b, uint64(s.rise))
	b = appendFloat32(b, s.active)
	b = appendFloat32(b, s.peak)
	for m := range s.stat {
		for _, v := range s.stat[m] {
			b = appendFloat32(b, v)
		}
		b = appendFloat32(b, s.count[m])
		b = appendFloat32(b, s.exposure[m])
		b = appendFloat32(b, s.excess[m])
		b = appendFloat32(b, s.square[m])
	}
	if s.profile != nil {
		b = appendFloat32(b, s.profile.follows)
		for i, n := range s.profile.n {
			b = append(b, n)
			if n > 0 {
				b = appendFloat32(b, s.profile.mean[i])
			}
		}
	}
	var h history
	h.read(s.recent)
	return h.append(binary.AppendUvarint(b, uint64(h.n)))
}

// DecodeState reads what AppendBinary wrote and returns the bytes after it. The
// state keeps nothing of b.
func DecodeState(b []byte) (State, []byte, error) {
	r := reader{b: b}
	var s State
	if v := r.byte(); !r.bad && v != stateVersion {
		return State{}, nil, fmt.Errorf("decoding a detector state of version %d, where this program writes %d: process again from the source: %w", v, stateVersion, ErrCorrupt)
	}
	flags := r.byte()
	if flags > 3 {
		r.fail()
	}
	s.busy = flags&1 != 0
	s.first, s.last, s.rise = r.bin(), r.bin(), r.bin()
	s.active = r.amount()
	s.peak = r.float32()
	for m := range s.stat {
		for i := range s.stat[m] {
			s.stat[m][i] = r.amount()
		}
		s.count[m] = r.amount()
		s.exposure[m] = r.amount()
		s.excess[m] = r.float32()
		s.square[m] = r.amount()
	}
	if flags&2 != 0 {
		s.profile = r.profile()
	}
	var h history
	h.decode(&r)
	if r.bad || s.first > s.last || s.rise > s.last+1 {
		return State{}, nil, fmt.Errorf("decoding a detector state: %w", ErrCorrupt)
	}
	if h.n > 0 {
		if h.visits[h.n-1].bin >= s.last || h.visits[0].bin+1 < s.first {
			return State{}, nil, fmt.Errorf("decoding a detector state: a visit outside its life: %w", ErrCorrupt)
		}
		s.recent = h.pack(nil)
	}
	return s, r.b, nil
}

// bin reads the index of a bin plus one.
func (r *reader) bin() uint32 {
	v := r.uvarint()
	if v > math.MaxUint32 {
		r.fail()
	}
	return uint32(v)
}

// amount reads a number that cannot be negative.
func (r *reader) amount() float32 {
	v := r.float32()
	if v < 0 || math.Signbit(float64(v)) {
		r.fail()
	}
	return v
}

func (r *reader) profile() *profile {
	p := &profile{follows: r.amount()}
	for i := range p.n {
		p.n[i] = r.byte()
		if p.n[i] > profileMemory {
			r.fail()
		}
		if p.n[i] > 0 {
			p.mean[i] = r.amount()
		}
	}
	return p
}
