package chart

import (
	"html/template"
	"slices"
	"strconv"
	"time"
)

// Span is one episode on a lane.
type Span struct {
	From, To int64  // Unix ms
	Class    string // its severity
	Closed   bool
	Other    bool // the filter does not choose it
	Label    string
}

// Lane is a dimension and its episodes.
type Lane struct {
	Name    string
	Spans   []Span
	Further int // episodes beside Spans
}

// maxRows is how many episodes of a lane lie one above the other; further ones are
// counted.
const maxRows = 4

// Lanes draws the episodes of a time, by dimension: the names of the dimensions, and beside
// them, in a picture of its own so that the names can stay where it is scrolled, the spans.
func Lanes(label string, lanes []Lane, from, to int64, loc *time.Location) template.HTML {
	const beside, width, row, gap, head = 110.0, 890.0, 7.0, 8.0, 18.0
	const lane = maxRows*row + gap
	height := head + float64(len(lanes))*lane
	names, c := newCanvas("names", "dimensions", beside, height), newCanvas("spans", label, width, height)
	x := scale{float64(from), float64(to), 0, width - 4}
	days(c, x, from, to, height, loc)
	for i, l := range lanes {
		at, further := head+float64(i)*lane, l.Further
		names.text("lane", 4, at+10, "start", l.Name)
		for j, placed := range stack(l.Spans) {
			s := &l.Spans[j]
			if placed < 0 {
				if !s.Other {
					further++
				}
				continue
			}
			class := "span " + s.Class
			if s.Closed {
				class += " over"
			}
			if s.Other {
				class += " other"
			}
			a := x.at(float64(s.From))
			c.rect(class, a, at+float64(placed)*row, max(x.at(float64(s.To))-a, 4), row-2, s.Label)
		}
		if further > 0 {
			names.text("tick", 4, at+24, "start", "and "+strconv.Itoa(further)+" more")
		}
		for _, of := range []*canvas{names, c} {
			of.line("grid", 0, at+lane-gap/2, of.width, at+lane-gap/2)
		}
	}
	return `<div class="lanes">` + names.html() + c.html() + `</div>`
}

// days draws a line at each midnight, or at that before each Monday where there are many.
func days(c *canvas, x scale, from, to int64, height float64, loc *time.Location) {
	t := time.UnixMilli(from).In(loc)
	day := time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, loc)
	step, named, room := 1, 2, 50.0
	if to-from > 31*24*time.Hour.Milliseconds() {
		step, named, room = 7, 4, 70
		day = day.AddDate(0, 0, (8-int(day.Weekday()))%7)
	}
	for i := 0; day.UnixMilli() < to; i++ {
		at := x.at(float64(day.UnixMilli()))
		c.line("grid", at, 12, at, height)
		if i%named == 0 && at < c.width-room {
			c.text("tick", at+2, 10, "start", day.Format("Mon 2 Jan"))
		}
		day = day.AddDate(0, 0, step)
	}
}

// stack gives each span the first row on which it lies on no other, -1 where there
// is none.
func stack(list []Span) (rows []int) {
	var taken [maxRows][]Span
	for _, s := range list {
		row := slices.IndexFunc(taken[:], func(on []Span) bool {
			return !slices.ContainsFunc(on, func(o Span) bool { return s.From < o.To && o.From < s.To })
		})
		if row >= 0 {
			taken[row] = append(taken[row], s)
		}
		rows = append(rows, row)
	}
	return rows
}
