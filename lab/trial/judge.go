package trial

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
)

// The parts of a log: a detector learns up to calibrateFrom, its threshold is
// set up to judgeFrom, and the rest is judged.
const (
	calibrateFrom = 0.25
	judgeFrom     = 0.6
)

// Quiet is for how many hours an identity must stay below the threshold until it can
// alarm again; one that does not is counted again each week.
const (
	Quiet = 72
	again = 168
)

// YearDays is how many days with work make an actor-year.
const YearDays = 230

// openings returns how often an identity alarms in the hours from..to-1.
func openings(p []point, h float64, from, to int64) (n int) {
	last, opened := int64(math.MinInt32), int64(math.MinInt32)
	for _, x := range p {
		if x.log < h {
			continue
		}
		if x.hour-last > Quiet || x.hour-opened >= again {
			opened = x.hour
			if x.hour >= from && x.hour < to {
				n++
			}
		}
		last = x.hour
	}
	return n
}

// workdays returns how many days with work an actor has in the hours from..to-1.
func (a *actor) workdays(from, to int64) (n float64) {
	for _, d := range a.days {
		if d.day*24 >= from && d.day*24 < to {
			n++
		}
	}
	return n
}

// falses returns each identity's alarms and years in the hours from..to-1.
func (l *Log) falses(o *outcome, h float64, from, to int64) (alarms, years []float64) {
	for i := range l.actors {
		if y := l.actors[i].workdays(from, to); y > 0 {
			alarms = append(alarms, float64(openings(o.calm[i], h, from, to)))
			years = append(years, y/YearDays)
		}
	}
	return alarms, years
}

// threshold returns the least threshold from which on no more than target alarms an
// actor-year come in the hours from..to-1. It comes from above: below some
// level an identity is never quiet, and so seems to alarm but once.
func (l *Log) threshold(o *outcome, target float64, from, to int64) float64 {
	var all []float64
	for _, p := range o.calm {
		for _, x := range p {
			if x.hour >= from && x.hour < to {
				all = append(all, x.log)
			}
		}
	}
	slices.Sort(all)
	slices.Reverse(all)
	if len(all) == 0 {
		return least
	}
	h := math.Nextafter(all[0], math.Inf(1)) // above all that was seen
	for i := 0; i < len(all); i += 1 + i/50 {
		alarms, years := l.falses(o, all[i], from, to)
		if sum(alarms) > target*sum(years) {
			break
		}
		h = all[i]
	}
	return h
}

// PerDay returns how many alarms a day are so many an actor-year, in the part of
// the log on which thresholds are set.
func (l *Log) PerDay(target float64) float64 {
	from, to := l.at(calibrateFrom), l.at(judgeFrom)
	days := 0.0
	for i := range l.actors {
		days += l.actors[i].workdays(from, to)
	}
	return target * days / YearDays / (float64(to-from) / 24)
}

// Cell is one row of a table for one detector.
type Cell struct {
	Leaks  int
	Caught float64 // share
	Chance float64 // share of the same days without the leak that alarm
	Soon   float64 // share caught in the very hour in which the first record went
	Hours  float64 // median hours from the first day's beginning, of the caught
	by     map[int][2]float64
}

// RowOf names a row: a kind, a thief and a size.
type RowOf struct {
	Kind  Kind
	Thief Thief
	Size  float64
}

// Result is a detector's part of the table.
type Result struct {
	Name      string
	Target    float64 // alarms an actor-year that the threshold was set for
	Threshold float64
	False     [3]float64 // realised, and its 95 % interval
	Cells     map[RowOf]*Cell
}

// judge holds a detector's outcome against a target of alarms an actor-year: of the part
// of the log before the one that is judged, or by hindsight of that one itself.
func (l *Log) judge(name string, o *outcome, leaks []*Leak, target float64, hindsight bool, seed uint64) *Result {
	res := &Result{Name: name, Target: target, Cells: map[RowOf]*Cell{}}
	from, to := l.at(calibrateFrom), l.at(judgeFrom)
	if hindsight {
		from, to = to, math.MaxInt64
	}
	res.Threshold = l.threshold(o, target, from, to)
	alarms, years := l.falses(o, res.Threshold, l.at(judgeFrom), math.MaxInt64)
	res.False[0] = sum(alarms) / max(sum(years), 1e-9)
	res.False[1], res.False[2] = bootstrap(len(alarms), seed, func(i int) (float64, float64) { return alarms[i], years[i] })
	delays := map[RowOf][]float64{}
	for i, k := range leaks {
		row := RowOf{k.Kind, k.Thief, k.Size}
		c := res.Cells[row]
		if c == nil {
			c = &Cell{by: map[int][2]float64{}}
			res.Cells[row] = c
		}
		c.Leaks++
		by := c.by[k.Actor]
		by[1]++
		if at, ok := first(o.leaks[i], res.Threshold); ok {
			c.Caught++
			by[0]++
			delays[row] = append(delays[row], float64(at+1-k.start()))
			if at <= k.start() {
				c.Soon++
			}
		}
		c.by[k.Actor] = by
		if calm(o.calm[k.Actor], res.Threshold, k.From, k.To) {
			c.Chance++
		}
	}
	for row, c := range res.Cells {
		n := float64(c.Leaks)
		c.Caught, c.Chance, c.Soon = c.Caught/n, c.Chance/n, c.Soon/n
		if d := delays[row]; len(d) > 0 {
			slices.Sort(d)
			c.Hours = d[len(d)/2]
		}
	}
	return res
}

// start returns the hour of the first stolen record.
func (k *Leak) start() int64 {
	at := k.To
	for h := range k.Hours {
		at = min(at, h)
	}
	return at
}

// first returns the first hour at or above the threshold.
func first(p []point, h float64) (int64, bool) {
	for _, x := range p {
		if x.log >= h {
			return x.hour, true
		}
	}
	return 0, false
}

// calm reports whether the log without the leak alarms in the same hours.
func calm(p []point, h float64, from, to int64) bool {
	return slices.ContainsFunc(p, func(x point) bool { return x.hour >= from && x.hour < to && x.log >= h })
}

// Less returns by how much less one cell has caught than another, and the 95 %
// interval of the difference by bootstrap over actors. The leaks are the same.
func (c *Cell) Less(o *Cell, seed uint64) (diff, low, high float64) {
	low, high = bootstrap(len(c.by), seed, c.less(o))
	return c.Caught - o.Caught, low, high
}

// worse returns how surely one cell catches fewer than another by more than a margin: the
// share of bootstraps over actors that say it does not.
func (c *Cell) worse(o *Cell, margin float64, seed uint64) (p float64) {
	const draws = 4000
	all := resample(len(c.by), draws, seed, c.less(o))
	i, _ := slices.BinarySearch(all, -margin)
	return float64(1+draws-i) / (draws + 1)
}

// less returns, for each actor, how many leaks one cell has caught beyond those of
// another, and how many there are.
func (c *Cell) less(o *Cell) func(i int) (float64, float64) {
	actors := slices.Sorted(maps.Keys(c.by))
	return func(i int) (float64, float64) {
		a := actors[i]
		return c.by[a][0] - o.by[a][0], c.by[a][1]
	}
}

// bootstrap returns the 95 % interval of a ratio of sums over n actors.
func bootstrap(n int, seed uint64, of func(int) (float64, float64)) (low, high float64) {
	if n == 0 {
		return 0, 0
	}
	out := resample(n, 1000, seed, of)
	return out[25], out[974]
}

// resample returns a ratio of sums over n actors, of so many draws of them, sorted.
func resample(n, draws int, seed uint64, of func(int) (float64, float64)) []float64 {
	rng := rand.New(rand.NewPCG(seed, 7))
	out := make([]float64, draws)
	for i := range out {
		x, y := 0.0, 0.0
		for range n {
			a, b := of(rng.IntN(n))
			x += a
			y += b
		}
		out[i] = x / max(y, 1e-9)
	}
	slices.Sort(out)
	return out
}

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}
