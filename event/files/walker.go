package files

import "github.com/weirhq/weir/event"

// walker goes through a document byte by byte, to find its end.
type walker struct {
	state   walkState
	depth   int
	quoted  bool // within a text
	escaped bool // after a backslash in one
	last    byte // the last byte outside of texts that was no white space
}

type walkState uint8

const (
	open   walkState = iota // the document goes on
	ended                   // it is complete
	broken                  // it is none
)

// walk goes on from b[i], and returns where it stopped.
func (w walker) walk(b []byte, i int) (int, walker) {
	for ; i < len(b); i++ {
		c := b[i]
		if w.quoted {
			switch {
			case w.escaped:
				w.escaped = false
			case c == '\\':
				w.escaped = true
			case c == '"':
				w.quoted = false
			}
			if c == '\n' {
				w.state = broken
				return i, w
			}
			continue
		}
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '"':
			w.quoted = true
		case '{', '[':
			if w.depth > 0 && w.last != ':' && w.last != ',' && w.last != '[' || w.depth > event.MaxDepth {
				w.state = broken
				return i, w
			}
			w.depth++
		case '}', ']':
			if w.depth--; w.depth == 0 {
				w.state = ended
				return i + 1, w
			}
		}
		w.last = c
	}
	return i, w
}
