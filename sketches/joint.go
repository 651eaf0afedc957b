package sketches

import "math"

// joint counts, for each rank, the cells that two sets have hit.
type joint struct {
	p    uint8
	both [4]perRank    // cells known of both sets: neither hit it, the first, the second, both
	one  [2][2]perRank // cells known of the first (or second) set alone: dead, hit
}

func (j *joint) add(a, b face) {
	for r := 1; r <= ranks(j.p); r++ {
		bit := uint(r - 1)
		hitA, hitB := a.hit>>bit&1, b.hit>>bit&1
		switch a.known>>bit&1 + b.known>>bit&1*2 {
		case 1:
			j.one[0][hitA][r]++
		case 2:
			j.one[1][hitB][r]++
		case 3:
			j.both[hitA+2*hitB][r]++
		}
	}
}

// vector holds a number for the records of the first set alone, of the second
// alone, and of both.
type vector [3]float64

// derive returns the derivative of the log likelihood at the given rates
// (records a register), and the information on them.
//
// A cell of chance q stays dead in the first set with probability
// exp(-q(r0+r2)), in the second with exp(-q(r1+r2)), in both with
// exp(-q(r0+r1+r2)); all else follows.
func (j *joint) derive(rate vector) (slope vector, info [3]vector) {
	for r := 1; r <= ranks(j.p); r++ {
		q := chance(r, j.p)
		for side := range 2 { // cells known of one set alone
			dead, hit := float64(j.one[side][0][r]), float64(j.one[side][1][r])
			if dead+hit == 0 {
				continue
			}
			grown := math.Expm1(q * (rate[side] + rate[2]))
			d := hit*q/grown - dead*q
			i := (dead + hit) * q * q / grown
			for _, x := range [2]int{side, 2} {
				slope[x] += d
				info[x][side] += i
				info[x][2] += i
			}
		}
		j.deriveBoth(r, q, rate, &slope, &info)
	}
	return slope, info
}

// deriveBoth adds what the cells of a rank that are known of both sets say.
func (j *joint) deriveBoth(r int, q float64, rate vector, slope *vector, info *[3]vector) {
	n := [4]float64{}
	cells := 0.0
	for i := range n {
		n[i] = float64(j.both[i][r])
		cells += n[i]
	}
	if cells == 0 {
		return
	}
	var alive, hit vector // exp(-q rate), and 1 less that
	for i := range rate {
		hit[i] = -math.Expm1(-q * rate[i])
		alive[i] = 1 - hit[i]
	}
	chances := outcomes(q, rate)
	// The derivatives of the logarithms of these.
	logs := [4]vector{
		{-q, -q, -q},
		{q * alive[0] / hit[0], -q, -q},
		{-q, q * alive[1] / hit[1], -q},
	}
	if chances[3] > 0 {
		f := q * alive[2] / chances[3]
		logs[3] = vector{f * alive[0] * hit[1], f * alive[1] * hit[0], f * (1 - hit[0]*hit[1])}
	}
	for c, d := range logs {
		if chances[c] < 1e-300 {
			continue
		}
		for x := range d {
			slope[x] += n[c] * d[x]
			for y := range d {
				info[x][y] += cells * chances[c] * d[x] * d[y]
			}
		}
	}
}

// likelihood returns the logarithm of the likelihood of the given rates.
func (j *joint) likelihood(rate vector) float64 {
	sum := 0.0
	for r := 1; r <= ranks(j.p); r++ {
		q := chance(r, j.p)
		for side := range 2 {
			s := q * (rate[side] + rate[2])
			sum -= float64(j.one[side][0][r]) * s
			sum += weighed(j.one[side][1][r], -math.Expm1(-s))
		}
		chances := outcomes(q, rate)
		sum -= float64(j.both[0][r]) * q * (rate[0] + rate[1] + rate[2])
		for c := 1; c < 4; c++ {
			sum += weighed(j.both[c][r], chances[c])
		}
	}
	return sum
}

// weighed is n times the logarithm of a probability.
func weighed(n int32, probability float64) float64 {
	if n == 0 {
		return 0
	}
	return float64(n) * math.Log(max(probability, 1e-300))
}

// outcomes returns the probabilities that of a cell of chance q neither set,
// the first, the second, or both have hit it.
func outcomes(q float64, rate vector) [4]float64 {
	var alive, hit vector
	for i := range rate {
		hit[i] = -math.Expm1(-q * rate[i])
		alive[i] = 1 - hit[i]
	}
	return [4]float64{
		alive[0] * alive[1] * alive[2],
		hit[0] * alive[1] * alive[2],
		hit[1] * alive[0] * alive[2],
		hit[2] + alive[2]*hit[0]*hit[1],
	}
}

// margins estimates each set's size alone, as rates.
func (j *joint) margins() (sets [2]float64) {
	for side := range sets {
		var risk, seen perRank
		for r := 1; r <= ranks(j.p); r++ {
			seen[r] = j.one[side][1][r] + j.both[3][r] + j.both[1+side][r]
			risk[r] = seen[r] + j.one[side][0][r] + j.both[0][r] + j.both[2-side][r]
		}
		sets[side] = solve(&risk, &seen, j.p)
	}
	return sets
}

// leastRate is taken for zero: a millionth of a register's record.
const leastRate = 1e-6

// likeliest returns the rates at which the likelihood is greatest, by Fisher's
// method of scoring on their logarithms, since none can be negative.
func (j *joint) likeliest() vector {
	sets := j.margins()
	x := min(sets[0], sets[1]) / 2
	rate := vector{max(sets[0]-x, leastRate), max(sets[1]-x, leastRate), max(x, leastRate)}
	for range 200 {
		slope, info := j.derive(rate)
		most := 0.0
		for i := range rate {
			slope[i] *= rate[i]
			for k := range rate {
				info[i][k] *= rate[i] * rate[k]
			}
			most = max(most, info[i][i])
		}
		for i := range rate { // a rate near zero says next to nothing
			info[i][i] += 1e-9 * most
		}
		inverse := invert(info)
		moved := 0.0
		for i := range rate {
			step := 0.0
			for k := range rate {
				step += inverse[i][k] * slope[k]
			}
			step = min(max(step, -1), 1)
			was := rate[i]
			rate[i] = max(was*math.Exp(step), leastRate)
			moved = max(moved, math.Abs(rate[i]-was)/(was+1e-3))
		}
		if moved < 1e-7 {
			break
		}
	}
	return rate
}

// invert returns the inverse of a symmetric positive matrix.
func invert(a [3]vector) (out [3]vector) {
	minor := func(r, c int) float64 {
		r1, r2, c1, c2 := (r+1)%3, (r+2)%3, (c+1)%3, (c+2)%3
		return a[r1][c1]*a[r2][c2] - a[r1][c2]*a[r2][c1]
	}
	det := 0.0
	for c := range 3 {
		det += a[0][c] * minor(0, c)
	}
	for r := range 3 {
		for c := range 3 {
			out[r][c] = minor(c, r) / det
		}
	}
	return out
}

// variance is that of a quantity with derivative d when the rates are true:
// from the inverse of the information, less what a Poisson number of records
// varies and a fixed one does not.
func (j *joint) variance(rate, d vector) float64 {
	_, info := j.derive(rate)
	cov := invert(info)
	m := math.Ldexp(1, int(j.p))
	v := 0.0
	for i := range d {
		for k := range d {
			v += d[i] * d[k] * cov[i][k] * m * m
		}
		v -= d[i] * d[i] * rate[i] * m
	}
	return max(v, 0)
}
