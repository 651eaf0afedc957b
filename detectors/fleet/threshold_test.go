package fleet

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/detectors/score"
)

// crossings are the sums of a bin in which so many identities with a history crossed up to
// some nats.
func crossings(n int, nats float32) *Sums { return crossingsOf(n, nats, true) }

func crossingsOf(n int, nats float32, known bool) *Sums {
	s := &Sums{}
	for range n {
		l := score.Sample{Bins: 1, Days: 1, Known: known}
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

// Names that somebody makes up, few or many a day, each crossing nine nats, do not move
// the thresholds of those who have a history, of whom one crosses three nats each day.
func TestMintedNamesRaiseNoThresholdOfTheStaff(t *testing.T) {
	after := func(minted int) (staff, newcomers [score.NumGroups]float64) {
		c, f := NewConfig(2, []string{"user"}, 24), New(1)
		var p *score.Parameters
		for bin := range int64(24 * 40) {
			day, at := bin/24, bin%24
			s := crossingsOf(20, 0, day >= 7)
			if at == 10 && day >= 7 {
				merge(t, s, crossings(1, 3))
			}
			if at == 11 && day >= 14 {
				merge(t, s, crossingsOf(minted, 9, false))
			}
			p = c.CloseBin(f, bin, day, s)
		}
		return p.Dimensions[0].Threshold, p.Dimensions[0].Newcomers
	}
	staff, newcomers := after(0)
	for _, minted := range []int{2, 300} {
		s, n := after(minted)
		if s != staff {
			t.Errorf("%d made-up names a day move the staff's thresholds from %.2f to %.2f", minted, staff, s)
		}
		if n[score.Burst] < newcomers[score.Burst] {
			t.Errorf("%d crossings a day lower the newcomers' threshold from %.2f to %.2f", minted, newcomers, n)
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
			l := score.Sample{Bins: 1, Known: true}
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
		d.age, d.span = 40, 34
		of := &d.of[known]
		of.days, of.bins = 40*rng.Float64()*100, 40*rng.Float64()*500
		for g := range of.cross {
			for i, n := 0, rng.ExpFloat64()*20*rng.Float64(); n > 0.5 && i < edges; i++ {
				of.cross[g][i] = n
				n *= rng.Float64()
			}
		}
		const budget = 1.0
		var h [score.NumGroups]float64
		c.spend(d, known, budget, &c.Groups[0], &h)
		spent, next, all := 0.0, 0.0, true // next: what a step lower of each costs
		for g := range h {
			x := c.crossings(d, known, score.Group(g))
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

// Hundreds of names that somebody makes up, each with a read an hour for ten hours and a
// thousand in the eleventh, and again in the twelfth, take nothing off what a grab by one of
// the staff says: neither is it usual in such a fleet now, nor what all do today.
func TestMintedNamesHideNoGrab(t *testing.T) {
	grabbed := func(minted int) float64 {
		w, bob := grab(t)
		staff := len(w.states)
		w.states = append(w.states, make([]score.State, minted)...)
		for hour := range 12 {
			w.step(func(i int) (c score.Counts) {
				switch {
				case i < staff && i != bob && w.office():
					c = score.Counts{score.Distinct: 16, score.FirstTouch: 15}
				case i >= staff && hour < 10:
					c = score.Counts{score.Distinct: 1, score.FirstTouch: 1}
				case i >= staff:
					c = score.Counts{score.Distinct: 1000, score.FirstTouch: 1000}
				}
				return c
			}, nil)
		}
		w.engine.Early(&w.states[bob], 0, w.bin, &score.Counts{score.Distinct: 100, score.FirstTouch: 100}, w.params, &w.ev)
		return w.ev.Groups[score.Burst] - w.params.Dimensions[0].Threshold[score.Burst]
	}
	alone, among := grabbed(0), grabbed(500)
	t.Logf("a hundred in an hour: %.2f nats above the threshold, among made-up names %.2f", alone, among)
	if math.Abs(alone-among) > 0.01 || alone <= 0 {
		t.Errorf("a hundred in an hour is %.2f nats above the threshold, among made-up names %.2f", alone, among)
	}
}

func merge(t *testing.T, into, s *Sums) {
	t.Helper()
	if err := into.Merge(s.AppendBinary(nil)); err != nil {
		t.Fatal(err)
	}
}
