package sketches

import (
	"math"
)

// Estimate is a number of distinct records with its 95 % interval. Where the
// count is without error, all three are equal.
type Estimate struct {
	N    float64 // the count, or its maximum-likelihood estimate
	Low  float64 // lower end of the 95 % interval
	High float64 // upper end of the 95 % interval
}

func exactly(n int) Estimate { return Estimate{float64(n), float64(n), float64(n)} }

// z95 is the quantile of the standard normal that a two-sided 95 % interval takes.
const z95 = 1.959963984540054

// maxDistinct is how many records a 38-bit key can tell apart, and so the
// largest estimate there is.
const maxDistinct = 1 << keyBits

// Count returns how many distinct records were last seen in or after the given
// minute.
func (w *Window) Count(since uint32) Estimate {
	if w.matrix == nil {
		return exactly(countSince(w.list, stored(since)))
	}
	seen := w.matrix.since(stored(since), nil)
	return distinct(&seen, w.matrix.p)
}

// Counts answers Count for each minute of since, in one pass over the window.
// It writes to out, which must be at least as long as since.
func (w *Window) Counts(since []uint32, out []Estimate) {
	out = out[:len(since)]
	if w.matrix == nil {
		for i, s := range since {
			out[i] = exactly(countSince(w.list, stored(s)))
		}
		return
	}
	var seen tally
	for len(since) > 0 {
		n := min(len(since), len(seen))
		var edges [len(seen)]uint32
		for i, s := range since[:n] {
			edges[i] = stored(s)
		}
		w.matrix.count(edges[:n], &seen)
		for i := range n {
			out[i] = distinct(&seen[i], w.matrix.p)
		}
		since, out = since[n:], out[n:]
	}
}

// Numbers answers Counts without the intervals, which are most of the work on a
// matrix: for each minute of since, of which there are two at most, the N of Count. The
// window keeps what it counted for them, so that to ask again after a Merge costs
// little; it must not be asked by several goroutines at once.
func (w *Window) Numbers(since ...uint32) (out [2]float64) {
	if w.matrix == nil {
		for i, s := range since {
			out[i] = float64(countSince(w.list, stored(s)))
		}
		return out
	}
	var kept [len(out)]uint32
	for i, s := range since {
		kept[i] = stored(s)
	}
	for i := range since {
		seen := w.matrix.since(kept[i], kept[:len(since)])
		if risk, cells := atRisk(&seen, w.matrix.p); cells > 0 {
			out[i] = likeliest(&risk, &seen, w.matrix.p, float64(cells), maxDistinct)
		}
	}
	return out
}

// distinct estimates the number of records whose cells were counted per rank.
func distinct(seen *perRank, p uint8) Estimate {
	risk, cells := atRisk(seen, p)
	if cells == 0 {
		return Estimate{}
	}
	return likely(&risk, seen, p, float64(cells), maxDistinct)
}

// atRisk returns the cells that all records can hit, and how many they have hit.
func atRisk(seen *perRank, p uint8) (risk perRank, cells int) {
	for r := 1; r <= ranks(p); r++ {
		risk[r] = 1 << p
		cells += int(seen[r])
	}
	return risk, cells
}

// chance is the probability that a record has the given rank.
func chance(rank int, p uint8) float64 { return halves[min(rank, ranks(p)-1)] }

// halves holds the powers of a half.
var halves = func() (h [maxRanks]float64) {
	for i := range h {
		h[i] = math.Ldexp(1, -i)
	}
	return h
}()

// likely returns the maximum-likelihood estimate of how many records were
// thrown at the matrix, given that of risk[r] cells of rank r that could be
// hit seen[r] were. The interval follows from the Fisher information, and is
// cut to what is certain: from floor, the fewest records that can have hit so
// many cells, to ceil.
//
// With n records, rate = n/m records a register (m = 2^p) and chance 2^-r of
// rank r, a cell of rank r is hit with probability 1-exp(-rate 2^-r), nearly
// independently of the others. It is the likelihood of PCSA (Flajolet and
// Martin, 1985), used whole, as in Lang, "Back to the future: an even more
// nearly optimal cardinality estimation algorithm" (2017).
func likely(risk, seen *perRank, p uint8, floor, ceil float64) Estimate {
	n := likeliest(risk, seen, p, floor, ceil)
	low, high := bound(risk, p, n, -z95), bound(risk, p, n, z95)
	if n <= ExactLimit { // few cells make few different estimates: whole numbers, outwards
		low, high = math.Floor(low), math.Ceil(high)
	}
	return Estimate{N: n, Low: max(low, floor), High: min(high, ceil)}
}

// likeliest is likely without the interval.
func likeliest(risk, seen *perRank, p uint8, floor, ceil float64) float64 {
	return min(max(solve(risk, seen, p)*float64(int(1)<<p), floor), ceil)
}

// variance is that of the estimate when the truth is n: the inverse of the
// Fisher information, less the variance n that the independent cells of the
// model (a Poisson number of records) have and a fixed number has not.
func variance(risk *perRank, p uint8, n float64) float64 {
	m := float64(int(1) << p)
	information, top := 0.0, ranks(p)
	q := chance(top, p)
	grown := math.Expm1(n / m * q)
	for r := top; r >= 1 && grown < flat; r-- {
		if next := chance(r, p); next != q {
			grown *= grown + 2 // exp(2x)-1 from exp(x)-1
			q = next
		}
		information += float64(risk[r]) * q * q / grown
	}
	if information == 0 {
		return math.Inf(1)
	}
	return max(m*m/information-n, 0)
}

// flat is an exp(x)-1 at which a cell is as good as certain to be hit, and so
// says nothing any more.
const flat = 1e15

// bound returns the truth x, below or above n by the sign of z, from which the
// estimate n would lie z standard errors off: Wilson's way, which stays honest
// where the error itself depends much on the truth. It solves
// x = n + z sqrt(variance(x)): in a step of the secant where the error is small
// beside n, and else in a few rounds.
func bound(risk *perRank, p uint8, n, z float64) float64 {
	at := func(x float64) float64 { return max(n+z*math.Sqrt(variance(risk, p, x)), n/16, 1e-9) }
	x := at(n)
	if math.Abs(x-n) < n/8 {
		// x + d, with the error at x + d taken to change as it did from n to x.
		if next := at(x); math.Abs(next-x) < math.Abs(x-n)/2 {
			return min(x+(next-x)/(1-(next-x)/(x-n)), maxDistinct)
		}
	}
	for range 6 {
		last := x
		x = at(x)
		if x > maxDistinct {
			return maxDistinct
		}
		if math.Abs(x-last) < 0.01*math.Abs(x-n) {
			break
		}
	}
	return x
}

// solve returns the rate at which the likelihood of seen out of risk is
// greatest: the root of its derivative
//
//	sum over r of q_r (seen_r / (exp(rate q_r) - 1) - (risk_r - seen_r))
//
// which falls with the rate. Newton's method runs on the logarithm of the rate.
func solve(risk, seen *perRank, p uint8) float64 {
	top, hits, alive := 0, 0.0, 0.0
	for r := 1; r <= ranks(p); r++ {
		if seen[r] > 0 {
			top = r
			hits += float64(seen[r])
		}
		alive += chance(r, p) * float64(risk[r]-seen[r])
	}
	limit := math.Ldexp(1, keyBits-int(p))
	switch {
	case hits == 0:
		return 0
	case alive == 0:
		return limit
	}
	rate := start(risk, seen, p, top, hits)
	for range 64 {
		// exp(rate q)-1 for each rank from the one above it, by squaring.
		f, slope := -alive, 0.0
		q := chance(top, p)
		grown := math.Expm1(rate * q)
		for r := top; r >= 1; r-- {
			if next := chance(r, p); next != q {
				grown *= grown + 2
				q = next
			}
			if grown > flat {
				break
			}
			if seen[r] != 0 {
				inverse := 1 / grown
				x := q * float64(seen[r]) * inverse
				f += x
				slope += x * q * (1 + inverse)
			}
		}
		if slope == 0 { // far to the right of the root
			rate /= 2
			continue
		}
		step := min(max(f/(slope*rate), -1), 1)
		rate = min(rate*math.Exp(step), limit)
		if math.Abs(step) < 1e-5 || rate == limit { // what is left is its square
			break
		}
	}
	return rate
}

// start guesses the rate from the one rank whose share of hit cells, nearest
// to 1-1/e, says most about it.
func start(risk, seen *perRank, p uint8, top int, hits float64) float64 {
	best, nearest := 0, math.Inf(1)
	for r := 1; r <= top; r++ {
		if seen[r] > 0 && seen[r] < risk[r] {
			if d := math.Abs(float64(seen[r])/float64(risk[r]) - (1 - 1/math.E)); d < nearest {
				best, nearest = r, d
			}
		}
	}
	if best == 0 {
		return hits * halves[p]
	}
	return -math.Log1p(-float64(seen[best])/float64(risk[best])) / chance(best, p)
}
