package correlate

import (
	"fmt"
	"math"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// Notice is a fact about weir itself that people are to be alerted of.
type Notice struct {
	ID     episode.ID
	Fact   fact.Name
	Detail map[string]string
}

// notices hold what people are to be alerted of in the next tick that is worked through.
// The tick is kept, so that a restore repeats it.
type notices struct {
	due     []dueNotice
	changed bool // since the last Snapshot
}

type dueNotice struct {
	notice Notice
	tick   int64 // 0: the first that is worked through
}

// noticesKey is the key of the fleet topic under which notices stand.
const noticesKey = "notices"

// Notify has people be alerted of something in the next tick, and returns what keeps it
// until then. The change is to be written before the notice counts as given.
func (t *Task) Notify(n *Notice) stream.Change {
	due := dueNotice{notice: *n}
	if t.closed != eventtime.Never {
		due.tick = t.closed + 1
	}
	t.notices.due = append(t.notices.due, due)
	return t.notices.change()
}

func (n *notices) change() stream.Change {
	b := wire.AppendList([]byte{noticesVersion}, n.due, func(b []byte, d *dueNotice) []byte {
		b = wire.AppendText(wire.AppendText(wire.AppendText(b, d.notice.ID.Dimension), d.notice.ID.Identity), string(d.notice.Fact))
		return wire.AppendVarints(wire.AppendTextMap(b, d.notice.Detail), d.tick)
	})
	return stream.Change{Key: []byte(noticesKey), Value: b}
}

// noticesVersion is the first byte of the record.
const noticesVersion = 1

func (n *notices) load(value []byte) error {
	r := wire.NewReader(value)
	r.Version(noticesVersion)
	n.due = wire.List(&r, func() dueNotice {
		n := Notice{ID: episode.ID{Dimension: r.Text(), Identity: r.Text()}, Fact: fact.Name(r.Text()), Detail: r.TextMap()}
		return dueNotice{n, r.Varint()}
	})
	if err := r.End(); err != nil {
		return fmt.Errorf("reading notices: %w", err)
	}
	return nil
}

// next returns the first tick in which there is one, the largest number there is if none is
// due.
func (n *notices) next() int64 {
	return firstDue(n.due, func(d *dueNotice) int64 { return d.tick })
}

// firstDue returns the first of the ticks for which something is due, the largest number
// there is if nothing is. 0 is no tick: it is due as soon as any is worked through.
func firstDue[T any](due []T, of func(*T) int64) int64 {
	tick := int64(math.MaxInt64)
	for i := range due {
		if t := of(&due[i]); t > 0 {
			tick = min(tick, t)
		}
	}
	return tick
}

// take hands out those of a tick.
func (n *notices) take(tick, end int64) (out []tickInput) {
	for len(n.due) > 0 && n.due[0].tick <= tick {
		of := &n.due[0].notice
		out = append(out, tickInput{id: of.ID, facts: []stream.FactCandidate{{
			Identity: of.ID.Identity, Fact: of.Fact, Time: end, Exposed: episode.Exposed{Since: end}, Detail: of.Detail,
		}}})
		n.due, n.changed = n.due[1:], true
	}
	return out
}
