package detectors

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// worker is an identity that does so many records an hour, hour after hour.
type worker struct {
	engine *Engine
	params *Parameters
	state  State
	bin    int64
}

func newWorker() *worker {
	e := NewEngine(Config{Dimensions: []string{"user"}})
	return &worker{engine: e, params: e.DefaultParameters(), bin: 24 * 20_000}
}

func (w *worker) work(hours int, each float64) {
	for range hours {
		w.engine.Close(&w.state, 0, w.bin, Counts{Distinct: each, FirstTouch: each / 4}, w.params, nil)
		w.bin++
	}
}

// expected is what the next hour is held against.
func (w *worker) expected() float64 { return w.next().Expected }

func (w *worker) next() MeasureEvidence {
	s := w.state
	return w.engine.Early(&s, 0, w.bin, Counts{}, w.params).Measures[Distinct]
}

// A confirmed leak does not become normal: what is expected after it is what
// was expected before, to a tenth if it was found within the two days of which
// every bin is kept, and to a half after ten days, when only sums are left.
func TestExcise(t *testing.T) {
	for _, c := range []struct {
		name       string
		leak       int // hours
		low, grown float64
	}{
		{"found on the first day", 24, 0.9, 1.1},
		{"found after two days", 47, 0.9, 1.15},
		{"found after ten days", 240, 0.5, 1.5},
	} {
		w := newWorker()
		w.work(30*24, 20)
		before := w.expected()
		from := w.bin
		w.work(c.leak, 100)
		grown := w.expected()
		evidence := w.state.Log()
		w.engine.Excise(&w.state, 0, from, w.bin-1, w.params)
		after := w.expected()
		t.Logf("%s: %.1f an hour expected before, %.1f after the leak, %.1f without it", c.name, before, grown, after)
		if after < c.low*before || after > c.grown*before {
			t.Errorf("%s: %.1f expected after excision, %.1f before the leak", c.name, after, before)
		}
		if grown <= after {
			t.Errorf("%s: the leak had taught nothing: %.1f, %.1f", c.name, grown, after)
		}
		if w.state.Log() != evidence {
			t.Errorf("%s: the evidence changed", c.name)
		}
	}
}

// Whose whole life is a leak is a newcomer again.
func TestExciseAll(t *testing.T) {
	w := newWorker()
	from := w.bin
	w.work(10*24, 100)
	w.engine.Excise(&w.state, 0, from, w.bin-1, w.params)
	if got := w.expected(); got > 20 {
		t.Errorf("%.1f an hour expected of one of whom only a leak is known; the peers do about %.1f", got, w.params.Dimensions[0].Prior[Distinct].Mean)
	}
}

// Whatever is taken out, and however often, nothing becomes infinite or rises,
// and the state can be written down.
func TestExciseLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorker()
		start := w.bin
		for range rapid.IntRange(1, 6).Draw(t, "spells") {
			w.work(rapid.IntRange(1, 100).Draw(t, "hours"), float64(rapid.IntRange(0, 300).Draw(t, "each")))
		}
		for range rapid.IntRange(1, 4).Draw(t, "times") {
			before := w.next().Level
			from := start + int64(rapid.IntRange(-50, 700).Draw(t, "from"))
			w.engine.Excise(&w.state, 0, from, from+int64(rapid.IntRange(-5, 700).Draw(t, "length")), w.params)
			after := w.next()
			if math.IsNaN(after.Expected) || math.IsInf(after.Expected, 0) || after.Expected <= 0 {
				t.Fatalf("expects %v", after.Expected)
			}
			// Where less is known of it, the level is nearer to the peers'.
			if limit := max(before, w.params.Dimensions[0].Prior[Distinct].Mean); after.Level > limit*1.001 {
				t.Fatalf("a level of %.2f, before %.2f", after.Level, before)
			}
		}
		if _, rest, err := DecodeState(w.state.AppendBinary(nil)); err != nil || len(rest) > 0 {
			t.Fatalf("does not read back: %v", err)
		}
	})
}
