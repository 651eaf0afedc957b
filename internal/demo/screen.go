package demo

import (
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/weirhq/weir/alerting"
)

// The escape codes of a picture (ECMA-48, and xterm's second screen).
const (
	enterPicture = "\x1b[?1049h\x1b[?25l" // second screen, no cursor
	leavePicture = "\x1b[?25h\x1b[?1049l" // cursor, first screen
	holdOutput   = "\x1b[?2026h"          // show nothing until the picture is whole
	showOutput   = "\x1b[?2026l"          // terminals that do not know these two pass over them
	home         = "\x1b[H"               // upper left corner
	endLine      = "\x1b[K"               // clear to the end of the line
	endPicture   = "\x1b[J"               // clear to the end of the screen
)

// screenDisplay draws the picture on a terminal, anew each time: its size may
// have changed.
type screenDisplay struct {
	out    *os.File
	colour bool
	last   string
}

// newScreenDisplay takes the terminal; close gives it back. There is no colour
// where NO_COLOR asks for none (no-color.org).
func newScreenDisplay(out *os.File) *screenDisplay {
	s := &screenDisplay{out: out, colour: os.Getenv("NO_COLOR") == ""}
	s.write(enterPicture)
	return s
}

// write has no remedy when a terminal is gone: the process gets SIGHUP.
func (d *screenDisplay) write(text string) { _, _ = d.out.WriteString(text) }

func (d *screenDisplay) alert(*state, *alerting.Alert) {}

func (d *screenDisplay) frame(s *state) {
	width, height, err := term.GetSize(int(d.out.Fd()))
	if err != nil {
		width, height = 80, 24
	}
	var b strings.Builder
	b.WriteString(holdOutput + home)
	for i, line := range picture(s, width, height) {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(line.String(d.colour) + endLine)
	}
	b.WriteString(endPicture + showOutput)
	if picture := b.String(); picture != d.last {
		d.write(picture)
		d.last = picture
	}
}

func (d *screenDisplay) close() { d.write(leavePicture) }
