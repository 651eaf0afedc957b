package trial

import (
	"math"
	"math/rand/v2"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/lab/exact"
	"github.com/weirhq/weir/sketches"
)

// subject is an identity as the engine knows it in production: of one that has touched
// more records than a sketch holds exactly, only some first touches show.
type subject struct {
	score.State
	fresh float64 // first touches that showed and have not been counted, see detect
	dice  rand.PCG
}

func newSubject(seed uint64) *subject {
	return &subject{dice: *rand.NewPCG(seed, 11)}
}

// clone returns a copy that shares nothing.
func (s *subject) clone() *subject {
	c := *s
	c.State = s.State.Clone()
	return &c
}

// counts returns an hour's counts as the engine takes them; today is what the day had
// before it.
func (s *subject) counts(c *exact.Counts, today float64) score.Counts {
	again := max(0, c.Hour[exact.Distinct]+today-c.Day[exact.Distinct])
	shown := shownOf(c.Seen + c.Day[exact.FirstTouch])
	s.SetShown(shown)
	rng := rand.New(&s.dice)
	for range int(c.Hour[exact.FirstTouch]) {
		if rng.Float64() < shown {
			s.fresh += 1 / shown
		}
	}
	fresh := math.Floor(min(s.fresh, c.Hour[exact.Distinct]))
	s.fresh = min(s.fresh-fresh, c.Hour[exact.Distinct])
	return score.Counts{score.Distinct: c.Hour[exact.Distinct], score.Again: again, score.FirstTouch: fresh, score.Rows: c.Hour[exact.Rows], score.Destructive: c.Hour[exact.Deletes]}
}

// shownOf returns with which probability a record never seen shows in a sketch of so many:
// that its rank has not occurred in its register.
func shownOf(seen float64) (p float64) {
	if seen <= sketches.ExactLimit {
		return 1
	}
	const registers = 1 << sketches.StatePrecision
	for chance := 0.5; chance > 1e-12; chance /= 2 {
		p += chance * math.Exp(-seen*chance/registers)
	}
	return p
}
