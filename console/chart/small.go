package chart

import (
	"html/template"
	"math"
	"time"
)

// Sample is an estimate at a time, with its bars.
type Sample struct {
	Time        int64 // Unix ms
	Value       float64
	Low, High   float64
	Label       string  // what it is, for people
	Hollow      bool    // it was held back
	Usual       float64 // negative: not known
	Least, Most float64 // that usual counts mostly lie between; 0: not known
	Width       int64   // of the interval that was counted, ms
}

// Spark draws the counts of days up to one that holds to (Unix ms), a column each, against
// the band that usual counts mostly lie in: of days without a count, and of those without a
// band, that of the day before.
func Spark(label string, list []Sample, days int, to int64, loc *time.Location) template.HTML {
	const width, height = 120.0, 30.0
	c := newCanvas("spark", label, width, height)
	of, most := make([]*Sample, days), 1.0
	last := date(to, loc)
	for i := range list {
		if at := days - 1 - last + date(list[i].Time, loc); at >= 0 && at < days {
			of[at] = &list[i]
			most = max(most, list[i].Value, list[i].Most)
		}
	}
	y, slot := scale{0, most, height - 2, 2}, width/float64(days)
	low, high := 0.0, 0.0
	for i, s := range of {
		x := float64(i) * slot
		if s != nil {
			column := min(y.at(s.Value), height-3)
			c.rect("count", x+1, column, slot-2, height-2-column, s.Label)
		}
		if s != nil && s.Most > 0 {
			low, high = y.at(s.Least), y.at(s.Most)
		}
		if high > 0 {
			c.rect("usualband", x, min(high, low-1.5), slot, max(low-high, 1.5), "")
		}
	}
	c.line("grid", 0, height-1, width, height-1)
	return c.html()
}

// date returns the number of the day of a zone that a time lies in.
func date(ms int64, loc *time.Location) int {
	year, month, day := time.UnixMilli(ms).In(loc).Date()
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86_400)
}

// curve is drawn in steps of straight lines through the values.
func curve(list []Sample, x, y scale) (out []point) {
	for i := range list {
		out = append(out, point{x.at(float64(list[i].Time)), y.at(list[i].Value)})
	}
	return out
}

func band(list []Sample, x, y scale) (out []point) {
	for i := range list {
		out = append(out, point{x.at(float64(list[i].Time)), y.at(list[i].High)})
	}
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, point{x.at(float64(list[i].Time)), y.at(list[i].Low)})
	}
	return out
}

// Bar draws a number on a logarithmic scale up to most, with its bars as a
// whisker.
func Bar(label string, value, low, high, most float64) template.HTML {
	const width, height = 120.0, 12.0
	c := newCanvas("bar", label, width, height)
	x := func(v float64) float64 {
		return scale{0, math.Log1p(max(most, 10)), 0, width - 2}.at(math.Log1p(max(v, 0)))
	}
	c.rect("track", 0, 3, width-2, 6, "")
	c.rect("fill", 0, 3, max(x(value), 1), 6, "")
	if high > low {
		c.line("whisker", x(low), 6, x(high), 6)
		c.line("whisker", x(low), 2, x(low), 10)
		c.line("whisker", x(high), 2, x(high), 10)
	}
	return c.html()
}

// Share draws a part of a whole, 0..1.
func Share(label string, share float64) template.HTML {
	const width, height = 120.0, 10.0
	c := newCanvas("bar", label, width, height)
	c.rect("track", 0, 2, width, 6, "")
	c.rect("fill", 0, 2, width*min(max(share, 0), 1), 6, "")
	return c.html()
}
