package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	module  = "github.com/weirhq/weir/"
	slow    = 10 * time.Second // a test that takes as long is told of when it ends
	slowest = 10               // how many tests are listed at last
)

// event is a line of go test -json (go doc test2json).
type event struct {
	Time       time.Time
	Action     string
	Package    string
	ImportPath string // of what was built
	Test       string // empty: the event is the package's
	Elapsed    float64
	Output     string
}

// name is how a test is called in the report; a package has an empty test.
type name struct{ pkg, test string }

func (n name) String() string {
	return strings.TrimSpace(strings.TrimPrefix(n.pkg, module) + " " + n.test)
}

// report takes the events of one run of go test and writes what is worth a
// line. It knows no clock: time comes with the events and with beat.
type report struct {
	out    io.Writer
	strict bool // a test that was left out for want of something is a failure

	from, said time.Time // of the beginning, and of the last line written
	running    map[name]time.Time
	output     map[name][]string // of what has not passed
	order      map[string][]name // of a package's output
	took       map[name]time.Duration
	missing    map[string][]string // what was not there: the tests that needed it
	why        map[string]string   // what was not there: what the first of them says
	count      map[string]int      // top-level tests by how they ended
	packages   int
	failed     []string // packages
}

func newReport(out io.Writer, now time.Time) *report {
	return &report{
		out: out, from: now, said: now,
		running: map[name]time.Time{}, output: map[name][]string{}, order: map[string][]name{},
		took: map[name]time.Duration{}, missing: map[string][]string{}, why: map[string]string{}, count: map[string]int{},
	}
}

func (r *report) say(now time.Time, format string, args ...any) {
	r.said = now
	fmt.Fprintf(r.out, format+"\n", args...)
}

// line takes one line of go test -json. What is none is written as it is.
func (r *report) line(text []byte) {
	var e event
	if err := json.Unmarshal(text, &e); err != nil {
		fmt.Fprintf(r.out, "%s", text)
		return
	}
	n := name{e.Package, e.Test}
	switch e.Action {
	case "run", "cont":
		r.running[n] = e.Time
	case "pause":
		delete(r.running, n)
	case "output":
		r.keep(n, e.Output)
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "pass", "fail", "skip":
		delete(r.running, n)
		if e.Test == "" {
			r.endPackage(&e)
		} else {
			r.endTest(&e)
		}
	}
}

// keep holds a line of output back until its test has ended.
func (r *report) keep(n name, line string) {
	if strings.HasPrefix(line, "=== ") {
		return
	}
	if r.output[n] == nil {
		r.order[n.pkg] = append(r.order[n.pkg], n)
	}
	r.output[n] = append(r.output[n], line)
}

func (r *report) endTest(e *event) {
	n := name{e.Package, e.Test}
	if e.Action == "skip" {
		r.noteMissing(n)
	}
	if e.Action != "fail" {
		delete(r.output, n)
	}
	if strings.Contains(e.Test, "/") {
		return
	}
	r.count[e.Action]++
	if e.Action == "skip" {
		return
	}
	took := time.Duration(e.Elapsed * float64(time.Second))
	r.took[n] = took
	if took >= slow {
		r.say(e.Time, "      %s: %s after %.0f s", n, e.Action, e.Elapsed)
	}
}

// noteMissing looks for the words "no X: why" in what a skipped test says.
func (r *report) noteMissing(n name) {
	for _, line := range r.output[n] {
		_, text, _ := strings.Cut(strings.TrimSpace(line), ": ") // file and line of the call
		what, _, found := strings.Cut(text, ": ")
		what, no := strings.CutPrefix(what, "no ")
		if !found || !no {
			continue
		}
		if r.why[what] == "" {
			r.why[what] = text
		}
		r.missing[what] = append(r.missing[what], n.String())
		return
	}
}

// endPackage tells of a package, and if it failed all that its tests wrote which
// did not pass: one that ran when the process ended has no end of its own.
func (r *report) endPackage(e *event) {
	pkg := name{pkg: e.Package}
	maps.DeleteFunc(r.running, func(n name, _ time.Time) bool { return n.pkg == e.Package })
	switch e.Action {
	case "pass":
		r.packages++
		r.say(e.Time, "ok    %s %.1f s", pkg, e.Elapsed)
	case "fail":
		r.failed = append(r.failed, pkg.String())
		r.say(e.Time, "FAIL  %s %.1f s", pkg, e.Elapsed)
	}
	for _, n := range r.order[e.Package] {
		if e.Action == "fail" {
			for _, line := range r.output[n] {
				fmt.Fprint(r.out, "      ", line)
			}
		}
		delete(r.output, n)
	}
	delete(r.order, e.Package)
}

// beat tells what is running if nothing was written for long.
func (r *report) beat(now time.Time) {
	if now.Sub(r.said) < heartbeat {
		return
	}
	names := slices.SortedFunc(maps.Keys(r.running), func(a, b name) int {
		return cmp.Or(r.running[a].Compare(r.running[b]), strings.Compare(a.String(), b.String()))
	})
	var what []string
	for _, n := range names {
		if !strings.Contains(n.test, "/") {
			what = append(what, fmt.Sprintf("%s (%.0f s)", n, now.Sub(r.running[n]).Seconds()))
		}
	}
	if len(what) == 0 {
		what = []string{"building"}
	}
	r.say(now, "...   %.0f s: %s", now.Sub(r.from).Seconds(), strings.Join(what, ", "))
}

// close writes the last lines and reports whether all is well.
func (r *report) close(now time.Time) bool {
	names := slices.SortedFunc(maps.Keys(r.took), func(a, b name) int {
		return cmp.Or(cmp.Compare(r.took[b], r.took[a]), strings.Compare(a.String(), b.String()))
	})
	fmt.Fprintln(r.out, "\nthe slowest tests:")
	for _, n := range names[:min(slowest, len(names))] {
		fmt.Fprintf(r.out, "%7.1f s %s\n", r.took[n].Seconds(), n)
	}
	fmt.Fprintf(r.out, "\n%d tests passed in %d packages, %d failed, %d were skipped, after %.0f s\n",
		r.count["pass"], r.packages, r.count["fail"], r.count["skip"], now.Sub(r.from).Seconds())
	for _, what := range slices.Sorted(maps.Keys(r.missing)) {
		tests := r.missing[what]
		fmt.Fprintf(r.out, "\nLEFT OUT, no %s: %d tests\n", what, len(tests))
		for _, t := range slices.Sorted(slices.Values(tests)) {
			fmt.Fprintf(r.out, "  %s\n", t)
		}
		fmt.Fprintln(r.out, r.why[what])
	}
	for _, pkg := range r.failed {
		fmt.Fprintln(r.out, "FAILED:", pkg)
	}
	if r.strict && len(r.missing) > 0 {
		fmt.Fprintln(r.out, "FAILED: nothing may be left out here")
		return false
	}
	return len(r.failed) == 0
}
