package trial

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/lab/exact"
	"github.com/weirhq/weir/sketches"
)

// office is a log of 12 people who each read 15 of 500 records a day, for 120 days.
func office() *Log {
	rng := rand.New(rand.NewPCG(1, 1))
	var all []event.Event
	for day := range int64(120) {
		for h := int64(9); h < 14; h++ {
			for who := range 12 {
				for range 3 {
					all = append(all, event.Event{
						Time: (day*24 + h) * 3_600_000, Actor: fmt.Sprint("p", who), Records: []string{fmt.Sprint(rng.IntN(500))},
					})
				}
			}
		}
	}
	return newLog("office", func(ev *event.Event) bool {
		if len(all) == 0 {
			return false
		}
		*ev, all = all[0], all[1:]
		return true
	})
}

// What a thief adds is what was asked for, and colleagues' records are colleagues'.
func TestLeaks(t *testing.T) {
	l := office()
	leaks := l.draw(Plan{Actors: 5, Draws: 2, Seed: 3})
	kinds := map[Kind]int{}
	for _, k := range leaks {
		kinds[k.Kind]++
		n, fresh := 0.0, 0.0
		for h, s := range k.Hours {
			if h < k.From || h >= k.To || h < l.at(judgeFrom)/24*24 {
				t.Fatalf("a leak of hour %d, outside of %d to %d", h, k.From, k.To)
			}
			n += s[0]
			fresh += s[1]
		}
		want := k.Size
		if k.Kind == Drift {
			want = (k.Size - 1) * 14.8 * leakDays
		}
		if k.Thief == All && k.Size <= 5 && math.Abs(n-want) > 0.05*want+6 {
			t.Errorf("%v of %v: %v records stolen, want about %.0f", k.Kind, k.Size, n, want)
		}
		if fresh > n {
			t.Errorf("%v of %v stolen records are new", fresh, n)
		}
	}
	if kinds[Drift] != 5*2*5*5 || kinds[DumpBusy] == 0 || kinds[DumpNew] != 0 {
		t.Errorf("leaks by kind: %v", kinds)
	}
}

// counter is a detector whose evidence is the day's count.
type counter struct{}

func (counter) New() any      { return new(int) }
func (counter) Clone(any) any { return new(int) }
func (counter) EndHour(int64) {}
func (counter) Judge(_ any, _ int64, c *exact.Counts, _ bool) float64 {
	return c.Day[exact.Distinct]
}

// A detector that looks at the day's count alone catches what lies above any calm
// day and nothing that does not; its threshold is set where it was asked to be.
func TestJudge(t *testing.T) {
	l := office()
	past, _ := l.Compare(Plan{Actors: 12, Draws: 2, Seed: 3}, []Entrant{{"counter", func(float64) Detector { return counter{} }}}, 3)
	r := past[0]
	if r.Threshold < 14 || r.Threshold > 16 {
		t.Errorf("threshold %v: days are of 13 to 15 records", r.Threshold)
	}
	if big := r.Cells[RowOf{Drift, All, 3}]; big.Caught != 1 || big.Leaks != 24 {
		t.Errorf("a drift to 3: %+v", big)
	}
	if dump := r.Cells[RowOf{DumpBusy, All, 100}]; dump.Soon != 1 {
		t.Errorf("a dump of 100: %+v", dump)
	}
}

func TestOpenings(t *testing.T) {
	p := []point{{0, 5}, {10, 5}, {10 + Quiet, 5}, {11 + 2*Quiet, 5}, {400, 1}}
	if n := openings(p, 4, 0, 1000); n != 2 {
		t.Errorf("%d openings, want 2: within %d hours of the last it is the same", n, Quiet)
	}
	if n := openings(p, 4, 5, 1000); n != 1 {
		t.Errorf("%d openings from hour 5 on, want 1", n)
	}
}

// The lab hides as many first touches as a sketch of so many records does.
func TestShownAsInSketches(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, known := range []int{1000, 1100, 5000, 40_000} {
		w := sketches.New(sketches.StatePrecision)
		for range known {
			w.Insert(rng.Uint64(), 29_500_000)
		}
		if got, want := shownOf(float64(known)), w.Shown(); math.Abs(got-want) > 0.05*want {
			t.Errorf("%d records: %.3f of first touches show, in a sketch %.3f", known, got, want)
		}
	}
}
