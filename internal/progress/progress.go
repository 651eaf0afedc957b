// Package progress shows on a terminal how far a command is. Anywhere else it
// is silent.
package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// Line is one line that is written over again. The zero value is silent.
type Line struct {
	out   io.Writer // nil: no terminal
	next  time.Time // when the line may change again
	shown bool
}

// New returns the line of out, which is silent unless out is a terminal.
func New(out io.Writer) *Line {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &Line{out: out}
	}
	return &Line{}
}

// Show replaces the line, at most five times a second.
func (l *Line) Show(format string, a ...any) {
	if l.out == nil {
		return
	}
	now := time.Now()
	if now.Before(l.next) {
		return
	}
	l.next, l.shown = now.Add(200*time.Millisecond), true
	fmt.Fprintf(l.out, "\r\x1b[K"+format, a...)
}

// Clear takes the line away.
func (l *Line) Clear() {
	if l.shown {
		fmt.Fprint(l.out, "\r\x1b[K")
		l.shown = false
	}
}
