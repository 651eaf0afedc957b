package theory

import (
	"fmt"
	"math/rand/v2"

	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
)

// engineWorld is a fleet of equal streams under the shipped engine, which must
// learn every baseline by itself.
type engineWorld struct {
	engine *score.Engine
	fleet  *fleet.Fleet
	params *fleet.Parameters
	states []score.State
	noise  *Noise
	rng    *rand.Rand
	bin    int64
}

// engineFleet is how many streams there are, and engineWarm after how many bins
// they are looked at: twelve weeks.
const (
	engineFleet = 100
	engineWarm  = 12 * 7 * 24
)

// newEngineWorld returns a fleet whose budget asks for the given mean time
// between false alarms of one stream, so that the ceiling of the evidence lies
// above the threshold of that.
func newEngineWorld(n *Noise, arl float64, seed uint64) *engineWorld {
	e := score.NewEngine(score.Config{Dimensions: []string{"user"}, Budget: engineFleet * 24 / arl})
	w := &engineWorld{
		engine: e, fleet: e.NewFleet(), params: e.DefaultParameters(), noise: n, bin: monday2026,
		rng: rand.New(rand.NewPCG(seed, 3)), states: make([]score.State, engineFleet),
	}
	for w.bin < monday2026+engineWarm {
		w.step(nil)
	}
	return w
}

// monday2026 is the bin of an hour that begins on Monday, 2026-03-02 00:00 UTC.
const monday2026 = int64(1772409600 / 3600)

// step plays one calm bin of all streams.
func (w *engineWorld) step(each func(stream int, log float64)) {
	var sums fleet.Sums
	for i := range w.states {
		var c fleet.Counts
		c[fleet.Distinct] = float64(w.noise.Draw(w.rng, 1))
		ev := w.engine.Close(&w.states[i], 0, w.bin, c, w.params, &sums)
		if each != nil {
			each(i, ev.Log)
		}
	}
	w.params = w.engine.CloseBin(w.fleet, w.bin, &sums)
	w.bin++
}

// engineCalm is the log evidence at or below which an excursion is over.
const engineCalm = 2.0

// EngineDelays measures the shipped engine, with baselines that it has learned:
// the threshold at which the realised mean time between false alarms of one
// stream is arl bins, from calm bins of the whole fleet, and the mean delay of
// each drift, in bins, from so many runs.
func EngineDelays(n *Noise, drifts []float64, arl float64, bins, runs int, seed uint64) (threshold float64, delays []float64, err error) {
	w := newEngineWorld(n, arl, seed)
	peaks := make([]Peaks, engineFleet)
	for range bins / engineFleet {
		w.step(func(i int, log float64) { peaks[i].Add(log, engineCalm) })
	}
	var all Peaks
	for i := range peaks {
		all.Bins += peaks[i].Bins
		all.List = append(all.List, peaks[i].List...)
	}
	if len(all.List) == 0 {
		return 0, nil, fmt.Errorf("measuring the engine: no excursion in %d calm bins", all.Bins)
	}
	threshold = all.Threshold(arl)
	for _, r := range drifts {
		total := 0.0
		for run := range runs {
			d, err := w.delay(run%engineFleet, r, threshold)
			if err != nil {
				return 0, nil, err
			}
			total += float64(d)
		}
		delays = append(delays, total/float64(runs))
	}
	return threshold, delays, nil
}

// delay lets one stream drift, on a copy of its state and under the parameters
// of now.
func (w *engineWorld) delay(stream int, drift, threshold float64) (int, error) {
	s, _, err := score.DecodeState(w.states[stream].AppendBinary(nil))
	if err != nil {
		return 0, fmt.Errorf("copying a stream: %w", err)
	}
	const limit = 2000
	for bin := 1; bin < limit; bin++ {
		var c fleet.Counts
		c[fleet.Distinct] = float64(w.noise.Draw(w.rng, drift))
		if w.engine.Close(&s, 0, w.bin+int64(bin)-1, c, w.params, nil).Log >= threshold {
			return bin, nil
		}
	}
	return limit, nil
}
