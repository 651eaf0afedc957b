// Package tuning runs weir tune for the console: it reads a log again under several
// alert budgets, and keeps what it says of each.
//
// A Job has at most one run under way, a process of its own with a bound of memory,
// and keeps the latest. What pages show of it is an immutable Run.
package tuning

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/child"
	"github.com/weirhq/weir/internal/progress"
)

// Memory is what a run may take, in bytes.
const Memory = 4 << 30

// Bounds of a Request.
const (
	maxBudgets = 8
	maxBudget  = 1000
	maxCount   = 10
)

// Request says what to try.
type Request struct {
	Budgets []float64 `json:"budgets"`         // alerts a day, beside the one of the configuration
	Count   int       `json:"count,omitempty"` // how many people each leak is tried with, one after the other
}

// check says what is wrong with a request.
func (q *Request) check() error {
	if len(q.Budgets) == 0 || len(q.Budgets) > maxBudgets {
		return fmt.Errorf("try 1 to %d budgets", maxBudgets)
	}
	for _, b := range q.Budgets {
		if !(b > 0 && b <= maxBudget) {
			return fmt.Errorf("a budget is above 0 and at most %d alerts a day", maxBudget)
		}
	}
	if q.Count < 1 || q.Count > maxCount {
		return fmt.Errorf("a leak is tried with 1 to %d people", maxCount)
	}
	return nil
}

// Describe adds the bounds of a Request to the schemas of its fields.
func Describe(fields map[string]any) {
	fields["budgets"] = map[string]any{"type": "array", "minItems": 1, "maxItems": maxBudgets, "items": map[string]any{"type": "number", "exclusiveMinimum": 0, "maximum": maxBudget}}
	fields["count"] = map[string]any{"type": "integer", "minimum": 1, "maximum": maxCount}
}

// args returns the arguments of weir tune, but for the log: those that a person would
// give.
func (q *Request) args() []string {
	args := []string{"tune", "-o", "json"}
	for _, b := range q.Budgets {
		args = append(args, "--try", Setting(b))
	}
	for _, rate := range []string{"2x", "5x"} {
		args = append(args, "--inject", fmt.Sprintf("KIND=drift,RATE=%s,COUNT=%d", rate, q.Count))
	}
	return args
}

// setting is the key of the budget as --try names it.
const setting = "alerts.budget="

// Setting names a budget as --try does.
func Setting(budget float64) string {
	return setting + config.Budget(budget).String()
}

// Ladder returns budgets to try beside one: from a quarter of it to four times as much.
func Ladder(budget float64) []float64 {
	return []float64{budget / 4, budget / 2, budget * 2, budget * 4}
}

// Log returns the arguments by which weir tune finds the log. done is called when the
// run has ended.
type Log func() (args []string, done func(), err error)

// Files is a Log of a configuration, or none, and of files, or the sources of the
// configuration.
func Files(config, format string, files []string) Log {
	var args []string
	if config != "" {
		args = append(args, "-c", config)
	}
	if format != "" {
		args = append(args, "--format", format)
	}
	args = append(args, files...)
	return func() ([]string, func(), error) { return args, func() {}, nil }
}

// Run is one run, as far as it is. It is immutable.
type Run struct {
	Request  Request
	By       string // who began it
	Began    time.Time
	Over     bool
	Error    string // why it ended early; empty: it did not
	Command  string // that does the same; empty: none does
	Progress progress.Report
	Trials   []Trial // one for each budget that is done; the first is the configuration as it is
}

// Job runs weir tune. It is safe for concurrent use.
type Job struct {
	Budget float64 // alerts a day, of the configuration
	// Private says that nobody else can find the log, so that no command is told.
	Private bool

	log    Log
	runner *child.Runner
	ended  sync.WaitGroup

	mu      sync.Mutex
	run     *Run               // nil: nothing was run yet
	cancel  context.CancelFunc // ends the run; nil: none is under way
	changed chan struct{}      // closed at the next change
	version uint64
}

// New returns a job that runs this program.
func New(log Log, budget float64) *Job { return newJob(log, budget, &child.Runner{Memory: Memory}) }

func newJob(log Log, budget float64, runner *child.Runner) *Job {
	return &Job{Budget: budget, log: log, runner: runner, changed: make(chan struct{})}
}

// Latest returns the latest run, nil if there was none, and the number of its state.
func (j *Job) Latest() (*Run, uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.run, j.version
}

// Changed returns a channel that is closed when there is more to know.
func (j *Job) Changed() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changed
}

// ErrBusy says that a run is under way.
var ErrBusy = errors.New("a run is under way; wait until it is over, or cancel it")

// Start begins a run. It returns ErrBusy, or what is wrong with the request.
func (j *Job) Start(q Request, by string, now time.Time) error {
	if err := q.check(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cancel != nil {
		return ErrBusy
	}
	ctx, cancel := context.WithCancel(context.Background()) // it outlives the request that begins it
	j.cancel = cancel
	j.publish(&Run{Request: q, By: by, Began: now, Progress: progress.Report{Left: -1}})
	j.ended.Go(func() {
		defer cancel()
		err := j.work(ctx, &q)
		j.change(func(r *Run) {
			r.Over = true
			switch {
			case errors.Is(err, context.Canceled):
				r.Error = "cancelled"
			case err != nil:
				r.Error = said(err)
			}
			j.cancel = nil
		})
	})
	return nil
}

// work runs the process and takes in what it says.
func (j *Job) work(ctx context.Context, q *Request) error {
	log, done, err := j.log()
	if err != nil {
		return err
	}
	defer done()
	args := append(q.args(), log...)
	if !j.Private {
		j.change(func(r *Run) { r.Command = command(q.args(), log) })
	}
	return j.runner.Run(ctx, append(args, "--progress"), &lines{take: j.trial}, func(line string) {
		var p progress.Report
		if json.Unmarshal([]byte(line), &p) == nil && p.Pass > 0 {
			j.change(func(r *Run) { r.Progress = p })
		}
	})
}

// said returns what the process said of its failure: its last line is a summary.
func said(err error) string {
	text := err.Error()
	if i := strings.IndexByte(text, '{'); i >= 0 {
		var summary struct{ Error string }
		if json.Unmarshal([]byte(text[i:]), &summary) == nil && summary.Error != "" {
			return summary.Error
		}
	}
	return text
}

// Cancel ends the run that is under way, if there is one.
func (j *Job) Cancel() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cancel != nil {
		j.cancel()
	}
}

// Stop ends the run that is under way, and waits until it has ended.
func (j *Job) Stop() {
	j.Cancel()
	j.ended.Wait()
}

// change puts a changed copy in the place of the run.
func (j *Job) change(f func(*Run)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	next := *j.run
	f(&next)
	j.publish(&next)
}

// publish must be called with the lock held.
func (j *Job) publish(r *Run) {
	j.run = r
	j.version++
	close(j.changed)
	j.changed = make(chan struct{})
}

// trial takes in what came of one budget.
func (j *Job) trial(line []byte) error {
	var t Trial
	if err := json.Unmarshal(line, &t); err != nil {
		return fmt.Errorf("reading what weir tune says: %w", err)
	}
	j.change(func(r *Run) {
		t.Budget = j.Budget
		if n := len(r.Trials); n > 0 {
			t.Budget = r.Request.Budgets[min(n, len(r.Request.Budgets))-1]
		}
		r.Trials = append(r.Trials[:len(r.Trials):len(r.Trials)], t)
	})
	return nil
}

// command writes arguments as a shell takes them.
func command(args, log []string) string {
	out := []string{"weir"}
	for _, a := range append(args[:len(args):len(args)], log...) {
		if strings.ContainsAny(a, " '\"$\\;&|<>*?()[]{}`") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		out = append(out, a)
	}
	return strings.Join(out, " ")
}

// maxLine bounds a line of a process's output, in bytes.
const maxLine = 4 << 20

// lines hands on whole lines.
type lines struct {
	take func(line []byte) error
	rest []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.rest = append(l.rest, b...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		switch {
		case i >= 0:
			if err := l.take(l.rest[:i]); err != nil {
				return 0, err
			}
			l.rest = l.rest[i+1:]
		case len(l.rest) > maxLine:
			return 0, errors.New("reading what weir tune says: a line is too long")
		default:
			return len(b), nil
		}
	}
}
