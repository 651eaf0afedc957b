package detect

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// missing is what is known of the tokens through which an identity read and
// that nobody issued. It is kept for identities that have had any.
type missing struct {
	fact.Missing
	seen    sketches.Window // the tokens
	records sketches.Window // what they read
}

// stale reports whether an entry has nothing more to say.
func (f *factRegister) stale(m *missing, tick int64) bool {
	return float64(f.grid.BinOfTick(tick)-m.Bin) > 15*f.cfg.Tokens.Week
}

// unissued reports whether a cell brought tokens that nobody issued, which count
// for its identity.
func (c *cell) unissued() bool {
	return slices.ContainsFunc(c.parts, func(p part) bool { return !p.tokens.Empty() })
}

// judgeTokens counts the unissued tokens that a cell brought and holds them
// against the identity's own missing share. It reports whether they are a fact.
func (d *Task) judgeTokens(c *cell, params *score.Parameters) bool {
	f, id := d.facts, c.id
	if !c.unissued() {
		return false
	}
	bin, rules := f.grid.BinOfTick(c.apply), &f.cfg.Tokens
	counts, _ := d.counts(id)
	ev := d.cfg.Engine.Early(&id.state, id.dimension(), bin, counts, params)
	level := ev.Measures[score.Distinct].Level
	m := f.missing[id.key]
	read := func(b int64) float64 {
		if bin-b <= d.cfg.Engine.Kept() {
			return id.state.Counted(b)[score.Distinct]
		}
		return level
	}
	if m == nil {
		since := max(f.grid.BinOf(f.heard.tokens+stream.TokenLearn), f.grid.BinOfTick(id.first))
		m = &missing{Missing: *fact.NewMissing(bin, since, level, read, rules)}
		f.missing[id.key] = m
		f.limitMissing()
	}
	m.Roll(bin, read, rules)
	for i := range c.parts {
		m.take(&c.parts[i], f.grid, rules)
	}
	f.changed[missingRecord+id.key] = true
	if f.heard.tokens == 0 {
		return false
	}
	is, told := m.Judge(counts[score.Distinct], rules)
	if !told {
		return false
	}
	n := f.notice(id, c.apply, fact.UnissuedToken, f.grid.BinStart(is.First))
	n.detail = map[string]string{ // a new one: the last may be on its way
		"tokens": fmt.Sprintf("%.0f", is.Tokens), "expected_tokens": fmt.Sprintf("%.2g", is.Expected),
		"window": fmt.Sprintf("%dh", is.Span*f.grid.Bin/eventtime.Hour),
	}
	return true
}

// take counts the tokens that a part brought, each in the bin in which it was
// last seen to read.
func (m *missing) take(p *part, grid eventtime.Grid, rules *fact.TokenRules) {
	if p.tokens.Empty() {
		return
	}
	newer, news := 0.0, math.Round(m.seen.FirstTouch(&p.tokens).N)
	for bin := m.Bin; news > newer && bin > m.Bin-fact.MissingBins; bin-- {
		n := min(math.Round(p.tokens.Count(grid.BinMinute(bin)).N), news)
		m.Add(bin, n-newer, rules)
		newer = n
	}
	m.Add(m.Bin-fact.MissingBins, news-newer, rules)
	m.seen.Merge(&p.tokens)
	m.records.Merge(&p.unissued)
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
		return cmp.Or(cmp.Compare(f.missing[a].Bin, f.missing[b].Bin), cmp.Compare(a, b))
	})
	for _, key := range keys[:len(keys)/10] {
		delete(f.missing, key)
		f.changed[missingRecord+key] = true
		f.capped++
	}
}
