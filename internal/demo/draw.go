package demo

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weirhq/weir/alerting"
)

// style is how a piece of a picture looks, as the parameters of SGR; normal is
// none.
type style string

// The styles.
const (
	normal style = ""
	strong style = "1"
	faint  style = "2"
	good   style = "32"
	warned style = "33"
	bad    style = "1;31"
)

// span is a piece of a line in one style.
type span struct {
	text  string
	style style
}

// viewLine is one line of a picture.
type viewLine []span

func (l *viewLine) add(s style, format string, a ...any) {
	*l = append(*l, span{fmt.Sprintf(format, a...), s})
}

// String returns the line, with escape codes if it is to have colours.
func (l viewLine) String(colour bool) string {
	var b strings.Builder
	for _, s := range l {
		if colour && s.style != normal {
			b.WriteString("\x1b[" + string(s.style) + "m" + s.text + "\x1b[0m")
		} else {
			b.WriteString(s.text)
		}
	}
	return b.String()
}

// cut returns the line cut to so many columns; every rune here takes one.
func (l viewLine) cut(width int) viewLine {
	var out viewLine
	for _, s := range l {
		n := utf8.RuneCountInString(s.text)
		if n > width {
			s.text, n = string([]rune(s.text)[:width]), width
		}
		if width -= n; n > 0 {
			out = append(out, s)
		}
	}
	return out
}

// bar draws a share of a width in eighths of a column.
func bar(share float64, width int) string {
	if width <= 0 || math.IsNaN(share) {
		return ""
	}
	eighths := int(math.Round(min(max(share, 0), 1) * float64(8*width)))
	b := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		b += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return b + strings.Repeat(" ", width-utf8.RuneCountInString(b))
}

// cell returns other people's text as one printable word of at most width
// columns.
func cell(text string, width int) string {
	runes := []rune(alerting.Printable(text, 4*width))
	if len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return string(runes)
}

// column returns a cell padded to its width.
func column(text string, width int) string {
	text = cell(text, width)
	return text + strings.Repeat(" ", width-utf8.RuneCountInString(text))
}

// amount writes a count: with one decimal where it is small.
func amount(v float64) string {
	if v < 9.95 {
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	}
	return alerting.Group(int64(math.Round(v)))
}

// wrap breaks text at spaces into lines of at most width columns.
func wrap(text string, width int) (lines []string) {
	width = max(width, 1)
	line, used := "", 0
	for word := range strings.FieldsSeq(text) {
		for n := utf8.RuneCountInString(word); n > width; n = utf8.RuneCountInString(word) { // longer than a line
			if used > 0 {
				lines, line, used = append(lines, line), "", 0
			}
			runes := []rune(word)
			lines, word = append(lines, string(runes[:width])), string(runes[width:])
		}
		n := utf8.RuneCountInString(word)
		switch {
		case used == 0:
			line, used = word, n
		case used+1+n <= width:
			line, used = line+" "+word, used+1+n
		default:
			lines, line, used = append(lines, line), word, n
		}
	}
	if used > 0 {
		lines = append(lines, line)
	}
	return lines
}
