package score

import (
	"encoding/binary"
	"fmt"

	"github.com/weirhq/weir/internal/wire"
)

const stateVersion = 12

// AppendBinary appends the canonical encoding of a state: some 60 bytes of an
// identity that is seen now and then, 250 of one at work every day, and PointBytes
// more for each bin that is watched.
func (s *State) AppendBinary(b []byte) []byte {
	b = append(b, stateVersion)
	for _, v := range [...]uint32{s.first, s.last, s.day, uint32(s.days), uint32(s.bins), s.group, uint32(s.votes), s.rise, s.before, s.lastWork, s.unions.day, s.unions.worked} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	b = appendFloats(b, s.numbers())
	for _, r := range s.statistics() {
		b = r.append(b)
	}
	b = wire.AppendBytes(b, s.recent)
	b = wire.AppendList(b, s.points, func(b []byte, p *Point) []byte {
		b = binary.LittleEndian.AppendUint32(b, p.Bin)
		for _, v := range p.numbers() {
			b = wire.AppendFloat32(b, *v)
		}
		return b
	})
	b = wire.AppendBool(b, s.usual != nil)
	if s.usual != nil {
		b = s.usual.AppendBinary(b)
	}
	b = wire.AppendBool(b, s.more != nil)
	if s.more != nil {
		b = s.more.append(b)
	}
	return b
}

// DecodeState reads what AppendBinary wrote and returns the bytes after it.
func DecodeState(b []byte) (State, []byte, error) {
	var s State
	r := wire.NewReader(b)
	r.Version(stateVersion)
	var days, bins, votes uint32
	for _, v := range [...]*uint32{&s.first, &s.last, &s.day, &days, &bins, &s.group, &votes, &s.rise, &s.before, &s.lastWork, &s.unions.day, &s.unions.worked} {
		*v = readWord(&r)
	}
	if days > 1<<16-1 || bins > 1<<16-1 || votes > mostVotes {
		r.Fail("a counter out of its range")
	}
	s.days, s.bins, s.votes = uint16(days), uint16(bins), uint8(votes)
	readFloats(&r, s.numbers())
	for _, x := range s.statistics() {
		x.read(&r)
	}
	s.recent = append([]byte(nil), r.Bytes()...)
	if !eachVisit(s.recent, s.before, func(visit) {}) {
		r.Fail("bins that do not read back")
	}
	n := r.Uvarint()
	if n > mostPoints || n*uint64(PointBytes) > uint64(r.Len()) {
		r.Fail("too many points")
		n = 0
	}
	for range n {
		p := Point{Bin: r.Uint32()}
		for _, v := range p.numbers() {
			*v = r.Float32()
		}
		s.points = append(s.points, p)
	}
	if r.Bool() {
		u := ReadUsual(&r)
		s.usual = &u
	}
	if r.Bool() {
		s.more = &extra{}
		s.more.read(&r)
	}
	if err := r.Err(); err != nil {
		return State{}, nil, fmt.Errorf("decoding the state of an identity: %w", err)
	}
	return s, r.Rest(), nil
}

func readWord(r *wire.Reader) uint32 {
	v := r.Uvarint()
	if v > 1<<32-1 {
		r.Fail("a number of more than 32 bits")
	}
	return uint32(v)
}

func readShort(r *wire.Reader) uint16 {
	v := r.Uvarint()
	if v > 1<<16-1 {
		r.Fail("a number of more than 16 bits")
	}
	return uint16(v)
}

// numbers lists the plain numbers in a fixed order.
func (s *State) numbers() []*float32 {
	v := make([]*float32, 0, 32)
	for m := range s.now {
		v = append(v, &s.now[m])
	}
	v = append(v, &s.off, &s.seen)
	for h := range s.level {
		v = append(v, &s.level[h][0], &s.level[h][1])
	}
	v = append(v, &s.pace[0], &s.pace[1])
	for i := range s.unions.mean {
		v = append(v, &s.unions.mean[i])
	}
	for g := range s.high {
		v = append(v, &s.high[g], &s.top[g])
	}
	return v
}

// statistics lists those of everybody in a fixed order.
func (s *State) statistics() []*stat {
	v := make([]*stat, 0, 8)
	for h := range s.daily {
		for i := range s.daily[h] {
			v = append(v, &s.daily[h][i])
		}
	}
	return append(v, &s.burst[0], &s.burst[1])
}

func (p *Point) numbers() []*float32 {
	v := make([]*float32, 0, 12)
	for m := range p.Counts {
		v = append(v, &p.Counts[m])
	}
	v = append(v, &p.Expected[0], &p.Expected[1])
	for g := range p.Log {
		v = append(v, &p.Log[g])
	}
	return v
}

// appendFloats writes numbers of which many are zero: a bit mask first.
func appendFloats(b []byte, v []*float32) []byte {
	mask := uint64(0)
	for i, x := range v {
		if *x != 0 {
			mask |= 1 << i
		}
	}
	b = binary.AppendUvarint(b, mask)
	for _, x := range v {
		if *x != 0 {
			b = wire.AppendFloat32(b, *x)
		}
	}
	return b
}

func readFloats(r *wire.Reader, v []*float32) {
	mask := r.Uvarint()
	if mask>>len(v) != 0 {
		r.Fail("a mask of more numbers than there are")
	}
	for i, x := range v {
		if mask&(1<<i) != 0 {
			*x = r.Float32()
			if *x == 0 {
				r.Fail("a zero that the mask denies")
			}
		}
	}
}

// append writes a statistic: a byte, zero for one that is all zero.
func (s *stat) append(b []byte) []byte {
	if *s == (stat{}) {
		return append(b, 0)
	}
	b = append(b, 1)
	for _, x := range s {
		b = wire.AppendFloat32(b, x)
	}
	return b
}

func (s *stat) read(r *wire.Reader) {
	if !r.Bool() {
		return
	}
	for i := range s {
		if s[i] = r.Float32(); s[i] < 0 {
			r.Fail("a statistic below zero")
		}
	}
	if *s == (stat{}) && r.Err() == nil {
		r.Fail("an empty statistic in the long form")
	}
}

func (x *extra) append(b []byte) []byte {
	for i := range x.rare {
		q := &x.rare[i]
		b = wire.AppendBool(b, q.kept)
		if q.kept {
			b = binary.AppendUvarint(b, uint64(q.from))
			b = wire.AppendFloat32(wire.AppendFloat32(b, q.level[0]), q.level[1])
			b = q.daily[1].append(q.daily[0].append(b))
		}
	}
	b = x.rows.append(wire.AppendFloat32(wire.AppendFloat32(wire.AppendFloat32(b, x.pace), x.odd), x.oddRun))
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(x.at)), uint64(x.oddFrom))
	b = append(binary.AppendUvarint(b, uint64(x.rowBins)), x.half)
	for i, n := range x.work {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(n)), uint64(x.busy[i]))
	}
	return b
}

func (x *extra) read(r *wire.Reader) {
	for i := range x.rare {
		q := &x.rare[i]
		if q.kept = r.Bool(); q.kept {
			q.from = readShort(r)
			q.level = [horizons]float32{r.Float32(), r.Float32()}
			q.daily[0].read(r)
			q.daily[1].read(r)
		}
	}
	x.pace, x.odd, x.oddRun = r.Float32(), r.Float32(), r.Float32()
	x.rows.read(r)
	x.at, x.oddFrom = readWord(r), readWord(r)
	x.rowBins, x.half = readShort(r), r.Byte()
	for i := range x.work {
		x.work[i], x.busy[i] = readShort(r), readShort(r)
	}
}

// numbers lists what is usual in a fixed order.
func (u *Usual) numbers() []*float32 {
	v := []*float32{&u.Bins, &u.Pace, &u.Level[0], &u.Level[1], &u.Kinds[0], &u.Kinds[1]}
	for i := range u.Unions {
		v = append(v, &u.Unions[i])
	}
	for i := range u.Rare {
		v = append(v, &u.Rare[i])
	}
	return v
}

// AppendBinary appends what is usual of an identity.
func (u *Usual) AppendBinary(b []byte) []byte { return appendFloats(b, u.numbers()) }

// ReadUsual reads what AppendBinary wrote.
func ReadUsual(r *wire.Reader) (u Usual) {
	readFloats(r, u.numbers())
	return u
}
