package sketches

import (
	"math"
	"math/bits"
	"sync"

	"github.com/axiomhq/hyperloglog"
)

// Exposure is the union of the records that an episode has exposed, over any
// time: how much has leaked, not when.
//
// It is exact up to ExactLimit records, as long as all of them came from exact
// windows. Beyond that it is a HyperLogLog sketch of 2^14 registers, with a
// standard error below 1 %. What was kept at less than PartialPrecision, as in
// a state that became a matrix before the episode began, is held apart at 2^10
// registers; the records that only that part knows of are added with a
// standard error of 2 % of their number or more, and the interval says so.
//
// What an Exposure holds is a function of the set of windows added. The zero
// value is empty and ready for use; do not copy one after first use.
type Exposure struct {
	list   []Entry             // while exact: the records, all of the same minute
	sketch *hyperloglog.Sketch // else, dense, at PartialPrecision
	known  cellSet             // the cells at StatePrecision of what sketch holds
	coarse cellSet             // the cells of what is known at StatePrecision only
}

// anyMinute stands in where only the record matters.
const anyMinute = 1

// AddWindow adds the records of w last seen in or after the given Unix minute.
func (x *Exposure) AddWindow(w *Window, since uint32) {
	edge := stored(since)
	if m := w.matrix; m != nil {
		x.addMatrix(m, edge)
		return
	}
	list := make([]Entry, 0, countSince(w.list, edge))
	for _, e := range w.list {
		if e.minute() >= edge {
			list = append(list, pack(e.key(), anyMinute))
		}
	}
	x.addRecords(list)
}

// Estimate returns the number of distinct records exposed.
func (x *Exposure) Estimate() Estimate {
	fine, known := exactly(len(x.list)), x.known
	if x.sketch != nil {
		b := registerRoom.Get().(*[]byte)
		*b = x.appendSketch((*b)[:0])
		fine = estimateRegisters((*b)[sketchHeader:])
		registerRoom.Put(b)
	}
	if x.coarse == nil {
		return fine
	}
	if x.sketch == nil {
		known = newCellSet()
		known.addRecords(x.list)
	}
	more := x.coarse.beyond(known)
	n := fine.N + more.N
	return Estimate{
		N:    n,
		Low:  n - math.Hypot(fine.N-fine.Low, more.N-more.Low),
		High: n + math.Hypot(fine.High-fine.N, more.High-more.N),
	}
}

func (x *Exposure) addRecords(list []Entry) {
	if x.sketch == nil {
		added := missing(x.list, list)
		if len(x.list)+added <= ExactLimit {
			x.list = union(x.list, list, added)
			return
		}
		x.toSketch()
	}
	insertRecords(x.sketch, list)
	x.known.addRecords(list)
}

func (x *Exposure) addMatrix(m *matrix, edge uint32) {
	m.eachCell(func(reg, rank, minute uint32) {
		if minute < edge {
			return
		}
		into := &x.coarse
		if m.p == PartialPrecision {
			x.toSketch()
			x.sketch.InsertHash(cellHash(reg, rank))
			into = &x.known
		} else if x.coarse == nil {
			x.coarse = newCellSet()
		}
		into.add(foldCell(reg, rank, m.p, StatePrecision))
	})
}

// toSketch turns the list into a sketch.
func (x *Exposure) toSketch() {
	if x.sketch != nil {
		return
	}
	x.sketch, x.known = hyperloglog.NewNoSparse(), newCellSet()
	insertRecords(x.sketch, x.list)
	x.known.addRecords(x.list)
	x.list = nil
}

// insertRecords feeds a sketch the hashes of records. The 26 bits that a
// record's key lacks are a one and zeros, so that the sketch's rank ends where
// the key's does.
func insertRecords(s *hyperloglog.Sketch, list []Entry) {
	for _, e := range list {
		s.InsertHash(e.key()<<minuteBits | 1<<(minuteBits-1))
	}
}

// cellHash returns a hash that hits the given cell of a sketch of 2^14
// registers.
func cellHash(reg, rank uint32) uint64 {
	return uint64(reg)<<(64-PartialPrecision) | 1<<(64-PartialPrecision-rank)
}

// registers returns the sketch's registers.
func (x *Exposure) registers() []byte {
	return x.appendSketch(make([]byte, 0, sketchHeader+1<<PartialPrecision))[sketchHeader:]
}

// appendSketch appends the binary form of the sketch, which is the only way to its
// registers: eight bytes of header, then one byte each.
func (x *Exposure) appendSketch(b []byte) []byte {
	b, err := x.sketch.AppendBinary(b)
	if err != nil {
		panic("sketches: " + err.Error()) // its precision is 14, which cannot be wrong
	}
	return b
}

const sketchHeader = 8

// registerRoom holds memory for the registers of a sketch while they are counted.
var registerRoom = sync.Pool{New: func() any { return new([]byte) }}

// estimateRegisters estimates the number of records behind HyperLogLog
// registers by maximum likelihood. A register of value k says that its cell of
// rank k was hit, those of higher ranks were not, and nothing of lower ones:
// the cells at risk of rank r are those of registers up to r. See Ertl, "New
// cardinality estimation algorithms for HyperLogLog sketches" (2017).
func estimateRegisters(registers []byte) Estimate {
	var counts [4][256]int32 // of every fourth register, since one count waits for the last of the same value
	for ; len(registers) >= 4; registers = registers[4:] {
		counts[0][registers[0]]++
		counts[1][registers[1]]++
		counts[2][registers[2]]++
		counts[3][registers[3]]++
	}
	var seen perRank
	for v := range counts[0] {
		seen[min(v, ranks(PartialPrecision))] += counts[0][v] + counts[1][v] + counts[2][v] + counts[3][v]
	}
	risk := seen
	for r := 1; r < len(risk); r++ {
		risk[r] += risk[r-1]
	}
	filled := 1<<PartialPrecision - int(seen[0])
	if filled == 0 {
		return Estimate{}
	}
	return likely(&risk, &seen, PartialPrecision, float64(filled), maxDistinct)
}

// cellSet is the set of cells ever hit at StatePrecision: for each register a
// word with bit rank-1 set for each rank hit.
type cellSet []uint32

func newCellSet() cellSet { return make(cellSet, 1<<StatePrecision) }

func (s cellSet) add(reg, rank uint32) { s[reg] |= 1 << (rank - 1) }

func (s cellSet) addRecords(list []Entry) {
	for _, e := range list {
		s.add(split(e.key(), StatePrecision))
	}
}

// beyond estimates how many records hit cells of s but are none of those behind known,
// from the cells that known has not: no more than hit s at all, which is all that can be
// said where known has hit next to every cell.
func (s cellSet) beyond(known cellSet) Estimate {
	var live, seen, all perRank
	cells := 0
	for reg, word := range s {
		for w := word; w != 0; w &= w - 1 {
			all[bits.TrailingZeros32(w)+1]++
		}
		for w := known[reg]; w != 0; w &= w - 1 {
			live[bits.TrailingZeros32(w)+1]++
		}
		for w := word &^ known[reg]; w != 0; w &= w - 1 {
			seen[bits.TrailingZeros32(w)+1]++
			cells++
		}
	}
	for r := range live {
		live[r] = 1<<StatePrecision - live[r]
	}
	return likely(&live, &seen, StatePrecision, float64(cells), distinct(&all, StatePrecision).High)
}
