package trial

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/lab/theory"
)

// streams is a fleet of equal streams of independent hours, around the clock, under
// an engine that must learn every baseline by itself.
type streams struct {
	engine *score.Engine
	config fleet.Config
	fleet  *fleet.Fleet
	params *score.Parameters
	states []score.State
	noise  *theory.Noise
	rng    *rand.Rand
	bin    int64
}

const arl = 1000 * 365.25 * 24 // hours between false alarms of a stream

// step plays a calm bin. An excursion is over where the evidence is calm or below.
func (w *streams) step(each func(i int, margin, calm float64)) {
	var ev score.Evidence
	var sample score.Sample
	sums := &fleet.Sums{}
	for i := range w.states {
		c := score.Counts{score.Distinct: float64(w.noise.Draw(w.rng, 1))}
		w.engine.Close(&w.states[i], 0, w.bin, &c, w.params, &ev, &sample)
		sums.Add(0, &sample)
		if each != nil {
			each(i, ev.Margin(), 1-ev.Threshold)
		}
	}
	w.params = w.config.CloseBin(w.fleet, w.bin, w.engine.Day(w.bin), sums)
	w.bin++
}

// delay lets one stream drift on a copy of its state.
func (w *streams) delay(i int, drift, threshold float64) float64 {
	s := w.states[i].Clone()
	var ev score.Evidence
	for n := int64(0); n < 2000; n++ {
		c := score.Counts{score.Distinct: float64(w.noise.Draw(w.rng, drift))}
		w.engine.Close(&s, 0, w.bin+n, &c, w.params, &ev, nil)
		if ev.Margin() >= threshold {
			return float64(n + 1)
		}
	}
	return 2000
}

// The engine, which must learn all baselines, tells a drift to twice and more within
// 1.35 times the delay of a CUSUM that knows baseline and drift (figures of
// TestLabTheory), at a mean time between false alarms of a thousand years, of which
// the realised ones are counted and their tail extrapolated.
func TestTheory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	drifts := []float64{1.5, 2, 3, 5}
	for k, floor := range map[float64][]float64{5: {35.3, 12, 4.7, 2.0}, 1.7: {82.9, 28.1, 11.3, 4.6}} {
		w := &streams{
			engine: score.NewEngine(time.Hour, time.UTC, score.DefaultTuning()),
			config: fleet.NewConfig(100*24/arl, []string{"user"}, 24),
			fleet:  fleet.New(1), params: score.Defaults(1, 8), states: make([]score.State, 100),
			noise: theory.NewNoise(20, k, drifts), rng: rand.New(rand.NewPCG(1, 3)), bin: 1772409600 / 3600,
		}
		for range 12 * 7 * 24 {
			w.step(nil)
		}
		peaks := make([]theory.Peaks, len(w.states))
		for range 10_000 {
			w.step(func(i int, margin, calm float64) { peaks[i].Add(margin, calm) })
		}
		var all theory.Peaks
		for i := range peaks {
			all.Bins += peaks[i].Bins
			all.List = append(all.List, peaks[i].List...)
		}
		threshold := all.Threshold(arl)
		total := make([]float64, len(drifts))
		const runs = 600
		for run := range runs {
			if run%25 == 0 {
				for range 7 { // other hours of the day, other parameters
					w.step(nil)
				}
			}
			for j, r := range drifts {
				total[j] += w.delay(run%100, r, threshold) / runs
			}
		}
		for j, r := range drifts {
			t.Logf("k %v, %vx: %.1f h, %.2f times the CUSUM", k, r, total[j], total[j]/floor[j])
			if r >= 2 && total[j] > 1.35*floor[j] {
				t.Errorf("k %v: a drift to %vx is told of after %.1f h, more than 1.35 times %v", k, r, total[j], floor[j])
			}
		}
	}
}
