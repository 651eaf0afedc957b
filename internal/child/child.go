// Package child runs commands of this program as processes of their own: what takes
// much memory or time shares neither with what counts and decides.
//
// A Runner runs one at a time, within a bound of memory, behind others for the
// processor. The error of a process that
// failed holds the last that it said.
package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// ErrBusy says that another process of the Runner has not ended yet.
var ErrBusy = errors.New("another one is running; wait until it has ended")

// Runner runs one process at a time. It is safe for concurrent use.
type Runner struct {
	Program string // path; empty: this program
	Memory  int64  // bytes of data that the process may have; on systems other than Linux its garbage collector only aims at it

	running sync.Mutex
}

// maxLine bounds a line of a process's diagnostics, in bytes.
const maxLine = 1 << 20

// Run runs the program with arguments until it ends, or kills it when ctx ends. What
// it writes to stdout goes to out, and each line of its diagnostics to said.
func (r *Runner) Run(ctx context.Context, args []string, out io.Writer, said func(line string)) error {
	if !r.running.TryLock() {
		return ErrBusy
	}
	defer r.running.Unlock()
	program := r.Program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return fmt.Errorf("running %s: %w", args[0], err)
		}
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.WaitDelay = out, 5*time.Second
	cmd.Env = append(os.Environ(), "GOMEMLIMIT="+strconv.FormatInt(r.Memory*9/10, 10))
	apart(cmd)
	diagnostics, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		err = bound(cmd.Process, r.Memory)
	}
	if err != nil {
		if cmd.Process != nil {
			_, _ = cmd.Process.Kill(), cmd.Wait() // the first error is told
		}
		return fmt.Errorf("running %s: %w", args[0], err)
	}
	last := ""
	lines := bufio.NewScanner(diagnostics)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		last = lines.Text()
		said(last)
	}
	_, _ = io.Copy(io.Discard, diagnostics) // what follows a line that is too long
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("running %s: %w: %s", args[0], err, last)
	}
	return nil
}
