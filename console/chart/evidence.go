package chart

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"time"
)

// Part is a named part of a sum.
type Part struct {
	Name  string
	Value float64
}

// Column is the evidence of one message, in nats.
type Column struct {
	Time      int64 // Unix ms
	Parts     []Part
	Threshold float64 // what opens an episode
}

// series are how many measures have a pattern of their own.
const series = 5

// Evidence draws the evidence of each message as a column, by measure, with what
// was needed as a line across it. It also returns the measures in the order of
// their patterns.
func Evidence(label string, list []Column, loc *time.Location) (template.HTML, []string) {
	const width, bar, height = courseWidth, 34.0, 200.0
	names := measures(list)
	most := 0.0
	for _, col := range list {
		sum := 0.0
		for _, p := range col.Parts {
			sum += max(p.Value, 0)
		}
		most = max(most, sum, col.Threshold)
	}
	c := newCanvas("course", label, width, height)
	y := scale{0, niceTop(most), height - bottom, 8}
	for _, share := range []float64{0, 0.5, 1} {
		c.line("grid", left, y.at(y.to*share), width-right, y.at(y.to*share))
		c.text("tick", left-6, y.at(y.to*share)+4, "end", short(y.to*share))
	}
	step := (width - left - right) / float64(max(len(list), 6))
	for i, col := range list {
		x, base := left+step*float64(i)+step*0.15, 0.0
		w := min(bar, step*0.7)
		for _, p := range col.Parts {
			if !(p.Value > 0) {
				continue
			}
			n := slices.Index(names, p.Name)
			c.rect("part s"+strconv.Itoa(min(n, series-1)), x, y.at(base+p.Value), w, y.at(base)-y.at(base+p.Value),
				fmt.Sprintf("%s: %.1f nats", p.Name, p.Value))
			base += p.Value
		}
		c.line("usual", x-3, y.at(col.Threshold), x+w+3, y.at(col.Threshold))
		if i%max(len(list)/6, 1) == 0 {
			c.text("tick", x, height-10, "start", time.UnixMilli(col.Time).In(loc).Format("2 Jan 15:04"))
		}
	}
	return c.html(), names
}

// measures returns the names of all parts, those that weigh most first.
func measures(list []Column) (names []string) {
	sum := map[string]float64{}
	for _, col := range list {
		for _, p := range col.Parts {
			if p.Value > 0 {
				if _, seen := sum[p.Name]; !seen {
					names = append(names, p.Name)
				}
				sum[p.Name] += p.Value
			}
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		switch {
		case sum[a] > sum[b]:
			return -1
		case sum[a] < sum[b]:
			return 1
		}
		return 0
	})
	return names
}
