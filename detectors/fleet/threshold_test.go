package fleet

import (
	"testing"

	"github.com/weirhq/weir/detectors/score"
)

// crossings are the sums of a bin in which so many identities crossed up to some nats.
func crossings(n int, nats float32) *Sums {
	s := &Sums{}
	for range n {
		l := score.Sample{Bins: 1}
		l.Is[score.Burst] = nats
		s.Add(0, &l)
	}
	return s
}

// played returns the burst threshold after some days, on each of which so many crossed
// nine nats, and a last day.
func played(days, each, last int) float64 {
	c := NewConfig(2, []string{"user"}, 24)
	f := New(1)
	var p *score.Parameters
	day := func(d, n int) {
		for h := range 24 {
			s := crossings(20, 0)
			if h == 10 {
				s = crossings(n, 9)
			}
			p = c.CloseBin(f, int64(24*d+h), int64(d), s)
		}
	}
	for d := range days {
		day(d, each)
	}
	day(days, last)
	day(days+1, 0) // ends the last
	return p.Dimensions[0].Threshold[score.Burst]
}

// What crosses while nothing is known yet raises no threshold; what crosses each day
// does; a day of everybody's counts as three of a kind, not as thirty.
func TestWhatRaisesAThreshold(t *testing.T) {
	calm := played(40, 0, 0)
	if early := played(5, 30, 0); early > 9 {
		t.Errorf("crossings of the first days raise the threshold to %.2f", early)
	}
	if often := played(40, 3, 0); often <= 9 {
		t.Errorf("three crossings of nine nats each day leave the threshold at %.2f", often)
	}
	if common := played(40, 0, 30); common > calm+1 {
		t.Errorf("a common day raises the threshold from %.2f to %.2f", calm, common)
	}
}
