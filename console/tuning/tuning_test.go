package tuning

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/child"
)

// TestMain is weir tune where its first argument says so. The log's name says what it
// does.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != "tune" {
		os.Exit(m.Run())
	}
	switch last := os.Args[len(os.Args)-2]; last { // before --progress
	case "short":
		fmt.Fprintln(os.Stderr, `{"events":0,"error":"the log is too short"}`)
		os.Exit(1)
	case "long":
		fmt.Fprintln(os.Stderr, `{"pass":1,"passes":14,"left":-1,"doing":"7 events"}`)
		time.Sleep(time.Minute) // it is cancelled long before
	default:
		for i, a := range os.Args {
			if a == "--try" || i == 1 {
				t := Trial{PerDay: float64(i), Leaks: []Leak{{Kind: "drift", Outcomes: []Outcome{
					{Role: "agent", Caught: true, Delay: 3}, {Role: "agent", Caught: true, Delay: 5}, {Work: "GET /a"}, {Role: "agent"},
				}}}}
				line, _ := json.Marshal(&t)
				fmt.Printf("%s\n", line)
			}
		}
		fmt.Fprintln(os.Stderr, `{"events":7}`)
	}
}

func job(log string) *Job {
	return newJob(Files("", "", []string{log}), 2, &child.Runner{Memory: 512 << 20})
}

// wait waits for a state of the job.
func wait(t *testing.T, j *Job, is func(*Run) bool) *Run {
	t.Helper()
	for {
		changed := j.Changed()
		if r, _ := j.Latest(); r != nil && is(r) {
			return r
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatal("it never came to that")
		}
	}
}

func over(r *Run) bool { return r.Over }

// A run tries each budget, beside that of the configuration, and keeps the figures.
func TestRun(t *testing.T) {
	j := job("access log.ndjson")
	if err := j.Start(Request{Budgets: []float64{0.5, 4}, Count: 3}, "ana", time.Now()); err != nil {
		t.Fatal(err)
	}
	r := wait(t, j, over)
	var budgets []float64
	for i := range r.Trials {
		budgets = append(budgets, r.Trials[i].Budget)
	}
	if !slices.Equal(budgets, []float64{2, 0.5, 4}) || r.Error != "" || r.By != "ana" {
		t.Errorf("budgets %v, error %q, by %q", budgets, r.Error, r.By)
	}
	want := `weir tune -o json --try alerts.budget=0.5/day --try alerts.budget=4/day --inject KIND=drift,RATE=2x,COUNT=3 --inject KIND=drift,RATE=5x,COUNT=3 'access log.ndjson'`
	if r.Command != want {
		t.Errorf("command %s, want %s", r.Command, want)
	}
	roles := r.Trials[0].Roles()
	if want := []ByRole{{"GET /a", 1, 0, 0}, {"agent", 3, 2, 4}}; !slices.Equal(roles, want) {
		t.Errorf("by role %v, want %v", roles, want)
	}
}

// A run that fails says why; one runs at a time, and can be cancelled.
func TestEnds(t *testing.T) {
	j := job("short")
	q := Request{Budgets: []float64{1}, Count: 1}
	if err := j.Start(q, "ana", time.Now()); err != nil {
		t.Fatal(err)
	}
	if r := wait(t, j, over); r.Error != "the log is too short" {
		t.Errorf("error %q", r.Error)
	}
	j = job("long")
	if err := j.Start(q, "ana", time.Now()); err != nil {
		t.Fatal(err)
	}
	wait(t, j, func(r *Run) bool { return r.Progress.Doing == "7 events" && r.Progress.Passes == 14 })
	if err := j.Start(q, "bob", time.Now()); !errors.Is(err, ErrBusy) {
		t.Errorf("beside another: %v", err)
	}
	j.Cancel()
	if r := wait(t, j, over); r.Error != "cancelled" || r.By != "ana" {
		t.Errorf("cancelled: %q, by %q", r.Error, r.By)
	}
	if err := j.Start(q, "bob", time.Now()); err != nil {
		t.Errorf("after another: %v", err)
	}
	j.Stop()
	if r, _ := j.Latest(); !r.Over {
		t.Error("it goes on after Stop")
	}
}

// What cannot be tried is refused.
func TestRefuses(t *testing.T) {
	for _, q := range []Request{
		{}, {Budgets: []float64{1}}, {Budgets: []float64{0}, Count: 1}, {Budgets: []float64{1001}, Count: 1}, {Budgets: []float64{1}, Count: 11},
		{Budgets: make([]float64, 9), Count: 1},
	} {
		if err := job("short").Start(q, "ana", time.Now()); err == nil {
			t.Errorf("%+v is taken", q)
		}
	}
	l := lines{take: func([]byte) error { return nil }}
	if _, err := l.Write([]byte(strings.Repeat("x", maxLine+1))); err == nil {
		t.Error("a line without end is kept")
	}
}
