package sketches

import (
	"fmt"
	"math/bits"

	"github.com/axiomhq/hyperloglog"

	"github.com/weirhq/weir/internal/wire"
)

// The binary form of an Exposure:
//
//	byte     version, 1
//	byte     flags: 1 a sketch, 2 a coarse part
//	window   the list, in the form of a Window, if there is no sketch
//	bits     the registers (see appendRegisters), and the known cells in the
//	         form of a matrix, if there is one
//	matrix   the coarse cells, if there are
//
// As that of a Window it is canonical, and the decoder takes no other.
const (
	sketchFlag = 1
	coarseFlag = 2

	registerBits = 5 // enough for rank 25
)

// AppendBinary appends the canonical form: exposures that hold the same append
// the same bytes.
func (x *Exposure) AppendBinary(b []byte) []byte {
	flags := byte(0)
	if x.sketch != nil {
		flags |= sketchFlag
	}
	if x.coarse != nil {
		flags |= coarseFlag
	}
	b = append(b, codecVersion, flags)
	if x.sketch == nil {
		list := Window{list: x.list, p: PartialPrecision}
		b = list.AppendBinary(b)
	} else {
		b = appendRegisters(b, x.registers())
		b = x.known.matrix().appendBinary(b)
	}
	if x.coarse != nil {
		b = x.coarse.matrix().appendBinary(b)
	}
	return b
}

// DecodeExposure reads one exposure from the front of b and returns what
// follows it. It takes canonical forms only, keeps nothing of b, and holds
// at most some 400 kB, whatever b says.
func DecodeExposure(b []byte) (x Exposure, rest []byte, err error) {
	r := wire.NewReader(b)
	r.Version(codecVersion)
	flags := r.Byte()
	switch {
	case flags > sketchFlag|coarseFlag:
		r.Fail("unknown flags")
	case flags&sketchFlag != 0:
		registers := readRegisterValues(&r)
		if x.known = readCellSet(&r); r.Err() == nil {
			x.sketch = sketchOf(registers)
		}
	default:
		w := wire.Decode(&r, DecodeWindow)
		if w.matrix != nil || w.Precision() != PartialPrecision || !only(w.list) {
			r.Fail("not a list of records without minutes")
		}
		x.list = w.list
	}
	if flags&coarseFlag != 0 {
		x.coarse = readCellSet(&r)
	}
	if err := r.Err(); err != nil {
		return Exposure{}, nil, fmt.Errorf("decoding an exposure: %w", err)
	}
	return x, r.Rest(), nil
}

// only reports whether all minutes are anyMinute.
func only(list []Entry) bool {
	for _, e := range list {
		if e.minute() != anyMinute {
			return false
		}
	}
	return true
}

// sketchOf returns a sketch of the given registers.
func sketchOf(registers []byte) *hyperloglog.Sketch {
	s := hyperloglog.NewNoSparse()
	for reg, rank := range registers {
		if rank > 0 {
			s.InsertHash(cellHash(uint32(reg), uint32(rank)))
		}
	}
	return s
}

// appendRegisters appends 5 bits for the value that gives the shortest form,
// then each register as its unary distance from it, in the order: that value,
// one below, one above, two below and so on. Registers cluster around one
// value, so that this takes some three bits for each.
func appendRegisters(b []byte, registers []byte) []byte {
	center := registerCenter(registers)
	out := bitWriter{out: b}
	out.bits(uint64(center), registerBits)
	for _, v := range registers {
		out.rice(fold(int(v)-center), 0)
	}
	return out.close()
}

// fold maps 0, -1, 1, -2, 2 … to 0, 1, 2, 3, 4 …
func fold(d int) uint64 {
	if d < 0 {
		return uint64(-2*d - 1)
	}
	return uint64(2 * d)
}

func unfold(v uint64) int {
	if v%2 == 1 {
		return -int(v+1) / 2
	}
	return int(v / 2)
}

// registerCenter returns the value around which the unary form is shortest,
// the least if there are several.
func registerCenter(registers []byte) int {
	var of perRank
	for _, v := range registers {
		of[v]++
	}
	best, least := 0, ^uint64(0)
	for center := range ranks(PartialPrecision) + 1 {
		size := uint64(0)
		for v, n := range of {
			size += uint64(n) * fold(v-center)
		}
		if size < least {
			best, least = center, size
		}
	}
	return best
}

// readRegisterValues reads what appendRegisters wrote.
func readRegisterValues(r *wire.Reader) []byte {
	in := bitReader{in: r.Rest()}
	center := int(in.bits(registerBits))
	registers := make([]byte, 1<<PartialPrecision)
	for i := range registers {
		v := center + unfold(in.rice(0, 2*maxRanks))
		if v < 0 || v > ranks(PartialPrecision) || in.failed() {
			r.Fail(notCanonical)
			return nil
		}
		registers[i] = byte(v)
	}
	bytes, ok := in.close()
	if !ok || registerCenter(registers) != center {
		r.Fail(notCanonical)
		return nil
	}
	r.Take(bytes)
	return registers
}

// matrix returns the cells as a matrix, all hit in the same minute.
func (s cellSet) matrix() *matrix { return matrixOf(StatePrecision, s, anyMinute) }

// matrixOf returns a matrix of cells that were all hit in the same minute. They
// are given for each register as a word with bit rank-1 set for each rank hit.
func matrixOf(p uint8, registers []uint32, minute uint32) *matrix {
	m := newMatrix(p)
	m.oldest = minute
	var all uint32
	for _, word := range registers {
		all |= word
	}
	var cells []Entry
	for rank := 1; rank <= bits.Len32(all); rank++ {
		cells = cells[:0]
		for reg, word := range registers {
			if word>>(rank-1)&1 != 0 {
				cells = append(cells, pack(uint64(rank)<<p|uint64(reg), minute))
			}
		}
		m.addColumn(rank, cells)
	}
	m.promote()
	return m
}

// readCellSet reads a matrix whose cells were all hit in anyMinute.
func readCellSet(r *wire.Reader) cellSet {
	m := readMatrix(r, StatePrecision)
	if m == nil {
		return nil
	}
	s := newCellSet()
	m.eachCell(func(reg, rank, minute uint32) {
		if minute != anyMinute {
			r.Fail("a cell with a minute, in a set without")
		}
		s.add(reg, rank)
	})
	return s
}
