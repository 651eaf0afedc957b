package stream

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors"
	"github.com/weirhq/weir/sketches"
)

// missing is what is known of the tokens through which an identity read and
// that nobody issued. It is kept for identities that have had any.
type missing struct {
	seen    sketches.Window      // the tokens
	records sketches.Window      // what they read
	bin     int64                // the bin of recent[bin % missingBins]
	recent  [missingBins]float64 // new tokens, by bin, of a day: what may be the case
	past    float64              // those of before, decayed: the missing share
	excised float64              // bins of the past, decayed likewise, in which there was a case
}

// missingBins is how many bins may belong to the case: those of a day, at bins
// of an hour.
const missingBins = 24

// The spans over which unissued tokens are counted, in bins: a burst, some
// hours, a day of probing.
var missingSpans = [...]int64{1, 2, 4, 8, missingBins}

// caseLasts is how long a case is kept out of the missing share. Whoever has
// been told for so long need not be told again, as long as it grows no further.
const caseLasts = 3 * dayMillis

// roll brings the entry to a bin. What leaves the recent bins becomes part of
// the missing share, unless it was part of a case.
func (m *missing) roll(bin int64, rules *detectors.TokenRules, during bool) {
	if bin-m.bin > 4*missingBins+int64(20*rules.Horizon) {
		m.recent, m.past, m.excised, m.bin = [missingBins]float64{}, 0, 0, bin
		return
	}
	for m.bin < bin {
		m.bin++
		at := &m.recent[m.bin%missingBins]
		fade := rules.Fade(1)
		m.past, m.excised = m.past*fade, m.excised*fade
		if during {
			m.excised++
		} else {
			m.past += rules.Taught(*at, m.past)
		}
		*at = 0
	}
}

// count returns the new tokens of the latest bins.
func (m *missing) count(span int64) (n float64) {
	for b := m.bin - span + 1; b <= m.bin; b++ {
		if b >= 0 {
			n += m.recent[b%missingBins]
		}
	}
	return n
}

// stale reports whether an entry has nothing more to say.
func (f *factRegister) stale(m *missing, tick int64) bool {
	return float64(f.grid.BinOfTick(tick)-m.bin) > 15*f.cfg.Tokens.Horizon
}

// unissued reports whether a cell brought tokens that nobody issued, which count
// for its identity.
func (c *cell) unissued() bool {
	return slices.ContainsFunc(c.parts, func(p part) bool { return !p.tokens.Empty() })
}

// judgeTokens counts the unissued tokens that a cell brought and holds them
// against the identity's own missing share.
func (d *Detect) judgeTokens(c *cell, params *detectors.Parameters) {
	f, id := d.facts, c.id
	if !c.unissued() {
		return
	}
	bin := f.grid.BinOfTick(c.apply)
	m := f.missing[id.key]
	if m == nil {
		m = &missing{bin: bin}
		f.missing[id.key] = m
		f.limitMissing()
	}
	rules := &f.cfg.Tokens
	during := slices.ContainsFunc(f.notices[id.key], func(n *notice) bool {
		return n.fact == alerting.UnissuedToken && f.alive(n, c.apply) && (c.apply-n.began)*f.grid.Tick <= caseLasts
	})
	m.roll(bin, rules, during)
	for i := range c.parts {
		p := &c.parts[i]
		m.recent[bin%missingBins] += math.Round(m.seen.FirstTouch(&p.tokens).N)
		m.seen.Merge(&p.tokens)
		m.records.Merge(&p.unissued)
	}
	f.changed[missingRecord+id.key] = true
	if f.heard.tokens == 0 {
		return
	}
	counts, _ := d.counts(id)
	ev := d.cfg.Engine.Early(&id.state, id.dimension(), bin, counts, params)
	level := ev.Measures[detectors.Distinct].Level
	watched := bin - missingBins - max(f.grid.BinOf(f.heard.tokens+tokenLearn), f.grid.BinOfTick(id.first))
	weight := rules.Weight(float64(watched)) - m.excised
	if float64(watched) < rules.Learn || weight <= 0 {
		return
	}
	read := func(bins int64) float64 { return id.window.Count(f.grid.BinMinute(max(bin-bins+1, 0))).N }
	past := min(level*weight, read(missingBins+int64(rules.Horizon))-read(missingBins))
	for _, span := range missingSpans {
		n := m.count(span)
		expected, is := rules.Improbable(n, max(level*float64(span), read(span)), m.past, max(past, 0))
		if !is {
			continue
		}
		first := max(bin-span+1, 0)
		for m.recent[first%missingBins] == 0 && first < bin {
			first++
		}
		since := first*f.grid.Bin - f.cfg.Grace - f.grid.Tick
		f.notice(id, c.apply, alerting.UnissuedToken, since,
			"tokens", fmt.Sprintf("%.0f", n), "expected_tokens", fmt.Sprintf("%.2g", expected),
			"window", fmt.Sprintf("%dh", span*f.grid.Bin/hourMillis))
		return
	}
}

// limitMissing gives up the entries that have long not changed, once there are
// too many.
func (f *factRegister) limitMissing() {
	if len(f.missing) <= maxMissing {
		return
	}
	keys := make([]string, 0, len(f.missing))
	for key := range f.missing {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(f.missing[a].bin, f.missing[b].bin), cmp.Compare(a, b))
	})
	for _, key := range keys[:len(keys)/10] {
		delete(f.missing, key)
		f.changed[missingRecord+key] = true
		f.capped++
	}
}
