package correlate

import (
	"testing"

	"github.com/weirhq/weir/stream"
)

// The hour that is said to have tipped it shows more than the usual, though the evidence
// may be stronger in a later one, in which nothing was done.
func TestWhatTippedItShows(t *testing.T) {
	d := newDesk(t)
	d.eve()
	idle := d.candidate("user", "eve", 90, 20_000)
	idle.Measures[0].Observed = 0
	d.next([]stream.Candidate{idle}, nil, nil)
	a := d.latest("user", "eve")
	if a.Exposed.Records != 20_000 {
		t.Fatalf("nobody is alerted of what was taken since: %s", a.Summary)
	}
	if m := a.Evidence.Measures; len(m) == 0 || m[0].Observed != 200 {
		t.Errorf("it stands out by %+v", m)
	}
}
