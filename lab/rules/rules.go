// Package rules holds the rules of thumb that people watch their logs with today:
// a day far above its mean, 24 hours far above the usual. weir is compared with
// them on a real log, at the same number of false alarms.
package rules

import (
	"math"
	"slices"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

// Hourly holds the distinct records of each identity of one dimension by the
// hour, which is what the rules look at.
type Hourly struct {
	First  int64 // hours since 1970
	Hours  int
	Counts map[string][]float64 // by identity, one count an hour

	dim    event.Dimension
	hasher event.Hasher
	seen   map[touch]bool
	buf    []byte
}

type touch struct {
	id     string
	hour   int64
	record uint64
}

// NewHourly returns counts of nothing.
func NewHourly(dim event.Dimension, hasher event.Hasher) *Hourly {
	return &Hourly{dim: dim, hasher: hasher, seen: map[touch]bool{}, Counts: map[string][]float64{}}
}

// Observe takes in one event, in about the order of time: none is earlier than
// the hour of the first.
func (h *Hourly) Observe(ev *event.Event) {
	id, ok := h.dim.AppendIdentity(h.buf[:0], ev, h.hasher)
	h.buf = id
	if !ok || !ev.Action.Access() {
		return
	}
	hour := eventtime.HourOf(ev.Time)
	if h.Hours == 0 {
		h.First = hour
	}
	if hour < h.First {
		return
	}
	h.Hours = max(h.Hours, int(hour-h.First)+1)
	for _, r := range ev.Records {
		t := touch{string(id), hour, h.hasher.Hash(r)}
		if h.seen[t] {
			continue
		}
		h.seen[t] = true
		row := h.Counts[t.id]
		for len(row) < h.Hours {
			row = append(row, 0)
		}
		row[hour-h.First]++
		h.Counts[t.id] = row
	}
}

// Row returns the identity's counts over all hours, with one more for each
// record that a leak has taken; taken are the times of those, in ms.
func (h *Hourly) Row(id string, taken []int64) []float64 {
	row := make([]float64, h.Hours)
	copy(row, h.Counts[id])
	for _, t := range taken {
		if at := eventtime.HourOf(t) - h.First; at >= 0 && at < int64(len(row)) {
			row[at]++
		}
	}
	return row
}

// Rule is a rule of today: it scores each hour of a row of hourly counts.
type Rule struct {
	Name      string
	Customary float64 // the threshold that people use
	Score     func(row []float64) []float64
}

// trailingDays is the past that the rules look at.
const trailingDays = 30

// All returns the rules that weir is compared with on real logs.
func All() []Rule {
	return []Rule{
		{"a day over mean + c sd of 30 days", 3, overDeviations},
		{"24 h over c times the mean of 30 days", 3, overMean},
	}
}

// overDeviations scores the day so far: how many standard deviations it is above
// the mean of the thirty days before, zeros and weekends included.
func overDeviations(row []float64) []float64 {
	return scoreDays(row, func(today, _, mean, sd float64) float64 { return (today - mean) / max(sd, 1) })
}

// overMean scores the last 24 hours, as a multiple of the mean of the thirty
// days before.
func overMean(row []float64) []float64 {
	return scoreDays(row, func(_, last24, mean, _ float64) float64 { return last24 / max(mean, 1) })
}

func scoreDays(row []float64, score func(today, last24, mean, sd float64) float64) []float64 {
	out := make([]float64, len(row))
	var days []float64 // totals of the days that are over
	today, last24 := 0.0, 0.0
	for i, c := range row {
		if i%24 == 0 && i > 0 {
			days = append(days, today)
			today = 0
		}
		today += c
		last24 += c
		if i >= 24 {
			last24 -= row[i-24]
		}
		if n := len(days); n >= 7 {
			mean, sd := moments(days[max(0, n-trailingDays):])
			out[i] = score(today, last24, mean, sd)
		}
	}
	return out
}

func moments(list []float64) (mean, sd float64) {
	for _, v := range list {
		mean += v
	}
	mean /= float64(len(list))
	for _, v := range list {
		sd += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sd / float64(len(list)))
}

// rearm is for how many hours a score must stay below the threshold before
// another alarm of the same identity is one of its own.
const rearm = 24

// Alarms returns the hours, as indexes from an hour on, at which scores reach
// the threshold anew.
func Alarms(scores []float64, threshold float64, from int) []int {
	var out []int
	below := rearm
	for i, v := range scores {
		switch {
		case v < threshold:
			below++
		default:
			if below >= rearm && i >= from {
				out = append(out, i)
			}
			below = 0
		}
	}
	return out
}

// ThresholdFor returns the least threshold at which all rows together raise no
// more alarms than so many from an hour on.
func ThresholdFor(rows [][]float64, alarms, from int) float64 {
	var levels []float64
	for _, row := range rows {
		for _, v := range row[min(from, len(row)):] {
			if v > 0 {
				levels = append(levels, v)
			}
		}
	}
	slices.Sort(levels)
	levels = slices.Compact(levels)
	n := func(threshold float64) (sum int) {
		for _, row := range rows {
			sum += len(Alarms(row, threshold, from))
		}
		return sum
	}
	// Fewer alarms at a higher threshold, but for excursions that part in two.
	lo, hi := 0, len(levels)
	for lo < hi {
		if mid := (lo + hi) / 2; n(levels[mid]) <= alarms {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	if lo == len(levels) {
		return math.Inf(1)
	}
	return levels[lo]
}

// Interval returns the 95 % confidence interval of the mean of a Poisson count
// (Byar's approximation to the exact one).
func Interval(count int) (low, high float64) {
	n := float64(count)
	if count > 0 {
		low = n * math.Pow(1-1/(9*n)-1.96/(3*math.Sqrt(n)), 3)
	}
	n++
	return low, n * math.Pow(1-1/(9*n)+1.96/(3*math.Sqrt(n)), 3)
}
