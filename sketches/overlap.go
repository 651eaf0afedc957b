package sketches

import "math"

// Overlap says how far two sets of exposed records are the same: two accounts
// that read the same part of the customer base, or neatly disjoint parts.
type Overlap struct {
	Both    Estimate // records that are in both sets
	Jaccard Estimate // their share of the records in either, 0 to 1
	// OfFirst is the share, 0 to 1, of the first set's records that the second
	// has too; OfSecond the converse. Both are 0 for an empty set.
	OfFirst, OfSecond Estimate
}

// OverlapOf compares two exposures. It is without error while both are exact.
// Otherwise the numbers of records in the first alone, in the second alone and
// in both are estimated together by maximum likelihood (Ertl, "New cardinality
// estimation algorithms for HyperLogLog sketches", 2017, section 4), from all
// 2^14 registers, or from cells of 2^10 registers if part of either is known at
// that precision only. Sketches tell a small overlap of large sets badly: the
// standard error of Both is up to 1 % of the larger set (2.5 % at 2^10).
func OverlapOf(a, b *Exposure) Overlap {
	if a.Empty() || b.Empty() {
		return Overlap{}
	}
	if a.Exact() && b.Exact() {
		return exactOverlap(a.list, b.list)
	}
	p := uint8(PartialPrecision)
	if a.coarse != nil || b.coarse != nil {
		p = StatePrecision
	}
	one, two := a.face(p), b.face(p)
	j := joint{p: p}
	for reg := range one {
		j.add(one[reg], two[reg])
	}
	return j.overlap()
}

func exactOverlap(a, b []Entry) Overlap {
	both := float64(len(b) - missing(a, b))
	share := func(of int) Estimate {
		x := both / float64(of)
		return Estimate{x, x, x}
	}
	return Overlap{
		Both:     Estimate{both, both, both},
		Jaccard:  share(len(a) + len(b) - int(both)),
		OfFirst:  share(len(a)),
		OfSecond: share(len(b)),
	}
}

// face is what an exposure says about one register's cells: bit rank-1 of hit
// is set if the cell was hit, of known if it is known whether it was.
type face struct{ hit, known uint32 }

func (x *Exposure) face(p uint8) []face {
	out := make([]face, 1<<p)
	all := uint32(1)<<ranks(p) - 1
	if p == StatePrecision {
		cells := x.known.union(x.coarse)
		if x.sketch == nil {
			cells.addRecords(x.list)
		}
		for reg, word := range cells {
			out[reg] = face{word, all}
		}
		return out
	}
	if x.sketch == nil {
		for reg := range out {
			out[reg].known = all
		}
		for _, e := range x.list {
			reg, rank := split(e.key(), p)
			out[reg].hit |= 1 << (rank - 1)
		}
		return out
	}
	for reg, v := range x.registers() {
		if v == 0 {
			out[reg].known = all
			continue
		}
		// A register hides the cells below its value.
		top := uint32(1) << (v - 1)
		out[reg] = face{top, all &^ (top - 1)}
	}
	return out
}

func (j *joint) overlap() Overlap {
	rate := j.likeliest()
	sets := j.margins()
	none := vector{max(sets[0], leastRate), max(sets[1], leastRate), leastRate}
	// By the likelihood ratio the sets may well be disjoint. The standard error
	// tells that badly: cells that disjoint sets hit both are few, and their
	// number skewed.
	disjoint := 2*(j.likelihood(rate)-j.likelihood(none)) < z95*z95
	m := math.Ldexp(1, int(j.p))
	both := func(r vector) (float64, vector) { return r[2] * m, vector{0, 0, 1} }
	share := func(of ...int) func(r vector) (float64, vector) {
		return func(r vector) (float64, vector) {
			sum := 0.0
			for _, i := range of {
				sum += r[i]
			}
			d := vector{}
			for _, i := range of {
				d[i] = -r[2] / (sum * sum * m)
			}
			d[2] += 1 / (sum * m)
			return r[2] / sum, d
		}
	}
	o := Overlap{
		Both:     j.interval(rate, both),
		Jaccard:  j.interval(rate, share(0, 1, 2)),
		OfFirst:  j.interval(rate, share(0, 2)),
		OfSecond: j.interval(rate, share(1, 2)),
	}
	if disjoint {
		o.Both.Low, o.Jaccard.Low, o.OfFirst.Low, o.OfSecond.Low = 0, 0, 0, 0
	}
	if o.Both.N <= ExactLimit {
		o.Both.Low, o.Both.High = math.Floor(o.Both.Low), math.Ceil(o.Both.High)
	}
	return o
}

// interval returns a quantity that depends on the rates, with its interval:
// all of its values, while the overlap varies and both sets keep their sizes as
// long as they can, from which the estimate is not more than 1.96 standard
// errors off. value returns the quantity and its derivative by the numbers of
// records.
func (j *joint) interval(rate vector, value func(vector) (float64, vector)) Estimate {
	quantity := func(r vector) float64 {
		for i := range r {
			if r[i] <= 2*leastRate {
				r[i] = 0
			}
		}
		v, _ := value(r)
		return v
	}
	n := quantity(rate)
	first, second := rate[0]+rate[2], rate[1]+rate[2]
	at := func(x float64) vector {
		return vector{max(first-x, leastRate), max(second-x, leastRate), max(x, leastRate)}
	}
	// end returns the last overlap, on the way to x, that is near enough.
	end := func(x float64) float64 {
		near := func(x float64) bool {
			_, d := value(at(x))
			return math.Abs(quantity(at(x))-n) <= z95*math.Sqrt(j.variance(at(x), d))
		}
		inside := rate[2]
		if near(x) {
			inside = x
		}
		for range 30 {
			if mid := (inside + x) / 2; near(mid) {
				inside = mid
			} else {
				x = mid
			}
		}
		return quantity(at(inside))
	}
	return Estimate{N: n, Low: min(end(0), n), High: max(end(2*min(first, second)), n)}
}
