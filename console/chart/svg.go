// Package chart draws the console's pictures as SVG: pure functions from numbers
// to text, without script and without styles of their own, so that a strict
// content security policy lets them through. Colours come from classes; each
// picture has a name for screen readers, and no fact is told by colour alone.
package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// canvas gathers the elements of one picture.
type canvas struct {
	b             strings.Builder
	width, height float64
}

// newCanvas begins a picture; label is its name for screen readers.
func newCanvas(class, label string, width, height float64) *canvas {
	c := &canvas{width: width, height: height}
	fmt.Fprintf(&c.b, `<svg class="%s" role="img" aria-label="%s" viewBox="0 0 %s %s" width="%s" height="%s">`,
		class, html.EscapeString(label), num(width), num(height), num(width), num(height))
	return c
}

func (c *canvas) html() template.HTML {
	c.b.WriteString("</svg>")
	return template.HTML(c.b.String()) //nolint:gosec // every text in it is escaped, numbers come from num
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&c.b, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, num(x1), num(y1), num(x2), num(y2))
}

func (c *canvas) rect(class string, x, y, width, height float64, title string) {
	fmt.Fprintf(&c.b, `<rect class="%s" x="%s" y="%s" width="%s" height="%s" rx="1">`, class, num(x), num(y), num(max(width, 0)), num(max(height, 0)))
	c.title(title)
	c.b.WriteString("</rect>")
}

func (c *canvas) circle(class string, x, y, r float64, title string) {
	fmt.Fprintf(&c.b, `<circle class="%s" cx="%s" cy="%s" r="%s">`, class, num(x), num(y), num(r))
	c.title(title)
	c.b.WriteString("</circle>")
}

func (c *canvas) title(text string) {
	if text != "" {
		c.b.WriteString("<title>" + html.EscapeString(text) + "</title>")
	}
}

// text writes a text; anchor is start, middle or end.
func (c *canvas) text(class string, x, y float64, anchor, text string) {
	fmt.Fprintf(&c.b, `<text class="%s" x="%s" y="%s" text-anchor="%s">%s</text>`, class, num(x), num(y), anchor, html.EscapeString(text))
}

// path draws through points; closed fills what they enclose.
func (c *canvas) path(class string, points []point, closed bool) {
	if len(points) == 0 {
		return
	}
	fmt.Fprintf(&c.b, `<path class="%s" d="`, class)
	for i, p := range points {
		letter := "L"
		if i == 0 {
			letter = "M"
		}
		c.b.WriteString(letter + num(p.x) + " " + num(p.y))
	}
	if closed {
		c.b.WriteString("Z")
	}
	c.b.WriteString(`"/>`)
}

type point struct{ x, y float64 }

// num writes a coordinate.
func num(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0"
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// scale maps [from, to] to [a, b].
type scale struct{ from, to, a, b float64 }

func (s scale) at(v float64) float64 {
	if s.to <= s.from {
		return s.a
	}
	return s.a + (min(max(v, s.from), s.to)-s.from)/(s.to-s.from)*(s.b-s.a)
}

// niceTop returns the next of 1, 2, 5, 10, 20, … that is not below v.
func niceTop(v float64) float64 {
	if !(v > 0) {
		return 1
	}
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*p >= v*0.9999 {
			return m * p
		}
	}
	return 10 * p
}
