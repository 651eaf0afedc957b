package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/simulate"
)

// tiring is a context that ends after it was asked so many times.
type tiring struct {
	context.Context
	left int
}

func (c *tiring) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// keyLog is the log of a small company and an alert on its busiest signing key,
// which covers all of the log.
func keyLog(t *testing.T) (log []byte, a *alerting.Alert) {
	t.Helper()
	company, err := simulate.New(simulate.Options{Scenario: "demo", Seed: 1, Days: 2, Scale: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	var ev event.Event
	for company.Next(&ev) {
		log = append(event.AppendNative(log, &ev), '\n')
	}
	start, end := company.Span()
	return log, &alerting.Alert{
		DedupKey: "weir-1", Status: alerting.Open, Dimension: "key", Identity: "mobile-k1", Time: alerting.Time(end.UnixMilli()),
		Exposed: alerting.Exposed{Since: alerting.Time(start.UnixMilli())},
	}
}

// work is one run of an extraction from a file of events.
type work struct {
	alert       *alerting.Alert
	log         string // the file of events
	ids, events string // the files to write
	state       string // the state file; empty: none
	only        Only
}

func (w *work) run(ctx context.Context, t *testing.T) error {
	t.Helper()
	s, err := settings.New(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	format, err := files.LoadFormat("native")
	if err != nil {
		t.Fatal(err)
	}
	e, err := Find(w.alert.DedupKey, []*alerting.Alert{w.alert}, s)
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(e, s, Options{Out: w.ids, Events: w.events, State: w.state, Only: w.only, Progress: &progress.Line{}})
	if err != nil {
		return err
	}
	err = x.ReadFiles(ctx, []string{w.log}, format)
	return errors.Join(err, x.Close(err == nil))
}

// Interrupted anywhere, as often as it may be, the work goes on where it was,
// and what comes out is what comes out at once.
func TestGoesOn(t *testing.T) {
	log, a := keyLog(t)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(file("log"), log, 0o600); err != nil {
		t.Fatal(err)
	}
	w := work{alert: a, log: file("log"), ids: file("ids"), events: file("events"), state: file("state")}
	lines, runs := bytes.Count(log, []byte("\n")), 0
	for {
		err := w.run(&tiring{t.Context(), lines + lines/4 + runs}, t) // the order of the file is looked at first
		if err == nil {
			break
		}
		if runs++; runs > 10 || !errors.Is(err, context.Canceled) {
			t.Fatalf("run %d: %v", runs, err)
		}
		// A kill leaves behind what the state does not count.
		for _, name := range []string{w.ids, w.events} {
			f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString("half a li"); err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
	}
	if runs < 3 {
		t.Fatalf("the work was interrupted %d times only", runs)
	}
	once := work{alert: a, log: w.log, ids: file("ids once"), events: file("events once")}
	if err := once.run(t.Context(), t); err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{w.ids: once.ids, w.events: once.events} {
		g, err := os.ReadFile(got)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(want); err != nil || !bytes.Equal(g, b) || len(b) == 0 {
			t.Errorf("%s of an interrupted run differs from %s: %d and %d bytes, %v", got, want, len(g), len(b), err)
		}
	}
	// Events one right after the other, without line ends, are the same events.
	if err := os.WriteFile(file("joined"), bytes.ReplaceAll(log, []byte("\n"), nil), 0o600); err != nil {
		t.Fatal(err)
	}
	joined := work{alert: a, log: file("joined"), ids: file("ids joined"), events: file("events joined")}
	if err := joined.run(t.Context(), t); err != nil {
		t.Fatal(err)
	}
	g, err := os.ReadFile(joined.ids)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(once.ids); err != nil || len(g) == 0 || bytes.Count(g, []byte("\n")) != bytes.Count(b, []byte("\n")) {
		t.Errorf("%d bytes of ids from one line, %d from many, %v", len(g), len(b), err)
	}
	other := *a
	other.Exposed.Since++
	w.alert = &other
	if err := w.run(t.Context(), t); err == nil || !strings.Contains(err.Error(), "remove it to start over") {
		t.Errorf("the state of another interval: %v", err)
	}
}

// Nothing that is there already is written to or followed, and a refused run
// leaves nothing behind.
func TestWritesNewFilesOnly(t *testing.T) {
	log, a := keyLog(t)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for name, content := range map[string]string{"log": string(log), "open": "others read this", "target": "of somebody else"} {
		if err := os.WriteFile(file(name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink(file("target"), file("link")), os.Symlink(file("nowhere"), file("dangling"))); err != nil {
		t.Fatal(err)
	}
	for _, taken := range []string{"open", "link", "dangling"} {
		for _, w := range []work{
			{ids: file(taken)},
			{ids: file("ids"), events: file(taken)},
			{ids: file("ids"), state: file("state"), events: file(taken)},
		} {
			w.alert, w.log = a, file("log")
			if err := w.run(t.Context(), t); err == nil || !strings.Contains(err.Error(), "remove this one") {
				t.Errorf("%s is there, ids to %s: %v", taken, w.ids, err)
			}
		}
	}
	for name, want := range map[string]string{"open": "others read this", "target": "of somebody else", "nowhere": "", "ids": "", "state": ""} {
		if got, err := os.ReadFile(file(name)); string(got) != want || want == "" && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s holds %q, %v, want %q", name, got, err, want)
		}
	}

	// Somebody puts a link in the place of what an interrupted run has written.
	w := work{alert: a, log: file("log"), ids: file("ids"), state: file("state")}
	if err := w.run(&tiring{t.Context(), 100}, t); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	ids, err := os.ReadFile(file("ids"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(file("target"), ids, 0o600), os.Remove(file("ids")), os.Symlink(file("target"), file("ids"))); err != nil {
		t.Fatal(err)
	}
	if err := w.run(t.Context(), t); err == nil || !strings.Contains(err.Error(), "is a link") {
		t.Errorf("the list is a link: %v", err)
	}
	// The next state is not written through a link either.
	if err := errors.Join(os.Remove(file("ids")), os.WriteFile(file("ids"), ids, 0o600), os.Symlink(file("open"), file("state.new"))); err != nil {
		t.Fatal(err)
	}
	if err := w.run(t.Context(), t); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(file("open")); string(got) != "others read this" {
		t.Errorf("the state was written through a link: %.40q, %v", got, err)
	}
	for _, name := range []string{"ids", "state"} {
		if info, err := os.Lstat(file(name)); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v, want a file of mode 0600", name, info.Mode(), err)
		}
	}
}

// What a wrong clock has dated far ahead is listed where it counts: at the time that the
// log had reached, whether the work is interrupted or not. What a file that runs backwards
// holds keeps its dates.
func TestWrongClock(t *testing.T) {
	const start = 1_772_442_000_000
	var log []byte
	write := func(at int64, actor, record string) {
		log = append(event.AppendNative(log, &event.Event{Time: at, Actor: actor, KeyID: "k", Records: []string{record}}), '\n')
	}
	for i := range int64(200) {
		write(start+i*60_000, "others", fmt.Sprint(i))
		if i == 50 || i == 51 {
			write(start+30*24*3600_000, "thief", fmt.Sprint("stolen-", i))
		}
	}
	a := &alerting.Alert{
		DedupKey: "weir-1", Status: alerting.Open, Dimension: "user", Identity: "thief", Time: alerting.Time(start + 60*60_000),
		Exposed: alerting.Exposed{Since: alerting.Time(start)},
	}
	got, err := extracted(t, string(log), a, All)
	if err != nil || fmt.Sprint(got) != "[stolen-50 stolen-51]" {
		t.Errorf("listed %v, %v", got, err)
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(file("log"), log, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{40, 51, 53, 54, 90, 120} { // lines that are read before the work is interrupted
		w := work{alert: a, log: file("log"), ids: file(fmt.Sprint("ids", at)), events: file(fmt.Sprint("events", at)), state: file(fmt.Sprint("state", at))}
		if err := w.run(&tiring{t.Context(), 203 + at}, t); !errors.Is(err, context.Canceled) { // the order of the file is looked at first
			t.Fatalf("interrupted at %d: %v", at, err)
		}
		if err := w.run(t.Context(), t); err != nil {
			t.Fatal(err)
		}
		events, err := os.ReadFile(w.events)
		if n := bytes.Count(events, []byte("2026-04-01")); err != nil || n != 2 {
			t.Errorf("interrupted at %d: %d events are listed, %v\n%s", at, n, err, events)
		}
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(log), "\n"), "\n")
	slices.Reverse(lines)
	if got, err := extracted(t, strings.Join(lines, "\n"), a, All); err != nil || len(got) != 0 {
		t.Errorf("backwards: listed %v, %v", got, err)
	}
	future := strings.ReplaceAll(strings.Join(lines, "\n"), "2026-04-01", "2096-04-01") // past the clock of any run
	a.Time = alerting.Time(start + 365*24*3600_000)
	if got, err := extracted(t, future, a, All); err != nil || len(got) != 2 {
		t.Errorf("backwards, past the wall clock: listed %v, %v", got, err)
	}
}
