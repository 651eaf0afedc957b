package correlate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// verdicts is what correlate holds of weir.verdicts. When a verdict counts is
// decided once, when it is read: in the next tick that is worked through. The
// tick is kept, so that a restore repeats it. A verdict whose episode is not
// known waits until it opens: after a `weir reset` the verdicts are read before
// the events that they are about.
type verdicts struct {
	offset   int64 // next of weir.verdicts
	due      []stamped
	waiting  []Verdict
	expected map[episodeID]Verdict // in force
	changed  bool                  // since the last Snapshot
}

// stamped is a verdict and the tick in which it takes effect.
type stamped struct {
	Verdict Verdict `json:"verdict"`
	Tick    int64   `json:"tick"`
}

// maxWaiting is how many verdicts on unknown episodes wait; the oldest make
// room. What is beyond it shows in Status.
const maxWaiting = 10_000

func newVerdicts() verdicts { return verdicts{expected: map[episodeID]Verdict{}} }

// ApplyVerdict takes in one record of weir.verdicts at its offset.
func (c *Task) ApplyVerdict(offset int64, v *Verdict) {
	s := &c.verdicts
	if offset < s.offset {
		return // a restore has it already
	}
	s.offset, s.changed = offset+1, true
	if c.closed == eventtime.Never {
		s.wait(*v)
		return
	}
	s.due = append(s.due, stamped{*v, c.closed + 1})
}

// SkipVerdict passes over a record of weir.verdicts that nobody can read.
func (c *Task) SkipVerdict(offset int64) {
	if offset >= c.verdicts.offset {
		c.verdicts.offset, c.verdicts.changed = offset+1, true
	}
}

// VerdictOffset returns the offset of weir.verdicts to read from.
func (c *Task) VerdictOffset() int64 { return c.verdicts.offset }

func (s *verdicts) wait(v Verdict) {
	s.waiting = append(s.waiting, v)
	if len(s.waiting) > maxWaiting {
		s.waiting = slices.Delete(s.waiting, 0, 1)
	}
}

// takeEffect lets the verdicts that are due take effect, in the order of their
// topic.
func (c *Task) takeEffect(tick int64, n *tickActions) {
	s := &c.verdicts
	for len(s.due) > 0 && s.due[0].Tick <= tick {
		v := s.due[0].Verdict
		s.due, s.changed = s.due[1:], true
		if !c.effect(&v, n) {
			s.wait(v)
		}
	}
}

// recall lets verdicts that waited for an episode take effect.
func (c *Task) recall(id episodeID, n *tickActions) {
	s := &c.verdicts
	if len(s.waiting) == 0 {
		return
	}
	key := c.files[id].alert.DedupKey
	s.waiting = slices.DeleteFunc(s.waiting, func(v Verdict) bool {
		if v.DedupKey != key {
			return false
		}
		s.changed = true
		return c.effect(&v, n)
	})
}

// effect does what a verdict says, and reports whether its episode is known.
func (c *Task) effect(v *Verdict, n *tickActions) bool {
	id, known := c.keys[v.DedupKey]
	if !known && !c.effectOnPast(v) {
		return false
	}
	n.effects = append(n.effects, Effect{*v, alerting.Time(n.end)})
	if !known {
		return true
	}
	file := c.files[id]
	standing := episode.Unjudged
	switch v.Kind {
	case Acknowledged:
		standing = episode.Acknowledged
	case Expected:
		c.expect(id, v)
	case Confirmed:
		standing = episode.Confirmed
		delete(c.verdicts.expected, id)
		c.excise(id, file, n.end)
	case Reopened:
		delete(c.verdicts.expected, id)
	}
	c.changed[id] = true
	said := c.episodes.Say(id.dimension, id.identity, standing, n.end)
	n.add(id, said.Action)
	if open := said.Episode.Closed == 0; open && (v.Kind == Expected && file.Told || v.Kind == Reopened) {
		n.add(id, episode.Update)
	}
	return true
}

// effectOnPast does what a verdict says of an episode that is over for long.
func (c *Task) effectOnPast(v *Verdict) bool {
	p, ok := c.past.by[v.DedupKey]
	if !ok {
		return false
	}
	switch id := (episodeID{p.Dimension, p.Identity}); v.Kind {
	case Expected:
		c.expect(id, v)
	case Confirmed:
		c.forgetInterval(id, c.cfg.Grid.BinOf(p.From), c.cfg.Grid.BinOf(p.To-1))
	}
	return true
}

func (c *Task) expect(id episodeID, v *Verdict) {
	c.verdicts.expected[id] = *v
	c.verdicts.changed = true
}

// expire lifts what is expected no longer.
func (s *verdicts) expire(end int64) {
	for id, v := range s.expected {
		if end > int64(v.Expires) {
			delete(s.expected, id)
			s.changed = true
		}
	}
}

// excise has the bins since the onset taken out of the baseline, as far as they
// have not been. Of a campaign, those of all members.
func (c *Task) excise(id episodeID, file *episodeRecord, end int64) {
	if file.Cause != nil {
		for _, m := range slices.SortedFunc(maps.Keys(c.members[file.alert.DedupKey]), episodeID.compare) {
			if of := c.files[m]; of.Cause == nil {
				c.excise(m, of, end)
			}
		}
		return
	}
	from, to := max(c.cfg.Grid.BinOf(int64(file.alert.Onset)), file.Excised+1), c.cfg.Grid.BinOf(end-1)
	if from > to {
		return
	}
	file.Excised = to
	c.changed[id] = true
	c.forgetInterval(id, from, to)
}

func (c *Task) forgetInterval(id episodeID, from, to int64) {
	if dim, ok := c.dims[id.dimension]; ok && dim >= 0 {
		c.commands.add(stream.Command{Kind: stream.Excise, Dimension: dim, Identity: id.identity, FromBin: from, ToBin: to})
	}
}

// verdictRecord is the form of verdicts on weir.fleet.
type verdictRecord struct {
	Offset   int64             `json:"offset"`
	Due      []stamped         `json:"due,omitempty"`
	Waiting  []Verdict         `json:"waiting,omitempty"`
	Expected []expectedVerdict `json:"expected,omitempty"`
}

type expectedVerdict struct {
	Dimension string  `json:"dimension"`
	Identity  string  `json:"identity"`
	Verdict   Verdict `json:"verdict"`
}

func (s *verdicts) encode() []byte {
	r := verdictRecord{Offset: s.offset, Due: s.due, Waiting: s.waiting}
	for id, v := range s.expected {
		r.Expected = append(r.Expected, expectedVerdict{id.dimension, id.identity, v})
	}
	slices.SortFunc(r.Expected, func(a, b expectedVerdict) int {
		return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Identity, b.Identity))
	})
	b, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("stream: verdicts do not encode: %v", err)) // a mistake in this package: they are plain values
	}
	return b
}

func (s *verdicts) decode(value []byte) error {
	var r verdictRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return fmt.Errorf("reading the verdicts: %w: %w", err, wire.ErrCorrupt)
	}
	*s = newVerdicts()
	s.offset, s.due, s.waiting = r.Offset, r.Due, r.Waiting
	for _, x := range r.Expected {
		s.expected[episodeID{x.Dimension, x.Identity}] = x.Verdict
	}
	return nil
}
