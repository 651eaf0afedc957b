package configtest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
)

// Result is what came of a test.
type Result struct {
	Name   string   `json:"name"`
	Passed bool     `json:"passed"`
	Faults []string `json:"faults"` // what came out otherwise, one sentence each
}

// Run runs the tests of a suite, in their order.
func (s *Suite) Run(ctx context.Context) ([]Result, error) {
	c, err := config.Load(s.path(s.Config))
	if err != nil {
		return nil, err
	}
	set, err := settings.New(c)
	if err != nil {
		return nil, err
	}
	var out []Result
	for i := range s.Tests {
		r, err := s.run(ctx, set, &s.Tests[i])
		if err != nil {
			return out, fmt.Errorf("running the test %q: %w", s.Tests[i].Name, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// outcome is what a test has brought about.
type outcome struct {
	sent, held []*found
	known      map[string]*found // both sent and held, by dedup key and the name of what holds it back
}

// found is an episode that was sent, or that an entry holds back.
type found struct {
	alert  *alerting.Alert // the latest of the episode
	opened alerting.Time   // event time of its first alert
	by     string          // name of the entry that holds it back; empty: it was sent
}

// take takes in a message.
func (o *outcome) take(a *alerting.Alert, by string, list *[]*found) {
	own, key := *a, a.DedupKey+" "+by
	if o.known[key] == nil {
		o.known[key] = &found{opened: a.Time, by: by}
		*list = append(*list, o.known[key])
	}
	o.known[key].alert = &own
}

func (s *Suite) run(ctx context.Context, set *settings.Settings, t *Test) (Result, error) {
	events, err := s.events(t, set.Config.Time.Zone)
	if err != nil {
		return Result{}, err
	}
	run := backtest.NewRun(set, events, progress.New(io.Discard))
	o := outcome{known: map[string]*found{}}
	run.Alert = func(a *alerting.Alert) error {
		o.take(a, "", &o.sent)
		return nil
	}
	run.Local.Held = func(h *correlate.Suppressed) {
		if h.By.Kind == correlate.ByConfig {
			o.take(&h.Alert, h.By.Name, &o.held)
		}
	}
	if err := events.Read(ctx, run); err != nil {
		return Result{}, err
	}
	faults := compare("an alert of", "nobody was alerted of", t.Alerts, o.sent)
	faults = append(faults, compare("held back is", "nothing holds back", t.HeldBack, o.held)...)
	faults = append(faults, t.readFaults(&run.Summary)...)
	return Result{Name: t.Name, Passed: len(faults) == 0, Faults: append([]string{}, faults...)}, nil
}

// String describes an episode as a test would want it.
func (f *found) String() string {
	a := f.alert
	text := fmt.Sprintf("%s %s (%s, %s, opened %s)", a.Dimension, alerting.Printable(a.Identity, 100), a.RestsOn(), a.Severity, f.opened)
	if f.by != "" {
		text += " by " + f.by
	}
	return text
}

// compare wants each episode to be one that is wanted, and each that is wanted to be
// there.
func compare(extra, missing string, want []Want, got []*found) (out []string) {
	for i := range got {
		if !slices.ContainsFunc(want, func(w Want) bool { return w.fits(got[i]) }) {
			out = append(out, fmt.Sprintf("%s %s, which the test does not want", extra, got[i]))
		}
	}
	for _, w := range want {
		if !slices.ContainsFunc(got, w.fits) {
			out = append(out, missing+" "+w.String())
		}
	}
	return out
}

// fits reports whether an episode is the one that is wanted.
func (w Want) fits(f *found) bool {
	a := f.alert
	least, _ := episode.ParseSeverity(w.Severity) // was checked
	return (w.Dimension == "" || w.Dimension == a.Dimension) &&
		(w.Identity == "" || correlate.Matches(w.Identity, a.Identity)) &&
		(w.Measure == "" || w.Measure == a.Measure) &&
		(w.Fact == "" || w.Fact == string(a.Fact) || slices.Contains(a.AlsoKnown, fact.Name(w.Fact))) &&
		(w.Severity == "" || a.Severity >= least) &&
		(w.Before.IsZero() || int64(f.opened) <= w.Before.UnixMilli()) &&
		(w.By == "" || w.By == f.by)
}

// String returns what is wanted, as the file has it.
func (w Want) String() string {
	var parts []string
	for _, p := range [][2]string{{"dimension", w.Dimension}, {"identity", w.Identity}, {"measure", w.Measure}, {"fact", w.Fact}, {"severity", w.Severity}, {"by", w.By}} {
		if p[1] != "" {
			parts = append(parts, p[0]+": "+p[1])
		}
	}
	if !w.Before.IsZero() {
		parts = append(parts, "before: "+w.Before.String())
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// readFaults says what differs in how events were read.
func (t *Test) readFaults(s *backtest.Summary) (out []string) {
	if t.Read == nil {
		return nil
	}
	got := Read{Counted: s.Counted, Facts: s.Facts, Rejected: s.Unreadable()}
	if got != *t.Read {
		out = append(out, fmt.Sprintf("read are %d events that count, %d facts and %d rejected; the test wants %d, %d and %d",
			got.Counted, got.Facts, got.Rejected, t.Read.Counted, t.Read.Facts, t.Read.Rejected))
	}
	return out
}

// source is where all events of a test come from.
var source = stream.Source{Topic: "events"}

// Topics returns the one topic that a test has.
func (m *made) Topics() []stream.Topic { return []stream.Topic{{Name: source.Topic, Partitions: 1}} }

// Read gives the events to r.
func (m *made) Read(ctx context.Context, r backtest.Reader) error {
	for _, rej := range m.rejected {
		r.Reject(rej)
	}
	for i, ev := range m.events {
		r.Event(source, ev)
		if i%backtest.BatchEvents == backtest.BatchEvents-1 {
			r.Progress(source, int64(i))
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.Flush(false); err != nil {
				return err
			}
		}
	}
	r.End(source)
	return r.Flush(true)
}

// Print writes results for people.
func Print(w io.Writer, results []Result) {
	failed := 0
	for _, r := range results {
		if r.Passed {
			fmt.Fprintf(w, "ok    %s\n", r.Name)
			continue
		}
		failed++
		fmt.Fprintf(w, "FAIL  %s\n", r.Name)
		for _, f := range r.Faults {
			fmt.Fprintf(w, "      %s\n", f)
		}
	}
	fmt.Fprintf(w, "%d of %d tests passed\n", len(results)-failed, len(results))
}
