package fact

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The tail of the unissued share is a probability: one minus the sum of what is
// below it, and with a long past it is Poisson's.
func TestTokenTail(t *testing.T) {
	r := DefaultTokenRules(24)
	for _, c := range []struct {
		n, records, past, pastRecords float64
		want                          float64
	}{
		{3, 100, 1000 - sharePrior, 99_999, 0.0803}, // Poisson of mean 1: P(N >= 3)
		{8, 100, 1000 - sharePrior, 99_999, 1.02e-5},
		{1, 1, 0, 0, 0.2929}, // 1 - (1/2)^(1/2)
	} {
		if got := math.Exp(r.Tail(c.n, c.records, UnissuedShare{c.past, c.pastRecords})); math.Abs(got-c.want) > 0.03*c.want {
			t.Errorf("Tail(%v, %v, %v, %v) = %v, want %v", c.n, c.records, c.past, c.pastRecords, got, c.want)
		}
	}
}

// shopKey is a key with so many sessions a day, of a shop: most in the evening,
// each of one to four records, and a share of which the login is lost. hours are
// since the log began.
type shopKey struct {
	dice         *rand.Rand
	daily, share float64
	rules        TokenRules
	unissued     *Unissued
	read         map[int64]float64
}

func newShopKey(seed uint64, daily, share float64) *shopKey {
	return &shopKey{dice: rand.New(rand.NewPCG(seed, 7)), daily: daily, share: share, rules: DefaultTokenRules(24), read: map[int64]float64{}}
}

func (k *shopKey) poisson(mean float64) (n float64) {
	if mean > 50 {
		return max(0, math.Round(mean+math.Sqrt(mean)*k.dice.NormFloat64()))
	}
	for p := k.dice.ExpFloat64(); p < mean; p += k.dice.ExpFloat64() {
		n++
	}
	return n
}

// hour lets a bin pass in which so many forged tokens read beside the usual, and
// returns in how many of its ticks that was told, and in which first.
func (k *shopKey) hour(bin int64, forged float64) (reported int, first int) {
	const ticks = 12
	busy := 0.25 + 1.2*math.Exp(-math.Pow(float64(bin%24)-20, 2)/12) + 0.8*math.Exp(-math.Pow(float64(bin%24)-12, 2)/18)
	first = ticks
	for tick := range ticks {
		sessions := k.poisson(k.daily * busy / 19.4 / ticks)
		lost := k.poisson(sessions*k.share) + math.Floor(forged*float64(tick+1)/ticks) - math.Floor(forged*float64(tick)/ticks)
		k.read[bin] += 2*sessions + lost
		if lost == 0 {
			continue
		}
		records := func(b int64) float64 { return k.read[b] }
		if k.unissued == nil {
			k.unissued = NewUnissued(bin, 0, 2*k.daily/24, records, &k.rules)
		}
		k.unissued.Roll(bin, records, &k.rules)
		k.unissued.Add(bin, lost, &k.rules)
		if _, is := k.unissued.Judge(k.read[bin], &k.rules); is {
			reported++
			first = min(first, tick)
		}
	}
	return reported, first
}

// Lost logins are no fact, whatever their share, on an old key as on a new one:
// about how often they are one a day and key is what docs/facts.md says.
func TestLostLoginsAreNoFact(t *testing.T) {
	days, cases := 0, 0
	for seed := range uint64(20) {
		for _, daily := range []float64{50, 500, 3500, 20_000} {
			for _, share := range []float64{0.001, 0.003, 0.01} {
				k := newShopKey(seed, daily, share)
				was := false
				for bin := range int64(30 * 24) {
					reported, _ := k.hour(bin, 0)
					if reported > 0 && !was {
						cases++
						t.Logf("%g sessions a day, %g %% lost: told on day %.1f", daily, 100*share, float64(bin)/24)
					}
					was = reported > 0
				}
				days += 28
			}
		}
	}
	t.Logf("%d cases in %d key-days", cases, days)
	if float64(cases) > 0.001*float64(days) {
		t.Errorf("%d cases in %d key-days, want one in a thousand at the most", cases, days)
	}
}

// How long forged tokens go untold, by the share of logins that is lost and by
// how many are forged an hour, from nine o'clock on: with hardly a loss the third
// is told, and the more is lost the longer a slow forger takes.
func TestForgedTokens(t *testing.T) {
	const seeds = 20
	for _, c := range []struct {
		share, forged float64
		within        float64 // hours, 19 times of 20
	}{
		{0, 3, 1}, {0, 6, 0.5}, {0, 60, 0.1},
		{0.001, 4, 2}, {0.001, 12, 0.6}, {0.003, 4, 4}, {0.003, 12, 1}, {0.003, 40, 0.4},
		{0.01, 4, 9}, {0.01, 12, 1.5}, {0.01, 40, 0.5},
	} {
		var took []float64
		for seed := range uint64(seeds) {
			k := newShopKey(seed, 3500, c.share)
			k.hour(0, 1) // what all is well of has no entry
			begin := int64(20*24 + 9)
			for bin := int64(1); bin < begin; bin++ {
				k.hour(bin, 0)
			}
			hours := math.Inf(1)
			for bin := begin; bin < begin+48; bin++ {
				if reported, tick := k.hour(bin, c.forged); reported > 0 {
					hours = float64(bin-begin) + float64(tick+1)/12
					break
				}
			}
			took = append(took, hours)
		}
		slices.Sort(took)
		t.Logf("%.1f %% lost, %g forged an hour: told after %.1f h (median), %.1f h (19 of 20)", 100*c.share, c.forged, took[seeds/2], took[seeds*19/20-1])
		if took[seeds*19/20-1] > c.within {
			t.Errorf("%.1f %% lost, %g forged an hour: told after %.1f h, want %.1f", 100*c.share, c.forged, took[seeds*19/20-1], c.within)
		}
	}
}

// Tokens older than the log come for some days, and fewer each day; once a week
// has passed without any, the third forged one is told of, at night too.
func TestOldTokensAreForgotten(t *testing.T) {
	for seed := range uint64(20) {
		k := newShopKey(seed, 3500, 0)
		probe := int64(14*24 + 2)
		for bin := range probe {
			k.hour(bin, math.Floor(40*math.Exp(-float64(bin)/20)))
		}
		if reported, tick := k.hour(probe, 6); reported == 0 || tick > 5 {
			t.Errorf("seed %d: of six tokens forged at night the third is not told of", seed)
		}
	}
}
