package chart

import (
	"html/template"
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
	courseWidth, courseHeight = 720.0, 200.0
	left, right, top, bottom  = 64.0, 12.0, 24.0, 28.0
)

// frame draws axes, marks and their words, and returns the scales.
func frame(c *canvas, from, to int64, most float64, marks []Mark, loc *time.Location) (x, y scale) {
	x = scale{float64(from), float64(to), left, courseWidth - right}
	y = scale{0, niceTop(most), courseHeight - bottom, top}
	for _, share := range []float64{0, 0.5, 1} {
		v := y.to * share
		c.line("grid", left, y.at(v), courseWidth-right, y.at(v))
		c.text("tick", left-6, y.at(v)+4, "end", short(v))
	}
	const ticks = 4
	layout := "Mon 2 Jan 15:04"
	for i := range ticks + 1 {
		t := from + (to-from)*int64(i)/ticks
		anchor := "middle"
		switch i {
		case 0:
			anchor = "start"
		case ticks:
			anchor = "end"
		}
		c.line("grid", x.at(float64(t)), courseHeight-bottom, x.at(float64(t)), courseHeight-bottom+4)
		c.text("tick", x.at(float64(t)), courseHeight-10, anchor, time.UnixMilli(t).In(loc).Format(layout))
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
// column is the count, the line across it what is usual.
func Counts(label string, list []Sample, from, to int64, marks []Mark, loc *time.Location) template.HTML {
	c := newCanvas("course", label, courseWidth, courseHeight)
	if len(list) == 0 {
		return c.html()
	}
	most := 0.0
	for i := range list {
		most = max(most, list[i].Value, list[i].Usual)
	}
	x, y := frame(c, from, to, most, marks, loc)
	for i := range list {
		s := &list[i]
		a := x.at(float64(s.Time))
		width := max(x.at(float64(s.Time+s.Width))-a, 6)
		a = min(a, courseWidth-right-width)
		c.rect("count", a, y.at(s.Value), width, y.at(0)-y.at(s.Value), s.Label)
		c.line("usual", a-3, y.at(s.Usual), a+width+3, y.at(s.Usual))
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
