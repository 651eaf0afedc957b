package fleet

import (
	"math"
	"math/rand/v2"
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
	for _, n := range []int{30, 20_000} { // all of them, or names that were minted
		if common := played(40, 0, n); common > calm+1 {
			t.Errorf("a day on which %d cross raises the threshold from %.2f to %.2f", n, calm, common)
		}
	}
}

// The highest evidence of three weeks is exceeded every three weeks: where the share of the
// budget is smaller, the threshold lies above it. Evidence here crosses 2 nats once a day
// and has an exponential excess of mean 3. What is spent is then less than nine tenths of
// what a threshold at the highest seen spends; the mean excess of a few is not known well
// enough for the share itself.
func TestThresholdBeyondWhatWasSeen(t *testing.T) {
	const excess, fleets = 3.0, 400
	for _, share := range []float64{0.05, 0.0125} {
		rng := rand.New(rand.NewPCG(3, 1))
		spent, atHighest := 0.0, 0.0
		for range fleets {
			x := upcrossings{days: 21}
			for range 21 {
				for i := range edgeOf(2 + rng.ExpFloat64()*excess) {
					x.seen[i]++
				}
			}
			rate := func() float64 { return math.Exp(-(x.threshold(share) - 2) / excess) }
			atHighest += rate() / fleets
			x.extrapolate(DefaultTuning().Crossings)
			spent += rate() / fleets
		}
		if spent > 0.9*atHighest || spent < share {
			t.Errorf("of a share of %v a day %.4f are spent, %.4f without extrapolation", share, spent, atHighest)
		}
	}
}

// A budget that the groups without any evidence cannot spend goes to the others.
func TestWhatIsLeftGoesToTheOthers(t *testing.T) {
	thresholds := func(groups ...score.Group) (h [score.NumGroups]float64) {
		c, f := NewConfig(2, []string{"user"}, 24), New(1)
		var p *score.Parameters
		for bin := range int64(24 * 30) {
			s := &Sums{}
			l := score.Sample{Bins: 1}
			for _, g := range groups {
				if bin%24 == 12 {
					l.Is[g] = float32(2 + bin/24%10)
				}
			}
			s.Add(0, &l)
			p = c.CloseBin(f, bin, bin/24, s)
		}
		return p.Dimensions[0].Threshold
	}
	alone, among := thresholds(score.Volume), thresholds(score.Volume, score.Novelty, score.Burst, score.Rare, score.Hours)
	if alone[score.Volume] >= among[score.Volume] {
		t.Errorf("with all of the budget volume has a threshold of %.2f, with its part of it %.2f", alone[score.Volume], among[score.Volume])
	}
}

// No group waits above the least threshold while the budget could pay for less.
func TestBudgetIsSpentOrCannotBe(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 1))
	for range 300 {
		c, f := NewConfig(2, []string{"user"}, 24), New(1)
		d := &f.dims[0]
		d.age, d.span, d.days, d.bins = 40, 34, 40*rng.Float64()*100, 40*rng.Float64()*500
		for g := range d.cross {
			for i, n := 0, rng.ExpFloat64()*20*rng.Float64(); n > 0.5 && i < edges; i++ {
				d.cross[g][i] = n
				n *= rng.Float64()
			}
		}
		const budget = 1.0
		var h [score.NumGroups]float64
		c.setThresholds(d, budget, &h)
		spent, next, all := 0.0, 0.0, true // next: what a step lower of each costs
		for g := range h {
			x := c.crossings(d, score.Group(g))
			spent += x.rate(h[g])
			if h[g] > minThreshold {
				next, all = next+x.rate(h[g]-0.25)-x.rate(h[g]), false
			}
		}
		if spent > budget+1e-9 {
			t.Fatalf("%.3f a day are spent of %v: thresholds %v", spent, budget, h)
		}
		if left := budget - spent; !all && left > next {
			t.Fatalf("%.3f a day are left of %v, a step lower costs %.3f: thresholds %v", left, budget, next, h)
		}
	}
}
