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

// Day is a whole day beside a heat map, and what is usual.
type Day struct {
	At           int64 // Unix ms
	Value, Usual float64
	Label        string
}

// Layout of a heat map: a row a day, a column an hour, and behind them the whole day.
const (
	heatRows                  = 7
	heatLeft, heatTop         = 84.0, 16.0
	heatWidth, heatHeight     = 32.0, 24.0 // size of the cell of an hour
	heatRight                 = heatLeft + 24*heatWidth
	heatSum, heatBar, heatEnd = heatRight + 56, heatRight + 64, heatRight + 224 // the number ends at heatSum
)

// Heat draws the cells of a week, the last day of which holds to (Unix ms), as a row a day
// and a column an hour of the zone. Of cells of one hour the largest is drawn. Behind the
// hours stand whole days as bars, with a line at what is usual of the identity and another
// at what peers do; negative: not known.
func Heat(label string, cells []Cell, days []Day, peers float64, to int64, loc *time.Location) template.HTML {
	c := newCanvas("heat", label, heatEnd, heatTop+heatRows*heatHeight)
	for hour := 0; hour < 24; hour += 2 {
		c.text("tick", heatLeft+float64(hour)*heatWidth+heatWidth/2, heatTop-5, "middle", fmt.Sprintf("%02d", hour))
	}
	last := time.UnixMilli(to).In(loc)
	first := time.Date(last.Year(), last.Month(), last.Day()-heatRows+1, 0, 0, 0, 0, loc)
	rowOf := map[string]int{}
	for i := range heatRows {
		day := first.AddDate(0, 0, i)
		rowOf[day.Format(time.DateOnly)] = i
		y := heatTop + float64(i)*heatHeight
		c.text("lane", 4, y+heatHeight/2+4, "start", day.Format("Mon 2 Jan"))
		c.rect("track", heatLeft, y+1, 24*heatWidth, heatHeight-2, "")
	}
	largest := map[[2]int]*Cell{}
	for i := range cells {
		t := time.UnixMilli(cells[i].At).In(loc)
		row, shown := rowOf[t.Format(time.DateOnly)]
		if at := [2]int{row, t.Hour()}; shown && (largest[at] == nil || cells[i].Value > largest[at].Value) {
			largest[at] = &cells[i]
		}
	}
	for row := range heatRows {
		for hour := range 24 {
			if cell := largest[[2]int{row, hour}]; cell != nil {
				x, y := heatLeft+float64(hour)*heatWidth, heatTop+float64(row)*heatHeight
				class := "q" + strconv.Itoa(min(max(cell.Level, 0), 3))
				c.rect(class, x+1, y+1, heatWidth-2, heatHeight-2, cell.Label)
				c.text("value "+class, x+heatWidth/2, y+heatHeight/2+4, "middle", rough(cell.Value))
			}
		}
	}
	c.days(days, peers, rowOf, loc)
	return c.html()
}

// days draws whole days behind their hours.
func (c *canvas) days(days []Day, peers float64, rowOf map[string]int, loc *time.Location) {
	most := max(peers, 1)
	for i := range days {
		most = max(most, days[i].Value, days[i].Usual)
	}
	x := scale{0, most, heatBar, heatEnd - 4}
	for i := range days {
		d := &days[i]
		row, shown := rowOf[time.UnixMilli(d.At).In(loc).Format(time.DateOnly)]
		if !shown {
			continue
		}
		y := heatTop + float64(row)*heatHeight
		c.text("value", heatSum, y+heatHeight/2+4, "end", rough(d.Value))
		c.rect("count", heatBar, y+6, x.at(d.Value)-heatBar, heatHeight-12, d.Label)
		if d.Usual >= 0 {
			c.line("usual", x.at(d.Usual), y+2, x.at(d.Usual), y+heatHeight-2)
		}
		if peers >= 0 {
			c.line("peers", x.at(peers), y+2, x.at(peers), y+heatHeight-2)
		}
	}
	if len(days) > 0 {
		c.text("tick", heatBar, heatTop-5, "start", "whole day")
	}
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
