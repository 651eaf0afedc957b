package fact

import (
	"fmt"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/sketches"
)

// TokenLearn is how long after the first login of the log a token that nobody
// issued is taken for one that is older than the log, in ms of event time.
const TokenLearn = eventtime.Day

// unissuedReads is what is known of the tokens that read for an identity and that
// nobody issued. It is kept of identities that have had any.
type unissuedReads struct {
	Unissued
	tokens  sketches.Window // the tokens
	records sketches.Window // what they read
}

// stale reports whether an entry has nothing more to say at a tick: its latest
// token is older than fifteen weeks.
func (r *Register) stale(u *unissuedReads, tick int64) bool {
	return float64(r.cfg.Grid.BinOfTick(tick)-u.Bin) > 15*r.cfg.Tokens.Week
}

// judgeUnissued counts the unissued tokens of an act, holds them against the
// identity's own unissued share, and reports whether they are a fact: whether
// tokens were forged.
func (r *Register) judgeUnissued(a *Act) bool {
	if len(a.Unissued) == 0 {
		return false
	}
	grid, rules := r.cfg.Grid, &r.cfg.Tokens
	bin, load := grid.BinOfTick(a.Tick), a.Of.Load()
	read := func(b int64) float64 {
		if records, known := a.Of.Read(b); known {
			return records
		}
		return load.Level
	}
	u := r.unissued[a.Key]
	if u == nil {
		since := max(grid.BinOf(r.inputs.tokens+TokenLearn), grid.BinOfTick(a.First))
		u = &unissuedReads{Unissued: *NewUnissued(bin, since, load.Level, read, rules)}
		r.unissued[a.Key] = u
	}
	u.Roll(bin, read, rules)
	for i := range a.Unissued {
		u.take(&a.Unissued[i], grid, rules)
	}
	r.changed[unissuedRecord+a.Key] = true
	if r.inputs.tokens == 0 {
		return false
	}
	is, reported := u.Judge(load.Observed, rules)
	if reported {
		n := r.notice(a, UnissuedToken, grid.BinStart(is.First))
		n.detail = map[string]string{ // a new one: the last may be on its way
			"window": fmt.Sprintf("%.0f of them within %dh, where %s usual", is.Tokens, is.Span*grid.Bin/eventtime.Hour, usually(is.Expected)),
		}
	}
	return reported
}

// take counts tokens, each in the bin in which it was last seen to read, unless it
// was counted before. Of more tokens than a sketch counts without error, how many are
// new is an estimate, whose mean is right over many ticks: what is more than there are
// tokens counts in the latest bin.
func (u *unissuedReads) take(t *UnissuedTokens, grid eventtime.Grid, rules *TokenRules) {
	fresh := u.tokens.Missing(t.Tokens, 0)
	surplus := max(0, fresh-t.Tokens.Count(0).N)
	u.Add(u.Bin, surplus, rules)
	counted := surplus
	for bin := u.Bin; fresh > counted && bin > u.Bin-CaseBins; bin-- {
		n := min(surplus+t.Tokens.Count(grid.BinMinute(bin)).N, fresh)
		u.Add(bin, n-counted, rules)
		counted = n
	}
	u.Add(u.Bin-CaseBins, fresh-counted, rules)
	u.tokens.Merge(t.Tokens)
	u.records.Merge(t.Records)
}

// usually says how many tokens are usual, with the verb.
func usually(expected float64) string {
	if expected < 0.05 {
		return "none is"
	}
	return fmt.Sprintf("%.2g are", expected)
}
