package join

import (
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
)

const (
	// quietFor is how long nobody must sign in for a gap, or three times the
	// usual distance of logins, if that is more.
	quietFor = 15 * eventtime.Minute
	// recovery is how long the backlog of a gap is waited for, beside the grace:
	// a quarter of the gap, at most two hours.
	recovery = 2 * eventtime.Hour
)

// listen finds the gaps, up to a tick, in which nobody has signed in although
// that was usual: the source of logins had failed, or people slept. What one
// missed comes later, and not at once, between newer logins or before them, and
// is counted as late, shortly before the gap's end: until all of it has come
// nobody's login is missed.
func (j *Task) listen(tick int64) {
	j.backlog = eventtime.Never
	var steps []int64
	for i := 1; i < len(j.issues); i++ {
		steps = append(steps, j.issues[i]-j.issues[i-1])
	}
	quiet := max(quietFor/j.cfg.Grid.Tick, 1)
	if len(steps) > 0 {
		sorted := slices.Sorted(slices.Values(steps))
		quiet = max(quiet, 3*sorted[len(sorted)/2])
	}
	for i, step := range steps {
		if step > quiet {
			j.backlog = max(j.backlog, j.issues[i+1]+j.grace+min(step/4, recovery/j.cfg.Grid.Tick))
		}
	}
	if n := len(j.issues); n > 0 && tick-j.issues[n-1] > quiet {
		j.backlog = tick + 1 // it goes on
	}
}

// covered reports whether the log of logins tells of the time since a tick:
// somebody has signed in since then, and the backlog of each gap has come.
func (j *Task) covered(from, tick int64) bool {
	after, _ := slices.BinarySearch(j.issues, from+1)
	return len(j.issues)-after >= speaksAgain && j.backlog <= tick
}
