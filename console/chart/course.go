package chart

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Mark is a moment that a picture points to.
type Mark struct {
	Time  int64  // Unix ms
	Label string // short
	Class string // onset, alert or verdict
	// From and To are the span within which the moment lies, Unix ms; 0: it is known.
	From, To int64
}

// The frame of a large picture.
const (
	courseWidth, courseHeight = 640.0, 200.0
	left, right, top, bottom  = 64.0, 12.0, 24.0, 28.0
)

// tickWidth is how wide the longest text of a tick is.
const tickWidth = 96.0

// ticks returns at most six round times of a zone within a span.
func ticks(from, to int64, loc *time.Location) (out []time.Time) {
	const most = 6
	steps := []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour}
	span := time.Duration(to-from) * time.Millisecond
	first := time.UnixMilli(from).In(loc)
	day := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, loc)
	i := slices.IndexFunc(steps, func(step time.Duration) bool { return span <= most*step })
	next := func(n int) time.Time { return day.Add(time.Duration(n) * steps[i]) }
	if i < 0 {
		days := max(int(span/(most*24*time.Hour))+1, 1)
		next = func(n int) time.Time { return day.AddDate(0, 0, n*days) } // days may have 23 hours
	}
	for n := 0; next(n).UnixMilli() <= to && len(out) < most+1; n++ {
		if !next(n).Before(first) {
			out = append(out, next(n))
		}
	}
	return out
}

// tickText writes the time of a tick: at midnight the day.
func tickText(t time.Time) string {
	if t.Hour() == 0 && t.Minute() == 0 {
		return t.Format("Mon 2 Jan")
	}
	return t.Format("Mon 15:04")
}

// frame draws axes, marks and their words, and returns the scales.
func frame(c *canvas, from, to int64, most float64, marks []Mark, loc *time.Location) (x, y scale) {
	x = scale{float64(from), float64(to), left, courseWidth - right}
	y = scale{0, niceTop(most), courseHeight - bottom, top}
	for _, share := range []float64{0, 0.5, 1} {
		v := y.to * share
		c.line("grid", left, y.at(v), courseWidth-right, y.at(v))
		c.text("tick", left-6, y.at(v)+4, "end", short(v))
	}
	for _, t := range ticks(from, to, loc) {
		at := x.at(float64(t.UnixMilli()))
		c.line("grid", at, courseHeight-bottom, at, courseHeight-bottom+4)
		if at+tickWidth/2 < courseWidth {
			c.text("tick", at, courseHeight-10, "middle", tickText(t))
		}
	}
	end := 0.0
	for _, m := range marks {
		at := x.at(float64(m.Time))
		if a, b := max(m.From, from), min(m.To, to); m.To != 0 && a < b {
			c.rect("span "+m.Class, x.at(float64(a)), top, x.at(float64(b))-x.at(float64(a)), courseHeight-bottom-top, m.Label)
		}
		c.line("mark "+m.Class, at, top-6, at, courseHeight-bottom)
		if at >= end { // words that would lie on others are left out; the list below the picture has them
			anchor, width := "start", 6.5*float64(len(m.Label))
			if at+width > courseWidth {
				anchor = "end"
			}
			c.text("word "+m.Class, at+2, top-10, anchor, m.Label)
			end = at + width + 10
		}
	}
	return x, y
}

// Exposure draws how much has been exposed, with its bars, and each message: a
// full dot was sent, a hollow one held back.
func Exposure(label string, list []Sample, marks []Mark, loc *time.Location) template.HTML {
	c := newCanvas("course", label, courseWidth, courseHeight)
	if len(list) < 2 {
		return c.html()
	}
	most := 0.0
	for i := range list {
		most = max(most, list[i].High, list[i].Value)
	}
	x, y := frame(c, list[0].Time, list[len(list)-1].Time, most, marks, loc)
	c.path("band", band(list, x, y), true)
	c.path("curve", curve(list, x, y), false)
	for i := range list[1:] {
		s := &list[i+1]
		class := "sent"
		if s.Hollow {
			class = "held"
		}
		c.circle(class, x.at(float64(s.Time)), y.at(s.Value), 4, s.Label)
	}
	return c.html()
}

// Counts draws what was counted in intervals against what is usual in them: a
// column is the count, the line across it what is usual, the band what usual counts
// mostly lie in.
func Counts(label string, list []Sample, from, to int64, marks []Mark, loc *time.Location) template.HTML {
	c := newCanvas("course", label, courseWidth, courseHeight)
	if len(list) == 0 {
		return c.html()
	}
	most := 0.0
	for i := range list {
		most = max(most, list[i].Value, list[i].Usual, list[i].Most)
	}
	x, y := frame(c, from, to, most, marks, loc)
	for i := range list {
		s := &list[i]
		a := x.at(float64(s.Time))
		width := max(x.at(float64(s.Time+s.Width))-a-1, 3)
		a = min(a, courseWidth-right-width)
		c.rect("count", a, y.at(s.Value), width, y.at(0)-y.at(s.Value), s.Label)
		if s.Most > 0 {
			c.rect("usualband", a-1, y.at(s.Most), width+2, y.at(s.Least)-y.at(s.Most), s.Label)
		}
		if s.Usual >= 0 {
			c.line("halo", a-1, y.at(s.Usual), a+width+1, y.at(s.Usual))
			c.line("usual", a-1, y.at(s.Usual), a+width+1, y.at(s.Usual))
		}
	}
	return c.html()
}

// short writes a number for an axis: 12, 1.5k, 33M.
func short(v float64) string {
	for _, u := range []struct {
		from float64
		word string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= u.from {
			return strings.TrimSuffix(strconv.FormatFloat(v/u.from, 'f', 1, 64), ".0") + u.word
		}
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}
