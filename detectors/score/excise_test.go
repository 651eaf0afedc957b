package score

import (
	"math"
	"testing"

	"github.com/weirhq/weir/detectors/fleet"
	"pgregory.net/rapid"
)

// worker is an identity that does so many records an hour, hour after hour.
type worker struct {
	engine *Engine
	params *fleet.Parameters
	state  State
	bin    int64
}

func newWorker() *worker {
	e := NewEngine(Config{Dimensions: []string{"user"}})
	return &worker{engine: e, params: e.DefaultParameters(), bin: 24 * 20_000}
}

func (w *worker) work(hours int, each float64) {
	for range hours {
		w.engine.Close(&w.state, 0, w.bin, fleet.Counts{fleet.Distinct: each, fleet.FirstTouch: each / 4}, w.params, nil)
		w.bin++
	}
}

// expected is what the next hour is held against.
func (w *worker) expected() float64 { return w.next().Expected }

func (w *worker) next() fleet.MeasureEvidence {
	s := w.state.Clone()
	w.engine.Advance(&s, 0, w.bin, w.params)
	return w.engine.Early(&s, 0, w.bin, fleet.Counts{}, w.params).Measures[fleet.Distinct]
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

// reports lets a worker run a report of so many rows each day at nine, a little
// more or less.
func (w *worker) reports(days int, rows float64) {
	for range days {
		for hour := range 24 {
			c := fleet.Counts{fleet.Distinct: 5}
			if hour == 9 {
				c[fleet.RowsRead] = math.Round(rows * (1 + 0.3*float64(w.bin/24%5-2)/2))
			}
			w.engine.Close(&w.state, 0, w.bin, c, w.params, nil)
			w.bin++
		}
	}
}

// usualRows is what the next report is held against.
func (w *worker) usualRows() fleet.MeasureEvidence {
	s := w.state.Clone()
	w.engine.Advance(&s, 0, w.bin, w.params)
	return w.engine.Early(&s, 0, w.bin, fleet.Counts{fleet.RowsRead: 1}, w.params).Measures[fleet.RowsRead]
}

// mean is the mean of what is remembered of a measure: records an ordinary hour,
// or the logarithm of a bin's rows.
func (w *worker) mean(m fleet.Measure) float64 {
	x := &w.state.core[fleet.Distinct]
	if m != fleet.Distinct {
		x = w.state.extra(m)
	}
	if x == nil || x.exposure == 0 {
		return 0
	}
	return float64(x.count) / float64(x.exposure)
}

// Files that were a leak do not make large files usual: what was found within two
// days goes out exactly, what is older nearly, and what was read since stays.
func TestExciseRows(t *testing.T) {
	for _, c := range []struct {
		name                string
		before, leak, after int // days
		low, high           float64
	}{
		{"found the next day", 30, 1, 0, 0.99, 1.01},
		{"found two days after, with work since", 30, 1, 1, 0.99, 1.02},
		{"of one who had hardly any", 3, 2, 0, 0.99, 1.01},
		{"found after a week", 30, 7, 0, 0.7, 1.1},
		{"found after a week, three days ago", 30, 7, 3, 1, 1.6}, // nobody knows how large they were
	} {
		w := newWorker()
		w.reports(c.before, 500)
		clean := *w
		clean.state = w.state.clone(t)
		from := w.bin
		w.reports(c.leak, 50_000)
		to := w.bin - 1
		w.reports(c.after, 500)
		clean.reports(c.after, 500)
		grown := w.usualRows().Expected
		w.engine.Excise(&w.state, 0, from, to, w.params)
		want, got := clean.usualRows().Expected, w.usualRows().Expected
		t.Logf("%s: %.0f rows are usual without the leak, %.0f with it, %.0f after excision", c.name, want, grown, got)
		if got > c.high*want || got < c.low*want {
			t.Errorf("%s: %.0f rows are usual, want about %.0f", c.name, got, want)
		}
		if grown <= got {
			t.Errorf("%s: the leak had taught nothing: %.0f, %.0f", c.name, grown, got)
		}
		w.engine.Excise(&w.state, 0, from, to, w.params)
		if twice := w.usualRows().Expected; twice < got/2 || twice > got*1.001 {
			t.Errorf("%s: taken out twice, %.0f rows are usual, once %.0f", c.name, twice, got)
		}
	}
}

// clone returns a copy that shares nothing.
func (s *State) clone(t *testing.T) State {
	c, _, err := DecodeState(s.AppendBinary(nil))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Whose whole life is a leak is a newcomer again.
func TestExciseAll(t *testing.T) {
	w := newWorker()
	from := w.bin
	w.work(10*24, 100)
	w.engine.Excise(&w.state, 0, from, w.bin-1, w.params)
	if got := w.expected(); got > 20 {
		t.Errorf("%.1f an hour expected of one of whom only a leak is known; the peers do about %.1f", got, w.params.Dimensions[0].Prior[fleet.Distinct].Mean)
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
			before := w.mean(fleet.Distinct)
			from := start + int64(rapid.IntRange(-50, 700).Draw(t, "from"))
			w.engine.Excise(&w.state, 0, from, from+int64(rapid.IntRange(-5, 700).Draw(t, "length")), w.params)
			after := w.next()
			if math.IsNaN(after.Expected) || math.IsInf(after.Expected, 0) || after.Expected <= 0 {
				t.Fatalf("expects %v", after.Expected)
			}
			// The level lies between what it did and what its peers do, nearer to
			// either than before.
			if limit := max(before, w.params.Dimensions[0].Prior[fleet.Distinct].Mean); after.Level > limit*1.001 {
				t.Fatalf("a level of %.3f, and it has done %.3f", after.Level, before)
			}
		}
		if _, rest, err := DecodeState(w.state.AppendBinary(nil)); err != nil || len(rest) > 0 {
			t.Fatalf("does not read back: %v", err)
		}
	})
}

// Whatever is taken out of the rows, and however often, their mean does not rise,
// and the state can be written down.
func TestExciseRowsLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorker()
		start := w.bin
		for range rapid.IntRange(1, 5).Draw(t, "spells") {
			w.work(rapid.IntRange(0, 60).Draw(t, "hours"), 10)
			w.reports(rapid.IntRange(0, 6).Draw(t, "days"), float64(rapid.IntRange(1, 100_000).Draw(t, "rows")))
		}
		for range rapid.IntRange(1, 4).Draw(t, "times") {
			before := w.mean(fleet.RowsRead)
			from := start + int64(rapid.IntRange(-50, 700).Draw(t, "from"))
			w.engine.Excise(&w.state, 0, from, from+int64(rapid.IntRange(-5, 700).Draw(t, "length")), w.params)
			if after := w.mean(fleet.RowsRead); !(after <= before*1.0001) {
				t.Fatalf("the logs of sizes have a mean of %v, before %v", after, before)
			}
		}
		if _, rest, err := DecodeState(w.state.AppendBinary(nil)); err != nil || len(rest) > 0 {
			t.Fatalf("does not read back: %v", err)
		}
	})
}
