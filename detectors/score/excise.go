package score

import (
	"encoding/binary"
	"math"
)

// Excise takes the bins from..to, both included, out of what is usual for an
// identity: a leak that people have confirmed must not become its normal. The days
// in which they lie go out of the means as if there had been none, their bins out
// of the mean bin, as far as single bins are kept: 30 days of an identity that is
// watched, as one with an alert is. The evidence stays. A mean never rises by it,
// and a quarter of it is left at the least. Bins that are not closed yet are left
// alone.
func (e *Engine) Excise(s *State, dim int, from, to int64) {
	if s.last == 0 || to < from {
		return
	}
	all := s.known(nil)
	var days, bins excision
	first, last := clampBin(max(from, 0)), clampBin(max(to, 0))
	open := int64(s.day) - 1
	laterDays, day := 0.0, int64(math.MaxInt64)
	for i := len(all) - 1; i >= 0; i-- {
		v := &all[i]
		d := e.Day(int64(v.bin))
		in := v.bin >= first && v.bin <= last
		if d < day && day != math.MaxInt64 && day != open {
			laterDays++
		}
		day = d
		if in {
			bins.take(v, e.paceBin*math.Pow(1-e.paceBin, float64(len(all)-1-i)), 0)
			if d != open {
				fast, slow := weight(1/e.Tuning.Fast, 1/e.Tuning.Slow, laterDays)
				days.of(d, fast, slow)
			}
		}
	}
	for i := range all {
		if fast, slow, ok := days.day(e.Day(int64(all[i].bin))); ok {
			days.add(&all[i], fast, slow)
		}
	}
	days.settle()
	for m := range s.level[0] {
		s.level[0][m] = without(s.level[0][m], days.sum[0][m], days.weight[0])
		s.level[1][m] = without(s.level[1][m], days.sum[1][m], days.weight[1])
		s.pace[m] = without(s.pace[m], bins.sum[0][m], bins.weight[0])
	}
	if s.more != nil {
		for i, m := range rareMeasures {
			for h := range horizons {
				r := &s.more.rare[i]
				r.level[h] = without(r.level[h], days.sum[h][m], days.weight[h])
			}
		}
	}
}

// known returns the bins of which the counts are kept, in order. They are put into room
// as far as it suffices.
func (s *State) known(room []visit) []visit {
	out := room[:0]
	step, _ := binary.Uvarint(s.recent)
	for i := range s.points {
		p := &s.points[i]
		if len(s.recent) > 0 && p.Bin >= s.before+uint32(step) {
			break
		}
		v := visit{bin: p.Bin}
		for m, n := range p.Counts {
			v.c[m] = float64(n)
		}
		if v.c.any() {
			out = append(out, v)
		}
	}
	eachVisit(s.recent, s.before, func(v visit) { out = append(out, v) })
	return out
}

// excision is what goes out of a mean: weighted counts, and their weight.
type excision struct {
	days   []int64
	w      [][2]float64
	sum    [2][NumMeasures]float64
	weight [2]float64
}

func (x *excision) take(v *visit, fast, slow float64) {
	for m, n := range v.c {
		x.sum[0][m] += fast * n
		x.sum[1][m] += slow * n
	}
	x.weight[0] += fast
	x.weight[1] += slow
}

func (x *excision) add(v *visit, fast, slow float64) {
	for m := range v.c {
		n := v.c.ofDay(Measure(m))
		x.sum[0][m] += fast * n
		x.sum[1][m] += slow * n
	}
}

// of notes that a day goes out.
func (x *excision) of(day int64, fast, slow float64) {
	if _, _, ok := x.day(day); !ok {
		x.days, x.w = append(x.days, day), append(x.w, [2]float64{fast, slow})
	}
}

func (x *excision) day(day int64) (fast, slow float64, ok bool) {
	for i, d := range x.days {
		if d == day {
			return x.w[i][0], x.w[i][1], true
		}
	}
	return 0, 0, false
}

func (x *excision) settle() {
	for _, w := range x.w {
		x.weight[0] += w[0]
		x.weight[1] += w[1]
	}
}

// leastLeft is the part of a mean that is left at the least.
const leastLeft = 0.25

// without returns a mean without a part of it.
func without(mean float32, sum, weight float64) float32 {
	m := float64(mean)
	left := (m - sum) / max(1-weight, 1e-3)
	return float32(min(max(left, leastLeft*m), m))
}
