package fleet

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/weirhq/weir/detectors/score"
)

// monday is the bin of Monday, 2026-01-05 00:00 UTC.
const monday = int64(1767571200 / 3600)

// world is a fleet of one dimension under the engine.
type world struct {
	engine *score.Engine
	config Config
	fleet  *Fleet
	params *score.Parameters
	states []score.State
	bin    int64
	rng    *rand.Rand
	ev     score.Evidence
}

func newWorld(n int, budget float64, seed uint64) *world {
	return &world{
		engine: score.NewEngine(time.Hour, time.UTC, score.DefaultTuning()),
		config: NewConfig(budget, []string{"user"}, 24),
		fleet:  New(1), params: score.Defaults(1, 8), states: make([]score.State, n), bin: monday, rng: rand.New(rand.NewPCG(seed, 9)),
	}
}

// step plays one bin: of returns the counts of an identity, zero if it is not at
// work; each sees the evidence.
func (w *world) step(of func(i int) score.Counts, each func(i int, ev *score.Evidence, l *score.Sample)) {
	var sample score.Sample
	sums := &Sums{}
	for i := range w.states {
		c := of(i)
		if c == (score.Counts{}) {
			continue
		}
		w.engine.Close(&w.states[i], 0, w.bin, &c, w.params, &w.ev, &sample)
		sums.Add(0, &sample)
		if each != nil {
			each(i, &w.ev, &sample)
		}
	}
	w.params = w.config.CloseBin(w.fleet, w.bin, w.engine.Day(w.bin), sums)
	w.bin++
}

// office reports whether it is an hour of a working day from eight to five.
func (w *world) office() bool {
	day := w.engine.Day(w.bin)
	h := w.bin % 24
	return (day+3)%7 < 5 && h >= 8 && h < 17
}

// poisson draws a count of a small mean.
func (w *world) poisson(mean float64) float64 {
	n, p, limit := 0.0, 1.0, math.Exp(-mean)
	for {
		if p *= w.rng.Float64(); p <= limit {
			return n
		}
		n++
	}
}

// grab is the fleet of 60 who read 150 customers a day, and bob, who reads one.
func grab(t *testing.T) (w *world, bob int) {
	t.Helper()
	w = newWorld(61, 2, 9)
	bob = 60
	for w.bin < monday+39*24+9 {
		w.step(func(i int) (c score.Counts) {
			switch {
			case !w.office():
			case i == bob && w.bin%24 == 10:
				c = score.Counts{score.Distinct: 1, score.FirstTouch: 1}
			case i != bob:
				n := w.poisson(150. / 9)
				c = score.Counts{score.Distinct: n, score.FirstTouch: math.Round(n * 0.95)}
			}
			return c
		}, nil)
	}
	return w, bob
}

// A thousand customers in an hour by one who reads one a day are told of in that
// hour, and a hundred too, in a fleet in which nobody ever does that.
func TestGrab(t *testing.T) {
	w, bob := grab(t)
	last := 0.0
	for _, n := range []float64{12, 100, 300, 1000, 5000} {
		w.engine.Early(&w.states[bob], 0, w.bin, &score.Counts{score.Distinct: n, score.FirstTouch: n}, w.params, &w.ev)
		t.Logf("%5.0f in an hour: %.1f nats of %v, threshold %.1f", n, w.ev.Log, w.ev.Group, w.ev.Threshold)
		if n >= 100 && w.ev.Margin() < 0 {
			t.Errorf("%v in an hour by bob: %.1f nats below its threshold", n, -w.ev.Margin())
		}
		if w.ev.Log <= last && last < score.MaxLog {
			t.Errorf("%v in an hour say %.1f nats, fewer said %.1f", n, w.ev.Log, last)
		}
		last = w.ev.Log
	}
	w.engine.Early(&w.states[0], 0, w.bin, &score.Counts{score.Distinct: 1000, score.FirstTouch: 950}, w.params, &w.ev)
	if w.ev.Margin() < 0 {
		t.Errorf("a thousand in an hour by one who reads 150 a day: %+v", w.ev.Margin())
	}
	fresh := score.State{}
	w.engine.Early(&fresh, 0, w.bin, &score.Counts{score.Distinct: 20, score.FirstTouch: 20}, w.params, &w.ev)
	if w.ev.Margin() > 0 {
		t.Errorf("a new colleague who reads 20: margin %.1f", w.ev.Margin())
	}
}

// A new account that reads hundreds stands out among customers who read one or two a
// day, though a few services of the same dimension read tens of thousands.
func TestNewcomerAmongGiants(t *testing.T) {
	w := newWorld(403, 2, 3)
	for w.bin < monday+15*24+9 {
		w.step(func(i int) (c score.Counts) {
			switch {
			case i >= 400:
				n := 2_000 + w.poisson(20)
				c = score.Counts{score.Distinct: n, score.FirstTouch: math.Round(n / 2)}
			case w.office() && w.bin%24 == int64(8+i%9):
				n := 1 + w.poisson(0.3)
				c = score.Counts{score.Distinct: n, score.FirstTouch: 1}
			}
			return c
		}, nil)
	}
	for n, wants := range map[float64]bool{2: false, 300: true} {
		fresh := score.State{}
		w.engine.Early(&fresh, 0, w.bin, &score.Counts{score.Distinct: n, score.FirstTouch: n}, w.params, &w.ev)
		if told := w.ev.Margin() >= 0; told != wants {
			t.Errorf("a new account that reads %v: margin %.1f of %v", n, w.ev.Margin(), w.ev.Group)
		}
	}
}

// Work at an unusual hour is told of though most of one's peers are at work then: twenty
// accomplices would excuse each other. Those of the whole dimension do excuse.
func TestAccomplicesDoNotExcuse(t *testing.T) {
	for others, wants := range map[int]bool{200: true, 0: false} {
		w := newWorld(30+others, 2, 4)
		for i := range w.states {
			w.states[i].Vote(uint32(7 + min(i/30, 1)))
		}
		night := monday + 22*24 + 2
		hours := 0.0
		for w.bin < night+4 {
			w.step(func(i int) (c score.Counts) {
				if i >= 30 || w.office() || i < 20 && w.bin >= night {
					c = score.Counts{score.Distinct: 1 + w.poisson(8)}
				}
				return c
			}, func(i int, ev *score.Evidence, _ *score.Sample) {
				if i == 0 {
					hours = ev.Groups[score.Hours]
				}
			})
		}
		if told := hours > 1; told != wants {
			t.Errorf("twenty at night beside %d who always are: %.1f nats of unusual hours", others, hours)
		}
	}
}

// Any order of adding and merging gives the same sums, byte for byte.
func TestMergeOrder(t *testing.T) {
	w := newWorld(30, 2, 1)
	var samples []score.Sample
	for range 24 * 12 {
		for i := range w.states {
			if c := (score.Counts{score.Distinct: w.poisson(5)}); c[score.Distinct] > 0 {
				var l score.Sample
				w.states[i].Vote(uint32(i % 3))
				w.engine.Close(&w.states[i], 0, w.bin, &c, w.params, &w.ev, &l)
				samples = append(samples, l)
			}
		}
		w.bin++
	}
	all := &Sums{}
	all.Name(0, 2, "b")
	for i := range samples {
		all.Add(0, &samples[i])
	}
	want := string(all.AppendBinary(nil))
	for range 5 {
		parts := make([]*Sums, 4)
		for i := range parts {
			parts[i] = &Sums{}
		}
		parts[2].Name(0, 2, "b")
		for _, i := range w.rng.Perm(len(samples)) {
			parts[w.rng.IntN(4)].Add(0, &samples[i])
		}
		sum := &Sums{}
		for _, i := range w.rng.Perm(4) {
			if err := sum.Merge(parts[i].AppendBinary(nil)); err != nil {
				t.Fatal(err)
			}
		}
		if string(sum.AppendBinary(nil)) != want {
			t.Fatal("the order of adding shows")
		}
	}
}

// What reads as sums is written as it was read, or refused.
func FuzzMerge(f *testing.F) {
	sums := &Sums{}
	sums.Name(0, 2, "b")
	sums.Add(0, &score.Sample{Days: 1, Bins: 3, Known: true})
	f.Add(sums.AppendBinary(nil))
	f.Add([]byte{sumsVersion, 0, 1, 0, 200})
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, again Sums
		if s.Merge(b) != nil {
			return
		}
		whole := s.AppendBinary(nil)
		if err := again.Merge(whole); err != nil || string(again.AppendBinary(nil)) != string(whole) {
			t.Fatalf("%x reads otherwise than it was written: %v", whole, err)
		}
	})
}

// A fleet goes on from its encoding as if nothing had happened.
func TestFleetCodec(t *testing.T) {
	w, _ := grab(t)
	b := w.fleet.AppendBinary(nil)
	again, rest, err := Decode(b)
	if err != nil || len(rest) > 0 {
		t.Fatalf("decoding: %v, %d bytes left", err, len(rest))
	}
	if string(again.AppendBinary(nil)) != string(b) {
		t.Error("a fleet does not come back as it was")
	}
	one := w.config.CloseBin(w.fleet, w.bin, w.engine.Day(w.bin), &Sums{}).AppendBinary(nil)
	two := w.config.CloseBin(again, w.bin, w.engine.Day(w.bin), &Sums{}).AppendBinary(nil)
	if string(one) != string(two) {
		t.Error("the parameters after are others")
	}
	p, _, err := score.DecodeParameters(one)
	if err != nil || string(p.AppendBinary(nil)) != string(one) {
		t.Errorf("parameters do not come back: %v", err)
	}
	for n := range len(b) {
		if _, _, err := Decode(b[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for a fleet", n, len(b))
		}
	}
}

// After calibration the evidence of a bin or day is at most one in the mean, in
// benign fleets whose people are less even than any negative binomial: their days
// are log-normal, their hours exponential, and, but in the smallest fleet, one day in
// two hundred has ten times the work.
func TestMeanEvidence(t *testing.T) {
	for _, n := range []int{20, 200, 2000, 20_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			if n > 200 && testing.Short() || n > 2000 && os.Getenv("WEIR_SOAK") == "" {
				t.Skip("takes long")
			}
			var m meanEvidence
			for seed := range max(1, 400/n) {
				m.run(n, uint64(seed))
			}
			for st := range m.sum {
				if m.n[st] < 1000 {
					continue
				}
				mean := m.sum[st] / m.n[st]
				t.Logf("%-20v mean %.2f of %.0f", score.Stat(st), mean, m.n[st])
				if mean > 1 {
					t.Errorf("%v: the mean evidence is %.2f", score.Stat(st), mean)
				}
			}
		})
	}
}

// meanEvidence adds up what bins and days are worth after calibration.
type meanEvidence struct{ sum, n [score.NumStats]float64 }

// run plays a benign fleet for four weeks, and as long as it takes to see enough.
func (m *meanEvidence) run(n int, seed uint64) {
	w := newWorld(n, 2, uint64(n)+seed)
	level, factor := make([]float64, n), make([]float64, n)
	for i := range level {
		level[i] = 4 * math.Exp(0.8*w.rng.NormFloat64())
	}
	learned := monday + 28*24
	for w.bin < learned+int64(min(5+24_000/n, 90))*24 {
		if w.bin%24 == 0 {
			for i := range factor {
				factor[i] = math.Exp(0.6*w.rng.NormFloat64() - 0.18)
				if n > 20 && w.rng.Float64() < 0.005 {
					factor[i] = 10
				}
			}
		}
		tails := &w.params.Dimensions[0].Classes[0].Tail
		w.step(func(i int) score.Counts {
			if !w.office() {
				return score.Counts{}
			}
			c := w.poisson(min(level[i]*factor[i]*w.rng.ExpFloat64(), 500))
			return score.Counts{score.Distinct: c, score.FirstTouch: math.Round(0.3 * c)}
		}, func(_ int, _ *score.Evidence, l *score.Sample) {
			for st, k := range l.N {
				for i := range k {
					if w.bin >= learned {
						m.sum[st] += math.Exp(tails[st].Allowed(l.X[st][i]))
						m.n[st]++
					}
				}
			}
		})
	}
}

// What is skipped because it cannot matter matters not: two fleets, one of which
// evaluates everything, hold the same evidence wherever it is not calm, the same
// candidates, thresholds and tails. A bin that opens an episode while it is counted is
// never ruled out by bounds, and most others are.
func TestSkipping(t *testing.T) {
	one, two := newWorld(40, 2, 5), newWorld(40, 2, 5)
	all := score.DefaultTuning()
	all.NoSkip = true
	two.engine = score.NewEngine(time.Hour, time.UTC, all)
	reached, skipped, opened, ruled := 0, 0, 0, 0
	for one.bin < monday+45*24 {
		want := map[int]score.Evidence{}
		play := func(w *world, each func(i int, ev *score.Evidence, _ *score.Sample)) {
			w.step(func(i int) score.Counts {
				if !w.office() {
					return score.Counts{}
				}
				mean := float64(1 + i)
				if leak := monday + int64(i)*24; i%4 == 0 && w.bin > leak && w.bin < leak+10*24 {
					mean *= 4
				}
				n := w.poisson(mean * w.rng.ExpFloat64())
				c := score.Counts{score.Distinct: n, score.FirstTouch: math.Round(w.rng.Float64() * n), score.Rows: 10 * float64(i%3) * n}
				var ev score.Evidence
				w.engine.Early(&w.states[i], 0, w.bin, &c, w.params, &ev)
				switch may := w.engine.MayOpen(&w.states[i], 0, w.bin, &c, w.params); {
				case ev.Explained && !may:
					t.Fatalf("bin %d, identity %d: %.3f nats are %.3f above what opens an episode, and ruled out", w.bin, i, ev.Log, ev.Margin())
				case ev.Explained:
					opened++
				case !may:
					ruled++
				}
				return c
			}, each)
		}
		play(two, func(i int, ev *score.Evidence, _ *score.Sample) { want[i] = *ev })
		play(one, func(i int, ev *score.Evidence, _ *score.Sample) {
			o := want[i]
			for g, log := range ev.Groups {
				if ev.Candidate() != o.Candidate() {
					t.Fatalf("bin %d, identity %d: candidate %v, %v if nothing is skipped", one.bin, i, ev.Candidate(), o.Candidate())
				}
				if log >= 0.5 || o.Groups[g] >= 0.5 {
					reached++
					if log != o.Groups[g] {
						t.Fatalf("bin %d, identity %d, %v: %.3f nats, %.3f if nothing is skipped", one.bin, i, score.Group(g), log, o.Groups[g])
					}
				}
			}
			for st := range ev.Stats {
				if ev.Stats[st].Judged != o.Stats[st].Judged {
					skipped++
				}
			}
		})
		if string(one.params.AppendBinary(nil)) != string(two.params.AppendBinary(nil)) {
			t.Fatalf("after bin %d the fleets differ", one.bin)
		}
	}
	if reached < 100 || skipped < 100 || opened < 30 || ruled < 5*opened {
		t.Errorf("%d times a threshold was reached, %d times something was skipped, %d bins open an episode, %d are ruled out: the test shows nothing", reached, skipped, opened, ruled)
	}
}

// In a calm fleet no more episodes open than the budget pays for.
func TestBudget(t *testing.T) {
	for _, budget := range []float64{0.5, 2} {
		openings, days := 0.0, 0.0
		for seed := range uint64(4) {
			w := newWorld(150, budget, 100+seed)
			open := make([]int64, 150)
			factor := make([]float64, 150)
			for w.bin < monday+70*24 {
				if w.bin%24 == 0 {
					for i := range factor {
						factor[i] = w.gamma(1.5) / 1.5
					}
				}
				w.step(func(i int) score.Counts {
					if !w.office() {
						return score.Counts{}
					}
					c := w.poisson(min(1+float64(i%20)*factor[i], 400))
					return score.Counts{score.Distinct: c, score.FirstTouch: math.Round(0.5 * c)}
				}, func(i int, ev *score.Evidence, _ *score.Sample) {
					if ev.Margin() < 0 {
						return
					}
					if w.bin-open[i] > 72 && w.bin > monday+14*24 {
						openings++
					}
					open[i] = w.bin
				})
			}
			days += 56
		}
		perDay := openings / days
		t.Logf("budget %v: %.2f a day", budget, perDay)
		if upper := (openings + 2*math.Sqrt(openings)) / days; upper > 1.25*budget {
			t.Errorf("at a budget of %v a day %.2f open", budget, perDay)
		}
	}
}

// gamma draws from a Gamma of a shape above 1 (Marsaglia and Tsang 2000).
func (w *world) gamma(shape float64) float64 {
	d := shape - 1./3
	for {
		x := w.rng.NormFloat64()
		v := 1 + x/math.Sqrt(9*d)
		if v = v * v * v; v > 0 && math.Log(w.rng.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
