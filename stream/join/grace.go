package join

import (
	"slices"

	"github.com/weirhq/weir/stream"
)

// readsInGrace holds the reads of tokens of which no login has told yet, until the
// grace in which it may still come is over.
type readsInGrace struct {
	byToken map[uint64]*tokenReads
	due     stream.ByTick[uint64] // tokens, by the tick in which they are judged
}

// tokenReads are the reads of a token whose grace is not over. What they are depends on
// no order: a restore reads the log again in the log's order, not in that of the ticks.
type tokenReads struct {
	from  int64 // tick of application of its first read
	reads []stream.SessionRead
}

// hold keeps a read. It reports whether it is the first that is held of its token.
func (g *readsInGrace) hold(r stream.SessionRead) (first bool) {
	t := g.byToken[r.Token]
	if first = t == nil; first {
		t = &tokenReads{from: r.Apply}
		g.byToken[r.Token] = t
	}
	t.from = min(t.from, r.Apply)
	for i := range t.reads {
		if slices.Equal(t.reads[i].Who, r.Who) {
			t.reads[i].Tick = min(t.reads[i].Tick, r.Tick)
			t.reads[i].Records.Merge(&r.Records)
			return first
		}
	}
	t.reads = append(t.reads, r)
	return first
}

// oldest returns the first tick in which a token read that is held, next if none is.
func (g *readsInGrace) oldest(next int64) int64 {
	for _, t := range g.byToken {
		next = min(next, t.from)
	}
	return next
}

// drop drops the tokens that are passed over.
func (g *readsInGrace) drop(passesOver func(token uint64) bool) {
	for token := range g.byToken {
		if passesOver(token) {
			delete(g.byToken, token)
		}
	}
}
