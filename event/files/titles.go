package files

import (
	"slices"
	"strings"
)

// headerWithin is how many lines at the beginning of a table may hold its header.
const headerWithin = 30

// skipTitles passes over what spreadsheets and reports write above the header of a table:
// lines of fewer cells, or with one that is filled. It does so only where a line of names
// follows that has as many cells as most rows.
func (r *rowReader) skipTitles() {
	var lines []string
	var at []int // their numbers among those that are held
	for k := range headerWithin {
		line, err := r.line(k)
		if err != nil {
			break // met again when the line is read
		}
		switch text := string(line.text); {
		case text[0] == '{':
			return
		case !r.preamble(text) && text[0] != '#' && !isRule(text):
			lines, at = append(lines, text), append(at, k)
		}
	}
	commas := ",;\t|"
	if r.comma != 0 {
		commas = string(r.comma)
	}
	var comma rune
	width, most := 0, 1
	for _, c := range commas {
		if w, n := widthOf(lines, c); n > most || n == most && w > width {
			comma, width, most = c, w, n
		}
	}
	if width == 0 {
		return
	}
	header := slices.IndexFunc(lines, func(s string) bool { return isHeader(cellsOf(s, comma), width) })
	if header <= 0 || slices.ContainsFunc(lines[:header], func(s string) bool { return !isTitle(cellsOf(s, comma), width) }) {
		return
	}
	r.comma = comma
	for _, k := range slices.Backward(at[:header]) {
		r.held = slices.Delete(r.held, k, k+1)
	}
}

// widthOf returns how many cells most lines have, of those that have several, and how
// many lines that are.
func widthOf(lines []string, comma rune) (width, most int) {
	of := map[int]int{}
	for _, s := range lines {
		n := len(cellsOf(s, comma))
		if of[n]++; n > 1 && (of[n] > most || of[n] == most && n > width) {
			width, most = n, of[n]
		}
	}
	return width, most
}

// cellsOf returns the cells of a line, without the quotation marks and blanks around them.
func cellsOf(line string, comma rune) []string {
	var cells []string
	quoted, from := false, 0
	for i, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == comma && !quoted:
			cells = append(cells, strings.Trim(line[from:i], `" `))
			from = i + 1 // a separator is one byte
		}
	}
	return append(cells, strings.Trim(line[from:], `" `))
}

// isHeader reports whether cells are the names of so many columns.
func isHeader(cells []string, width int) bool {
	for i, c := range cells {
		if c == "" || c[0] >= '0' && c[0] <= '9' || slices.Contains(cells[:i], c) {
			return false
		}
	}
	return len(cells) == width
}

// isTitle reports whether cells can be no header: there are others in number, or one is
// filled.
func isTitle(cells []string, width int) bool {
	empty := 0
	for _, c := range cells {
		if c == "" {
			empty++
		}
	}
	return len(cells) != width || empty >= len(cells)-1
}
