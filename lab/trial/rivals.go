package trial

import (
	"math"

	"github.com/weirhq/weir/lab/exact"
	"github.com/weirhq/weir/lab/plain"
)

// Plain is the yardstick as a Detector.
type Plain struct{ d *plain.Detector }

// NewPlain returns the yardstick for users alone.
func NewPlain() Plain { return Plain{plain.New(1)} }

// New implements Detector.
func (p Plain) New() any { return p.d.NewState(0) }

// Clone implements Detector.
func (p Plain) Clone(state any) any {
	s := *state.(*plain.State)
	return &s
}

// Judge implements Detector.
func (p Plain) Judge(state any, hour int64, c *exact.Counts, shadow bool) float64 {
	return p.d.Judge(state.(*plain.State), hour, c, !shadow)
}

// EndHour implements Detector.
func (p Plain) EndHour(int64) { p.d.EndHour() }

// Rule is a rule of today: a day over the mean by so many deviations, or over so
// many times the mean, of the last 30 days with work.
type Rule struct {
	Deviations bool // else times the mean
}

type ruleState struct {
	past []float64 // of days with work, at most 30
	day  int64
	now  float64
}

// New implements Detector.
func (Rule) New() any { return &ruleState{day: -1} }

// Clone implements Detector.
func (Rule) Clone(state any) any {
	s := *state.(*ruleState)
	s.past = append([]float64(nil), s.past...)
	return &s
}

// EndHour implements Detector.
func (Rule) EndHour(int64) {}

// Judge implements Detector. Its unit is deviations, or times the mean. The first
// two weeks of an identity are not judged.
func (r Rule) Judge(state any, hour int64, c *exact.Counts, _ bool) float64 {
	s := state.(*ruleState)
	if day := hour / 24; day != s.day {
		if s.day >= 0 {
			s.past = append(s.past, s.now)
			if len(s.past) > 30 {
				s.past = s.past[1:]
			}
		}
		s.day = day
	}
	s.now = c.Day[exact.Distinct]
	if len(s.past) < 10 {
		return 0
	}
	n, mean, square := float64(len(s.past)), 0.0, 0.0
	for _, x := range s.past {
		mean += x / n
	}
	for _, x := range s.past {
		square += (x - mean) * (x - mean) / (n - 1)
	}
	if r.Deviations {
		return (s.now - mean) / max(math.Sqrt(square), 1)
	}
	return s.now / max(mean, 1)
}
