package fleet

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/weirhq/weir/internal/wire"
)

const (
	sumsVersion  = 15
	fleetVersion = 15
	maxDims      = 64
	maxClasses   = 1 << 16
	maxName      = 1024
)

// AppendBinary appends the canonical encoding of sums, in which runs of zeros take
// two bytes.
func (s *Sums) AppendBinary(b []byte) []byte {
	b = append(b, sumsVersion)
	b = binary.AppendUvarint(b, s.known)
	return wire.AppendList(b, s.dims, func(b []byte, d *dimSums) []byte {
		b = appendNumbers(b, d.numbers())
		tokens := slices.Sorted(maps.Keys(d.classes))
		return wire.AppendList(b, tokens, func(b []byte, t *uint32) []byte {
			c := d.classes[*t]
			b = binary.LittleEndian.AppendUint32(b, *t)
			b = wire.AppendText(b, c.name)
			b = appendNumbers(b, c.numbers())
			return wire.AppendVarints(wire.AppendVarints(b, c.square[newcomer][:]...), c.square[known][:]...)
		})
	})
}

// Merge adds sums that AppendBinary wrote. It reads them straight into s, since most of
// their numbers are zero. After an error s holds a part of them.
func (s *Sums) Merge(b []byte) error {
	r := wire.NewReader(b)
	r.Version(sumsVersion)
	s.known = max(s.known, r.Uvarint())
	for i := range r.CountUpTo(maxDims) {
		d := s.dim(i)
		addNumbers(&r, d.numbers())
		eachClass(&r, func(token uint32) {
			c := d.class(token)
			c.name = max(c.name, r.TextUpTo(maxName))
			addNumbers(&r, c.numbers())
			for s := range c.square {
				for st := range c.square[s] {
					c.square[s][st] += r.Varint()
				}
			}
		})
		if r.Err() != nil {
			break
		}
	}
	if err := r.End(); err != nil {
		return fmt.Errorf("reading the sums of a bin: %w", err)
	}
	return nil
}

// eachClass reads the tokens of classes, which rise, and has each class read.
func eachClass(r *wire.Reader, read func(token uint32)) {
	last := int64(-1)
	for range r.CountUpTo(maxClasses) {
		token := r.Uint32()
		if int64(token) <= last {
			r.Fail("classes out of order")
		}
		if last = int64(token); r.Err() != nil {
			return
		}
		read(token)
	}
}

// appendNumbers writes numbers of which most are zero: a run of zeros as a zero and
// its length.
func appendNumbers(b []byte, numbers []uint64) []byte {
	zeros := uint64(0)
	for _, v := range numbers {
		if v == 0 {
			zeros++
			continue
		}
		if zeros > 0 {
			b = binary.AppendUvarint(append(b, 0), zeros)
			zeros = 0
		}
		b = binary.AppendUvarint(b, v)
	}
	if zeros > 0 {
		b = binary.AppendUvarint(append(b, 0), zeros)
	}
	return b
}

// addNumbers adds what appendNumbers wrote.
func addNumbers(r *wire.Reader, numbers []uint64) {
	ran := false
	for i := 0; i < len(numbers) && r.Err() == nil; {
		v := r.Uvarint()
		if v != 0 {
			numbers[i] += v
			i++
			ran = false
			continue
		}
		n := r.Uvarint()
		if n == 0 || ran || n > uint64(len(numbers)-i) {
			r.Fail("a run of zeros of a wrong length")
			return
		}
		i += int(n)
		ran = true
	}
}

// AppendBinary appends the encoding of what is known of the fleet.
func (f *Fleet) AppendBinary(b []byte) []byte {
	b = append(b, fleetVersion)
	b = binary.AppendVarint(b, f.bin)
	b = wire.AppendFloat64(b, f.known)
	return wire.AppendList(b, f.dims, func(b []byte, d *dim) []byte {
		b = appendFloats(binary.AppendVarint(b, d.day), d.numbers())
		tokens := slices.Sorted(maps.Keys(d.classes))
		return wire.AppendList(b, tokens, func(b []byte, t *uint32) []byte {
			c := d.classes[*t]
			b = binary.LittleEndian.AppendUint32(b, *t)
			b = binary.AppendVarint(wire.AppendText(b, c.name), c.day)
			return appendFloats(b, c.numbers())
		})
	})
}

// Decode reads what Fleet.AppendBinary wrote and returns the bytes after it.
func Decode(b []byte) (*Fleet, []byte, error) {
	r := wire.NewReader(b)
	r.Version(fleetVersion)
	f := &Fleet{bin: r.Varint(), known: r.Float64()}
	for range r.CountUpTo(maxDims) {
		d := dim{day: r.Varint(), classes: map[uint32]*class{}}
		readFloats(&r, d.numbers())
		eachClass(&r, func(token uint32) {
			c := newClass()
			c.name, c.day = r.TextUpTo(maxName), r.Varint()
			readFloats(&r, c.numbers())
			d.classes[token] = c
		})
		if d.classes[0] == nil {
			r.Fail("a dimension without the class of everybody")
		}
		if r.Err() != nil {
			break
		}
		f.dims = append(f.dims, d)
	}
	if err := r.Err(); err != nil {
		return nil, nil, fmt.Errorf("decoding the fleet: %w", err)
	}
	return f, r.Rest(), nil
}

// numbers lists the numbers of a dimension in a fixed order.
func (d *dim) numbers() []*float64 {
	v := []*float64{&d.age, &d.span}
	for s := range d.of {
		x := &d.of[s]
		v = append(v, &x.days, &x.bins)
		for g := range x.cross {
			for i := range x.cross[g] {
				v = append(v, &x.cross[g][i], &x.today[g][i])
			}
		}
	}
	for i := range d.off {
		v = append(v, &d.off[i])
	}
	for g := range d.rare {
		c := &d.rare[g]
		v = append(v, &c.Judged, &c.Expected, &c.Counted)
	}
	return v
}

// numbers lists the numbers of a class in a fixed order.
func (c *class) numbers() []*float64 {
	v := make([]*float64, 0, 1200)
	for st := range c.tail {
		for i := range c.tail[st] {
			v = append(v, &c.tail[st][i])
		}
		v = append(v, &c.low[st], &c.square[st], &c.weight[st], &c.told[st])
	}
	for i := range c.young {
		v = append(v, &c.young[i])
		for m := range c.first[i] {
			v = append(v, &c.first[i][m], &c.firstSquare[i][m])
		}
	}
	for i := range c.mode {
		v = append(v, &c.mode[i])
	}
	return append(v, &c.days, &c.bin)
}

// appendFloats writes numbers of which most are zero: the lengths of runs of zeros
// and of others in turn.
func appendFloats(b []byte, v []*float64) []byte {
	for i := 0; i < len(v); {
		zeros, some := 0, 0
		for i+zeros < len(v) && *v[i+zeros] == 0 {
			zeros++
		}
		for i+zeros+some < len(v) && *v[i+zeros+some] != 0 {
			some++
		}
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(zeros)), uint64(some))
		for _, x := range v[i+zeros : i+zeros+some] {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(*x))
		}
		i += zeros + some
	}
	return b
}

// readFloats reads what appendFloats wrote; numbers that are none are zero.
func readFloats(r *wire.Reader, v []*float64) {
	for _, x := range v {
		*x = 0
	}
	for i := 0; i < len(v) && r.Err() == nil; {
		zeros, some := r.Uvarint(), r.Uvarint()
		if left := uint64(len(v) - i); zeros > left || some > left-zeros || zeros+some == 0 {
			r.Fail("a run of a wrong length")
			return
		}
		i += int(zeros)
		for range some {
			*v[i] = r.Float64()
			i++
		}
	}
}
