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

// tokenReads are the reads of a token whose grace is not over.
type tokenReads struct {
	from  int64 // tick of application of its first read
	reads []stream.SessionTouch
}

// hold keeps a read. If it is the first of its token, the token is judged at a tick.
func (g *readsInGrace) hold(r stream.SessionTouch, at int64) {
	t := g.byToken[r.Token]
	if t == nil {
		t = &tokenReads{from: r.Apply}
		g.byToken[r.Token] = t
		g.due.Add(at, r.Token)
	}
	for i := range t.reads {
		if slices.Equal(t.reads[i].Who, r.Who) {
			t.reads[i].Records.Merge(&r.Records)
			return
		}
	}
	t.reads = append(t.reads, r)
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
