// Package progress shows how far a command is: to people on a terminal as a line,
// to a program that asks for it as lines of JSON. Anywhere else it is silent.
package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// Line is one line that is written over again. The zero value is silent.
type Line struct {
	out    io.Writer // nil: nobody looks
	lines  bool      // out is read by a program
	next   time.Time // when the line may change again
	shown  bool
	passes passes
}

// New returns the line of out, which is silent unless out is a terminal.
func New(out io.Writer) *Line {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &Line{out: out}
	}
	return &Line{}
}

// NewLines returns a line that is written to out again and again, each time as one
// line of JSON, a Report, for a program.
func NewLines(out io.Writer) *Line { return &Line{out: out, lines: true} }

// Report says how far a command is.
type Report struct {
	Pass   int    `json:"pass"`   // the one under way, from 1
	Passes int    `json:"passes"` // that the command takes
	Left   int64  `json:"left"`   // seconds, as long as the others took; -1: not known yet
	Doing  string `json:"doing"`  // in the pass
}

// Expect tells that the command passes n times over the same input. Each Pass begins
// one, and the line says which it is and about how long all still take.
func (l *Line) Expect(n int) { l.passes = passes{of: n} }

// Pass begins the next pass.
func (l *Line) Pass() { l.passes.begin(time.Now()) }

// Show replaces the line, at most five times a second; for a program, once a second.
func (l *Line) Show(format string, a ...any) {
	if l.out == nil {
		return
	}
	now := time.Now()
	if now.Before(l.next) {
		return
	}
	if l.lines {
		l.next = now.Add(time.Second)
		r := Report{Pass: l.passes.n, Passes: l.passes.of, Left: -1, Doing: fmt.Sprintf(format, a...)}
		if l.passes.n > 1 {
			r.Left = int64(l.passes.left(now).Seconds())
		}
		text, _ := json.Marshal(r) // numbers and a text always marshal
		fmt.Fprintf(l.out, "%s\n", text)
		return
	}
	l.next, l.shown = now.Add(200*time.Millisecond), true
	fmt.Fprintf(l.out, "\r\x1b[K"+l.passes.text(now)+format, a...)
}

// Clear takes the line away.
func (l *Line) Clear() {
	if l.shown {
		fmt.Fprint(l.out, "\r\x1b[K")
		l.shown = false
	}
}

// passes tells how long several passes still take, by how long those took that are
// over.
type passes struct {
	of, n int       // n is the one under way, from 1; 0: none yet
	began time.Time // of the first
	this  time.Time // when the n-th began
}

func (p *passes) begin(now time.Time) {
	if p.n++; p.n == 1 {
		p.began = now
	}
	p.this = now
}

// text returns what stands before a line; empty where there is only one pass.
func (p *passes) text(now time.Time) string {
	switch {
	case p.of < 2 || p.n == 0:
		return ""
	case p.n == 1:
		return fmt.Sprintf("pass 1 of %d: ", p.of)
	}
	return fmt.Sprintf("pass %d of %d, about %s left: ", p.n, p.of, p.left(now).Round(time.Second))
}

// left returns how long the passes still take, from the second on.
func (p *passes) left(now time.Time) time.Duration {
	each := p.this.Sub(p.began) / time.Duration(p.n-1)
	return max(each*time.Duration(p.of-p.n+1)-now.Sub(p.this), 0)
}
