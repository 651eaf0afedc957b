package score

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/internal/wire"
)

// State is what is known of one identity in one dimension. Its zero value is an
// identity never seen. It takes 136 bytes and a few more for each active bin of
// the last two days; what only an active or an older identity has stands behind
// more. Clone copies it: more and recent are shared by plain copies.
type State struct {
	core        [fleet.NumCore]series // Distinct, FirstTouch
	both        stats                 // of Distinct and FirstTouch together
	work        float32               // mean count of the bins that have one
	worked      uint8                 // how many bins it rests on, at most workMemory
	peak        float32               // the largest log evidence of late, falling by Engine.peakFall a bin
	high        float32               // likewise, falling by Engine.highFall a bin
	first, last uint32                // first and last closed bin, plus one
	rise        uint32                // bin since which the evidence has been above nothing, plus one
	told        uint16                // low bits of the day on which it last told of itself to the fleet
	busy        bool                  // the last closed bin had a count
	votes       uint8                 // bins by which group has the majority, at most mostVotes; see Vote
	group       uint32                // GroupToken of its peers, 0 for none
	more        *more
	recent      []byte // visits, see history.go
}

// stats are Shiryaev-Roberts statistics, linear, one a rate, each the upper half
// of a float32: within 0.4 %, which is nothing beside a nat.
type stats [fleet.NumRates]uint16

// get widens the statistics.
func (x *stats) get() (v [fleet.NumRates]float64) {
	for i, h := range x {
		v[i] = float64(math.Float32frombits(uint32(h) << 16))
	}
	return v
}

// set rounds statistics to what is kept of them.
func (x *stats) set(v *[fleet.NumRates]float64) {
	for i, f := range v {
		x[i] = uint16((math.Float32bits(float32(f)) + 1<<15) >> 16)
	}
}

func (x *stats) append(b []byte) []byte {
	for _, h := range x {
		b = binary.LittleEndian.AppendUint16(b, h)
	}
	return b
}

// readStats reads statistics: finite and not negative.
func readStats(r *wire.Reader, x *stats) {
	for i := range x {
		if x[i] = r.Uint16(); x[i] >= 0x7f80 {
			r.Fail("evidence below zero or not finite")
		}
	}
}

// series is what is kept of one measure.
type series struct {
	stat stats
	// count and exposure are decayed sums. Their ratio is the own level: of
	// learned counts over the factors (shape × mode) under which they came; of
	// first touches over distinct records.
	count, exposure float32
	// excess and square are decayed sums whose ratio is the over-dispersion: of
	// (c-μ)²-c over μ²; of a share see novelty.go.
	excess, square float32
}

// more is what only some identities have. All of it is optional.
type more struct {
	profile *profile
	today   *today
	past    *past
	extra   [fleet.NumExtra]*series // the measures after the core, from their first count on
}

// room returns s.more, made if it is not there.
func (s *State) room() *more {
	if s.more == nil {
		s.more = new(more)
	}
	return s.more
}

func (s *State) profile() *profile {
	if s.more == nil {
		return nil
	}
	return s.more.profile
}

func (s *State) today() *today {
	if s.more == nil {
		return nil
	}
	return s.more.today
}

func (s *State) past() *past {
	if s.more == nil {
		return nil
	}
	return s.more.past
}

// extra returns the series of a measure after the core, nil where it never
// occurred.
func (s *State) extra(m fleet.Measure) *series {
	if s.more == nil {
		return nil
	}
	return s.more.extra[int(m)-fleet.NumCore]
}

// Clone returns a copy that shares nothing with the state.
func (s *State) Clone() State {
	c := *s
	c.recent = slices.Clone(s.recent)
	if s.more == nil {
		return c
	}
	c.more = &more{profile: clone(s.more.profile), today: clone(s.more.today), past: clone(s.more.past)}
	for i, x := range s.more.extra {
		c.more.extra[i] = clone(x)
	}
	return c
}

// clone returns a copy of what a pointer points to, nil of nil.
func clone[T any](v *T) *T {
	if v == nil {
		return nil
	}
	c := *v
	return &c
}

// Seen reports whether any bin of the identity has been closed or begun.
func (s *State) Seen() bool { return s.last != 0 }

// LastBin returns the index of the last closed bin, -1 if there is none.
func (s *State) LastBin() int64 { return int64(s.last) - 1 }

// FirstBin returns the index of the bin in which the identity was first seen,
// -1 if it never was.
func (s *State) FirstBin() int64 { return int64(s.first) - 1 }

// Log returns the natural log of the combined evidence as of the last closed
// bin; minus infinity before any.
func (s *State) Log() float64 {
	var sc scores
	sc.read(s)
	total := sc.total()
	if total == 0 {
		return math.Inf(-1)
	}
	return fleet.Ln(total)
}

const stateVersion = 6

// Flags of an encoded state.
const (
	flagBusy = 1 << iota
	flagProfile
	flagToday
	flagPast
	flagExtra
	flagGroup
	allFlags = 1<<iota - 1
)

// AppendBinary appends the canonical encoding of the state to b: equal states
// give equal bytes.
func (s *State) AppendBinary(b []byte) []byte {
	b = append(b, stateVersion, s.flags())
	b = binary.AppendUvarint(b, uint64(s.first))
	b = binary.AppendUvarint(b, uint64(s.last))
	b = binary.AppendUvarint(b, uint64(s.rise))
	b = binary.LittleEndian.AppendUint16(b, s.told)
	if s.group != 0 {
		b = append(binary.LittleEndian.AppendUint32(b, s.group), s.votes)
	}
	b = wire.AppendFloat32(b, s.work)
	b = append(b, s.worked)
	b = wire.AppendFloat32(b, s.peak)
	b = wire.AppendFloat32(b, s.high)
	for m := range s.core {
		b = s.core[m].append(b)
	}
	b = s.both.append(b)
	if p := s.profile(); p != nil {
		b = p.append(b)
	}
	if t := s.today(); t != nil {
		b = t.append(b)
	}
	if p := s.past(); p != nil {
		b = p.append(b)
	}
	if mask := s.extras(); mask != 0 {
		b = append(b, mask)
		for _, x := range s.more.extra {
			if x != nil {
				b = x.append(b)
			}
		}
	}
	var h history
	h.read(s.recent)
	return h.append(binary.AppendUvarint(b, uint64(h.n)))
}

// extras returns a bit for each measure after the core that is kept.
func (s *State) extras() (mask byte) {
	if s.more == nil {
		return 0
	}
	for i, x := range s.more.extra {
		if x != nil {
			mask |= 1 << i
		}
	}
	return mask
}

func (s *State) flags() (f byte) {
	if s.busy {
		f |= flagBusy
	}
	if s.profile() != nil {
		f |= flagProfile
	}
	if s.today() != nil {
		f |= flagToday
	}
	if s.past() != nil {
		f |= flagPast
	}
	if s.extras() != 0 {
		f |= flagExtra
	}
	if s.group != 0 {
		f |= flagGroup
	}
	return f
}

// DecodeState reads what AppendBinary wrote and returns the bytes after it. The
// state keeps nothing of b.
func DecodeState(b []byte) (State, []byte, error) {
	r := wire.NewReader(b)
	var s State
	if r.Version(stateVersion); r.Err() != nil {
		return State{}, nil, fmt.Errorf("decoding a detector state: process again from the source: %w", r.Err())
	}
	flags := r.Byte()
	if flags > allFlags {
		r.Fail("unknown flags")
	}
	s.busy = flags&flagBusy != 0
	s.first, s.last, s.rise = readBin(&r), readBin(&r), readBin(&r)
	s.told = r.Uint16()
	if flags&flagGroup != 0 {
		s.decodeGroup(&r)
	}
	s.work = readAmount(&r)
	if s.worked = r.Byte(); s.worked > workMemory {
		r.Fail("more bins worked than are remembered")
	}
	s.peak = r.Float32()
	s.high = r.Float32()
	for m := range s.core {
		readSeries(&r, &s.core[m])
	}
	readStats(&r, &s.both)
	if flags&^(flagBusy|flagGroup) != 0 {
		s.more = readMore(&r, flags)
	}
	var h history
	h.decode(&r)
	if s.first > s.last+1 || s.rise > s.last+1 {
		r.Fail("a first bin or a rise after the last bin")
	}
	if h.n > 0 && (h.visits[h.n-1].bin >= s.last || h.visits[0].bin+1 < s.first) {
		r.Fail("a visit outside the life of the identity")
	}
	if err := r.Err(); err != nil {
		return State{}, nil, fmt.Errorf("decoding a detector state: %w", err)
	}
	if h.n > 0 {
		s.recent = h.pack(nil)
	}
	return s, r.Rest(), nil
}

// readMore reads what the flags say there is.
func readMore(r *wire.Reader, flags byte) *more {
	m := new(more)
	if flags&flagProfile != 0 {
		m.profile = readProfile(r)
	}
	if flags&flagToday != 0 {
		m.today = readToday(r)
	}
	if flags&flagPast != 0 {
		m.past = readPast(r)
	}
	if flags&flagExtra == 0 {
		return m
	}
	mask := r.Byte()
	if mask == 0 || mask>>fleet.NumExtra != 0 {
		r.Fail("measures that there are not")
		return m
	}
	for i := range m.extra {
		if mask>>i&1 != 0 {
			m.extra[i] = new(series)
			readSeries(r, m.extra[i])
		}
	}
	return m
}

func (x *series) append(b []byte) []byte {
	b = x.stat.append(b)
	b = wire.AppendFloat32(b, x.count)
	b = wire.AppendFloat32(b, x.exposure)
	b = wire.AppendFloat32(b, x.excess)
	return wire.AppendFloat32(b, x.square)
}

func readSeries(r *wire.Reader, x *series) {
	readStats(r, &x.stat)
	x.count = readAmount(r)
	x.exposure = readAmount(r)
	x.excess = r.Float32()
	x.square = readAmount(r)
}

// readBin reads the index of a bin plus one.
func readBin(r *wire.Reader) uint32 {
	v := r.Uvarint()
	if v > math.MaxUint32 {
		r.Fail("a bin after the end of time")
	}
	return uint32(v)
}

// readAmount reads a number that cannot be negative.
func readAmount(r *wire.Reader) float32 {
	v := r.Float32()
	if v < 0 || math.Signbit(float64(v)) {
		r.Fail("an amount below zero")
	}
	return v
}
