package correlate

import (
	"math"
	"slices"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// verdicts holds what people said and lets it take effect. When a verdict counts
// is decided once, when it is read: in the next tick that is worked through. The
// tick is kept, so that a restore repeats it. A verdict whose episode is not
// known waits until it opens: after a `weir reset` the verdicts are read before
// the events that they are about.
type verdicts struct {
	verdictState
	changed    bool // since the last Snapshot
	grid       eventtime.Grid
	dimensions []string
	store      *episodeStore
	commands   *commands
}

// verdictState is what is kept of verdicts on weir.fleet.
type verdictState struct {
	offset   int64        // of weir.verdicts, the next
	due      []dueVerdict // in the order of their topic
	waiting  []Verdict    // on what is not known (yet)
	expected map[episode.ID]expected
}

// expected is a verdict by which an identity is expected, and how far: no more is
// held back than was known when the verdict took effect.
type expected struct {
	verdict  Verdict
	severity episode.Severity
	facts    string // sorted, with commas between
}

// dueVerdict is a verdict and the tick in which it takes effect.
type dueVerdict struct {
	verdict Verdict
	tick    int64
}

// maxWaiting is how many verdicts on unknown episodes wait; the oldest make
// room. What is beyond it shows in Status.
const maxWaiting = 10_000

func newVerdicts(cfg *Config, store *episodeStore, commands *commands) verdicts {
	return verdicts{
		verdictState: verdictState{expected: map[episode.ID]expected{}},
		grid:         cfg.Grid, dimensions: cfg.Dimensions, store: store, commands: commands,
	}
}

// add takes in a verdict at its offset; closed is the last tick that was worked
// through. One that a restore knows already is passed over.
func (v *verdicts) add(offset int64, verdict *Verdict, closed int64) {
	if offset < v.offset {
		return
	}
	v.offset, v.changed = offset+1, true
	if closed == eventtime.Never {
		v.wait(verdict)
		return
	}
	v.due = append(v.due, dueVerdict{*verdict, closed + 1})
}

// skip passes over the record at an offset.
func (v *verdicts) skip(offset int64) {
	if offset >= v.offset {
		v.offset, v.changed = offset+1, true
	}
}

func (v *verdicts) wait(verdict *Verdict) {
	v.waiting = append(v.waiting, *verdict)
	if len(v.waiting) > maxWaiting {
		v.waiting = slices.Delete(v.waiting, 0, 1)
	}
}

// next returns the first tick in which a verdict takes effect, the largest number
// there is if none is due.
func (v *verdicts) next() int64 {
	tick := int64(math.MaxInt64)
	for i := range v.due {
		tick = min(tick, v.due[i].tick)
	}
	return tick
}

// takeEffect has the verdicts that are due take effect, in the order of their
// topic.
func (v *verdicts) takeEffect(tick int64, acts *tickActions) {
	for len(v.due) > 0 && v.due[0].tick <= tick {
		verdict := v.due[0].verdict
		v.due, v.changed = v.due[1:], true
		if !v.apply(&verdict, acts) {
			v.wait(&verdict)
		}
	}
}

// recall has verdicts take effect that waited for episodes which have opened.
func (v *verdicts) recall(opened []episode.ID, acts *tickActions) {
	for _, id := range opened {
		if len(v.waiting) == 0 {
			return
		}
		key := v.store.records[id].key
		v.waiting = slices.DeleteFunc(v.waiting, func(verdict Verdict) bool {
			if verdict.DedupKey != key {
				return false
			}
			v.changed = true
			return v.apply(&verdict, acts)
		})
	}
}

// apply does what a verdict says, and reports whether its episode is known.
func (v *verdicts) apply(verdict *Verdict, acts *tickActions) bool {
	id, known := v.store.byKey[verdict.DedupKey]
	if !known && !v.applyToPast(verdict) {
		return false
	}
	acts.effects = append(acts.effects, Effect{*verdict, alerting.Time(acts.end)})
	if !known {
		return true
	}
	standing := episode.Unjudged
	switch verdict.Kind {
	case Acknowledged:
		standing = episode.Acknowledged
	case Expected:
		v.expectAll(id, verdict, acts)
	case Confirmed:
		standing = episode.Confirmed
		v.takeBack(id, verdict)
		v.excise(id, acts.end)
	case Reopened:
		v.takeBack(id, verdict)
	}
	v.store.changed[id] = true
	d := v.store.episodes.SetStanding(id, standing, acts.end)
	acts.add(id, d.Action)
	if verdict.Kind == Reopened && d.Episode.Closed == 0 {
		acts.add(id, episode.Update)
	}
	return true
}

// applyToPast does what a verdict says of an episode that is over for long, and
// reports whether there is one.
func (v *verdicts) applyToPast(verdict *Verdict) bool {
	ep, ok := v.store.past.by[verdict.DedupKey]
	if !ok {
		return false
	}
	switch verdict.Kind {
	case Expected:
		v.expect(ep.id, expected{*verdict, ep.severity, ep.facts})
	case Confirmed:
		v.exciseBins(ep.id, v.grid.BinOf(ep.from), v.grid.BinOf(ep.to-1))
	}
	return true
}

// expectAll has what an episode's messages told of be expected: the episode, and each
// that they named. Those that people have open are closed.
func (v *verdicts) expectAll(id episode.ID, verdict *Verdict, acts *tickActions) {
	key := v.store.records[id].key
	for _, each := range append(v.store.membersOf(key), id) {
		record := v.store.records[each]
		if each != id && record.named.by != key {
			continue
		}
		ep, _ := v.store.episodes.Get(each)
		v.expect(each, expected{*verdict, ep.Severity, ep.Facts})
		if ep.Closed == 0 && record.announced {
			acts.add(each, episode.Update)
		}
	}
}

// takeBack has nothing be expected any more of an episode, or by what was said of it.
func (v *verdicts) takeBack(id episode.ID, verdict *Verdict) {
	for each, x := range v.expected {
		if each == id || x.verdict.DedupKey == verdict.DedupKey {
			delete(v.expected, each)
		}
	}
}

func (v *verdicts) expect(id episode.ID, x expected) {
	v.expected[id] = x
	v.changed = true
}

// expects returns the verdict by which an episode is expected at the end of a tick, if
// there is one: it covers no graver severity and no other facts than it was given for.
func (v *verdicts) expects(ep *episode.Episode, end int64) (Verdict, bool) {
	x, ok := v.expected[ep.ID()]
	return x.verdict, ok && end <= int64(x.verdict.Expires) && ep.Severity <= x.severity && hasAll(x.facts, ep.Facts)
}

// hasAll reports whether a list of names, with commas between, has all of another.
func hasAll(list, names string) bool {
	have := strings.Split(list, ",")
	for name := range strings.SplitSeq(names, ",") {
		if name != "" && !slices.Contains(have, name) {
			return false
		}
	}
	return true
}

// lift forgets what is expected no longer.
func (v *verdicts) lift(end int64) {
	for id, x := range v.expected {
		if end > int64(x.verdict.Expires) {
			delete(v.expected, id)
			v.changed = true
		}
	}
}

// excise has the bins since the onset taken out of the baseline, as far as they
// have not been. Of a campaign, those of all members.
func (v *verdicts) excise(id episode.ID, end int64) {
	record := v.store.records[id]
	if record.campaign != nil {
		for _, m := range v.store.membersOf(record.key) {
			if v.store.records[m].campaign == nil {
				v.excise(m, end)
			}
		}
		return
	}
	from, to := max(v.grid.BinOf(record.onset), record.excised+1), v.grid.BinOf(end-1)
	if from > to {
		return
	}
	record.excised = to
	v.store.changed[id] = true
	v.exciseBins(id, from, to)
}

// exciseBins commands detect to take bins, both included, out of the baseline of
// an identity.
func (v *verdicts) exciseBins(id episode.ID, from, to int64) {
	if dimension := slices.Index(v.dimensions, id.Dimension); dimension >= 0 {
		v.commands.add(stream.Command{Kind: stream.Excise, Dimension: dimension, Identity: id.Identity, FromBin: from, ToBin: to})
	}
}
