package sketches

import (
	"math/bits"
	"math/rand/v2"
)

// throw draws the cells that n distinct records hit, from their exact
// distribution, without hashing n records: how many of them have each rank
// follows from n fair coins, rank by rank, and those of a rank are thrown at
// the registers one by one. hit is called for each throw, with repetition; for
// a rank so full that one of its registers stays empty less than once in 10^8
// draws, all is called instead. So 10^7 records cost what some ten thousand
// do, and thousands of trials take seconds. TestThrowIsInsert compares it with
// records that were truly inserted.
func throw(rng *rand.Rand, n int, p uint8, hit func(reg, rank uint32), all func(rank uint32)) {
	top := ranks(p)
	for rank := 1; rank <= top && n > 0; rank++ {
		here := n
		if rank < top { // the last rank is where the bits run out
			here = heads(rng, n)
		}
		n -= here
		if here > 32<<p {
			all(uint32(rank))
			continue
		}
		var random uint64
		for left := uint(0); here > 0; here-- {
			if left < uint(p) {
				random, left = rng.Uint64(), 64
			}
			hit(uint32(random)&(1<<p-1), uint32(rank))
			random >>= p
			left -= uint(p)
		}
	}
}

// heads returns how many of n fair coins show heads.
func heads(rng *rand.Rand, n int) int {
	sum := 0
	for ; n >= 64; n -= 64 {
		sum += bits.OnesCount64(rng.Uint64())
	}
	return sum + bits.OnesCount64(rng.Uint64()&(1<<n-1))
}

// thrown is a set of cells drawn by throw: for each register, bit rank-1 for
// each rank hit.
type thrown struct {
	p     uint8
	cells []uint32
}

func newThrown(p uint8) *thrown { return &thrown{p, make([]uint32, 1<<p)} }

// add throws n records more, none of which was thrown before.
func (t *thrown) add(rng *rand.Rand, n int) {
	throw(rng, n, t.p,
		func(reg, rank uint32) { t.cells[reg] |= 1 << (rank - 1) },
		func(rank uint32) {
			for reg := range t.cells {
				t.cells[reg] |= 1 << (rank - 1)
			}
		})
}

// perRank counts the cells of each rank.
func (t *thrown) perRank() (n perRank) {
	for _, word := range t.cells {
		for ; word != 0; word &= word - 1 {
			n[bits.TrailingZeros32(word)+1]++
		}
	}
	return n
}

// registers returns the HyperLogLog registers: the highest rank hit.
func (t *thrown) registers() []byte {
	out := make([]byte, len(t.cells))
	for i, word := range t.cells {
		out[i] = byte(bits.Len32(word))
	}
	return out
}

// with returns the union with o, of equal precision.
func (t *thrown) with(o *thrown) *thrown {
	out := newThrown(t.p)
	for i := range out.cells {
		out.cells[i] = t.cells[i] | o.cells[i]
	}
	return out
}

// folded returns the cells at the coarser precision q.
func (t *thrown) folded(q uint8) *thrown {
	out := newThrown(q)
	for reg, word := range t.cells {
		for ; word != 0; word &= word - 1 {
			to, rank := foldCell(uint32(reg), uint32(bits.TrailingZeros32(word))+1, t.p, q)
			out.cells[to] |= 1 << (rank - 1)
		}
	}
	return out
}

// window returns the matrix that has these cells, hit at day0.
func (t *thrown) window() Window {
	return Window{p: t.p, matrix: matrixOf(t.p, t.cells, stored(day0))}
}
