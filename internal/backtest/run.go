package backtest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/local"
)

// Run is one pass over a log. It is a Reader: what is read goes through the
// operators.
type Run struct {
	Local   *local.Runner
	Alert   func(*alerting.Alert) error // is given each alert, in order; its error ends the reading
	Took    func(*event.Event)          // is given each event that was not rejected, as it counts, if it is not nil
	Summary Summary                     // of what was read so far
	// Ahead has the log read on while what was read is worked through. Alerts come with
	// the flush after the next, and the operators are at work between flushes.
	Ahead bool

	working  chan worked                           // what is being worked through; nil: nothing is
	show     func(judged alerting.Time, last bool) // shows what was found to people
	judged   alerting.Time                         // event time up to which everything is judged
	started  int64                                 // Unix ms; no event may be much later
	progress *progress.Line
}

// worked is what came of what was read between two flushes.
type worked struct {
	local.Found
	err error
}

// mostTasks is how many detect tasks work side by side at most: beyond, what they share
// takes longer than their own work.
const mostTasks = 8

// NewRun returns a pass over a log that has not begun. Its alerts go nowhere
// until Alert is set.
func NewRun(s *settings.Settings, log Log, p *progress.Line) *Run {
	r := &Run{
		started: time.Now().UnixMilli(), progress: p, Alert: func(*alerting.Alert) error { return nil },
		show:    func(alerting.Time, bool) {},
		Local:   local.New(s.Ingest, s.Detect, s.Correlate, log.Topics(), min(runtime.GOMAXPROCS(0), mostTasks)),
		Summary: Summary{Rejected: map[string]int64{}},
	}
	r.Local.Ingest.Decided = func(d ingest.Decision) {
		if d.Outcome == ingest.Ahead && r.Summary.FirstAhead == 0 {
			r.Summary.FirstAhead = alerting.Time(d.Dated)
		}
		r.count(d.Event, d.Outcome)
	}
	return r
}

// KeepSuppressed counts the suppressed alerts in the summary and writes them to a
// file, one a line, if one is named. The function returned ends the file.
func (r *Run) KeepSuppressed(name string) (end func() error, err error) {
	r.Summary.Suppressed = map[correlate.SuppressedKind]int64{}
	r.Local.Held = func(s *correlate.Suppressed) { r.Summary.Suppressed[s.By.Kind]++ }
	if name == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("writing what was held back: %w", err)
	}
	w := bufio.NewWriter(file)
	var line []byte
	r.Local.Held = func(s *correlate.Suppressed) {
		r.Summary.Suppressed[s.By.Kind]++
		line = append(s.AppendJSON(line[:0]), '\n')
		_, _ = w.Write(line) // its error comes with Flush
	}
	return func() error {
		if err := errors.Join(w.Flush(), file.Close()); err != nil {
			return fmt.Errorf("writing what was held back: %w", err)
		}
		return nil
	}, nil
}

// Event takes in one event and returns the event time that its source has reached.
func (r *Run) Event(src stream.Source, ev *event.Event) (reached int64) {
	r.Summary.Events++
	for notes := ev.Notes; notes != 0; notes &= notes - 1 {
		if r.Summary.Notes == nil {
			r.Summary.Notes = map[string]int64{}
		}
		r.Summary.Notes[(notes&-notes).String()]++
	}
	if outcome := r.Local.Fold(src, r.started, ev); outcome != ingest.Waiting {
		r.count(ev, outcome)
	}
	return r.Local.Ingest.At(src).MaxTime
}

// count notes what became of an event.
func (r *Run) count(ev *event.Event, outcome ingest.Outcome) {
	switch outcome {
	case ingest.Counted:
		r.Summary.Counted++
		if len(ev.Records) > 0 || ev.Rows > 0 {
			r.Summary.touching++
		}
	case ingest.Late:
		r.Summary.Late++
	case ingest.Fact:
		r.Summary.Facts++
	case ingest.Ahead:
		r.Summary.Ahead++
	default:
		r.Summary.Rejected[outcome.String()]++
		return
	}
	if r.Took != nil {
		r.Took(ev)
	}
	if t := alerting.Time(ev.Time); r.Summary.From == 0 || t < r.Summary.From {
		r.Summary.From = t
	}
	r.Summary.To = max(r.Summary.To, alerting.Time(ev.Time))
}

// Reject counts what could not be decoded.
func (r *Run) Reject(rej *event.Reject) { r.Summary.Rejected[rej.Reason.String()]++ }

// Warn adds what is odd about the log to the summary.
func (r *Run) Warn(what string) { r.Summary.Warnings = append(r.Summary.Warnings, what) }

// Progress tells ingest how far a source was read.
func (r *Run) Progress(src stream.Source, offset int64) { r.Local.Ingest.Read(src, offset) }

// End tells ingest that a source was read to its end.
func (r *Run) End(src stream.Source) { r.Local.Ingest.End(src) }

// Flush hands on what was read and gives the alerts to Alert.
func (r *Run) Flush(last bool) error {
	if last {
		r.Local.EndSources()
		r.Summary.Warnings = append(r.Summary.Warnings, r.Summary.warnings()...)
	}
	if err := r.tell(r.wait()); err != nil {
		return err
	}
	cut, working := r.Local.Cut(), make(chan worked, 1)
	r.working = working
	go func() {
		found, err := r.Local.Work(cut)
		working <- worked{found, err}
	}()
	if last || !r.Ahead {
		if err := r.tell(r.wait()); err != nil {
			return err
		}
	}
	if last {
		if sentence := r.Local.NeverSeen().Sentence(); sentence != "" {
			r.Warn(alerting.Printable(sentence, 4000))
		}
	}
	r.show(r.judged, last)
	r.progress.Show("%s events, at %s, %d alerts", alerting.Group(r.Summary.Events), r.Summary.To.Std().Format(time.DateTime), r.Summary.Alerts)
	return nil
}

// wait returns what came of what is being worked through, once it is done.
func (r *Run) wait() (w worked) {
	if r.working != nil {
		w = <-r.working
		r.working = nil
	}
	return w
}

// tell hands on what was found.
func (r *Run) tell(w worked) error {
	r.Local.Tell(&w.Found)
	r.judged = max(r.judged, w.Judged)
	for i := range w.Alerts {
		r.Summary.Alerts++
		if w.Alerts[i].Status == alerting.Open {
			r.Summary.Opened++
		}
		if err := r.Alert(&w.Alerts[i]); err != nil {
			return fmt.Errorf("writing an alert: %w", err)
		}
	}
	return w.err
}

// Missing returns the inputs of which nothing was seen, when the reading has ended.
func (r *Run) Missing() []fact.Input {
	r.wait() // after a reading that was cut short something may still be worked through
	return r.Local.Stats().Inputs.Missing()
}

// Summary is what a pass comes to; weir backtest -o json writes it as the last
// line on stderr.
type Summary struct {
	Events   int64            `json:"events"`
	Counted  int64            `json:"counted"`
	Facts    int64            `json:"facts"`
	Late     int64            `json:"late"`
	Ahead    int64            `json:"ahead,omitempty"` // counted at the time that the events around them have reached
	Rejected map[string]int64 `json:"rejected"`
	Notes    map[string]int64 `json:"notes,omitempty"` // what was odd about events that count
	Alerts   int64            `json:"alerts"`
	Opened   int64            `json:"opened"`
	// Suppressed counts the alerts that nobody was sent, by what held them back.
	Suppressed map[correlate.SuppressedKind]int64 `json:"suppressed,omitempty"`
	// Missing are the inputs of which nothing was seen, and the facts that cannot
	// be told therefore.
	Missing []fact.Input  `json:"missing_inputs,omitempty"`
	From    alerting.Time `json:"from,omitempty"` // of the events read; absent when there are none
	To      alerting.Time `json:"to,omitempty"`
	// FirstAhead is the date of the first event that is dated far ahead of those around
	// it.
	FirstAhead alerting.Time `json:"first_ahead,omitempty"`
	Warnings   []string      `json:"warnings,omitempty"` // what is odd about the log and its times, once it was read
	Error      string        `json:"error,omitempty"`

	touching int64 // events counted that name records, or a number of rows
}

// warnings says what is odd about the times in the log.
func (s *Summary) warnings() (out []string) {
	if s.Ahead > 0 {
		out = append(out, fmt.Sprintf("dated far ahead of the events around them, and counted at the time of those: %s; the first says %s: look for a wrong clock at their source", alerting.Group(s.Ahead), s.FirstAhead))
	}
	if s.Late > s.Counted {
		out = append(out, "most events are older than others before them, so little can be seen: the log must be in order of time, oldest first")
	}
	return out
}

// Unreadable returns how many records were rejected, without those that their format
// leaves out.
func (s *Summary) Unreadable() (n int64) {
	for reason, rejected := range s.Rejected {
		if reason != event.Ignored.String() {
			n += rejected
		}
	}
	return n
}

// few records that cannot be read are no reason for a warning beside the number.
const few = 10

// learning is how many days of a log the statistics need.
const learning = 14

// ahead is how far after now the last event may be dated: clocks differ.
const ahead = 10 * time.Minute

// Shortcomings say why a log tells little: most of it could not be read, it is too short
// to learn from, or its dates are not those of what happened.
func (s *Summary) Shortcomings(now time.Time) (out []string) {
	switch rejected := s.Unreadable(); {
	case rejected > s.Events:
		out = append(out, fmt.Sprintf("more than half of the log could not be read, %s of %s records: `weir map` shows why", alerting.Group(rejected), alerting.Group(rejected+s.Events)))
	case rejected >= few && rejected*100 > s.Events:
		out = append(out, fmt.Sprintf("%s of %s records could not be read: `weir map` shows why", alerting.Group(rejected), alerting.Group(rejected+s.Events)))
	}
	if n := s.Rejected[event.TooLarge.String()]; n > 0 {
		out = append(out, fmt.Sprintf("too large to be read, and perhaps with very many records each: %s events; have their source write them in parts of at most %d MB", alerting.Group(n), event.MaxValue>>20))
	}
	if s.Counted > 0 && s.touching == 0 {
		out = append(out, "no event names records or says how many rows it gave out, so there is nothing to count: `weir map` shows what is made of each field")
	}
	if length := s.To.Std().Sub(s.From.Std()); s.From != 0 && length < learning*24*time.Hour {
		out = append(out, fmt.Sprintf("the log is %s long, and the statistics learn for %d days: that nothing is said of somebody means little yet; facts speak already", rough(length), learning))
	}
	if past := s.To.Std().Sub(now); s.From != 0 && past > ahead {
		out = append(out, fmt.Sprintf("the last event is dated %s, %s after now: is a clock wrong, or the zone of times that have none (zone in a field map, docs/formats.md)?", s.To, rough(past)))
	}
	return out
}

// rough says how long a time is, in the unit that suits it.
func rough(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f seconds", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f hours", d.Hours())
	}
	return fmt.Sprintf("%.1f days", d.Hours()/24)
}
