package chart

import (
	"fmt"
	"html/template"
	"strconv"
	"time"
)

// Cell is an hour of a heat map.
type Cell struct {
	At    int64 // Unix ms
	Value float64
	Level int // how far above the usual, 0 to 3
	Label string
}

// Heat draws the cells of some days, the last of which holds to (Unix ms), as a row a day
// and a column an hour of the zone. Of cells of one hour the largest is drawn.
func Heat(label string, cells []Cell, days int, to int64, loc *time.Location) template.HTML {
	const left, top, width, height = 84.0, 16.0, 38.0, 24.0
	c := newCanvas("heat", label, left+24*width, top+float64(days)*height)
	for hour := 0; hour < 24; hour += 2 {
		c.text("tick", left+float64(hour)*width+width/2, top-5, "middle", fmt.Sprintf("%02d", hour))
	}
	last := time.UnixMilli(to).In(loc)
	first := time.Date(last.Year(), last.Month(), last.Day()-days+1, 0, 0, 0, 0, loc)
	rows := map[string]int{}
	for i := range days {
		day := first.AddDate(0, 0, i)
		rows[day.Format(time.DateOnly)] = i
		y := top + float64(i)*height
		c.text("lane", 4, y+height/2+4, "start", day.Format("Mon 2 Jan"))
		c.rect("track", left, y+1, 24*width, height-2, "")
	}
	largest := map[[2]int]*Cell{}
	for i := range cells {
		t := time.UnixMilli(cells[i].At).In(loc)
		row, shown := rows[t.Format(time.DateOnly)]
		if at := [2]int{row, t.Hour()}; shown && (largest[at] == nil || cells[i].Value > largest[at].Value) {
			largest[at] = &cells[i]
		}
	}
	for row := range days {
		for hour := range 24 {
			if cell := largest[[2]int{row, hour}]; cell != nil {
				x, y := left+float64(hour)*width, top+float64(row)*height
				class := "q" + strconv.Itoa(min(max(cell.Level, 0), 3))
				c.rect(class, x+1, y+1, width-2, height-2, cell.Label)
				c.text("value "+class, x+width/2, y+height/2+4, "middle", rough(cell.Value))
			}
		}
	}
	return c.html()
}

// rough writes a count in at most four characters; nothing is a dot.
func rough(v float64) string {
	switch {
	case !(v < 999_500_000): // also what is no number
		return "…"
	case v < 0.5:
		return "·"
	case v < 999.5:
		return strconv.Itoa(int(v + 0.5))
	case v < 999_500:
		return strconv.Itoa(int(v/1e3+0.5)) + "k"
	}
	return strconv.Itoa(int(v/1e6+0.5)) + "M"
}
