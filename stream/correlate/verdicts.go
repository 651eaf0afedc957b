package correlate

import (
	"slices"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate/ask"
	"github.com/weirhq/weir/stream/correlate/command"
)

// verdicts holds what people said and lets it take effect. When a verdict counts
// is decided once, when it is read: in the next tick that is worked through. The
// tick is kept, so that a restore repeats it. A verdict whose episode is not
// known waits until people were alerted of one: after a `weir reset` the verdicts are
// read before the events that they are about.
//
// Not every record counts: see [verdicts.judge]. What is refused is kept, chained, and
// people are alerted of it.
type verdicts struct {
	verdictState
	changed    bool // since the last Snapshot
	grid       eventtime.Grid
	dimensions []string
	store      *episodeStore
	commands   *command.Queue
	authority  func(v *Verdict) error // why a verdict does not count; nil: everybody may judge
	// secondPerson says that what is graver than medium is expected by the word of two.
	secondPerson bool
	whom         ask.Whom // is asked
	alerts       *alertMaker
}

// verdictState is what is kept of verdicts on weir.fleet.
type verdictState struct {
	offset   int64            // of weir.verdicts, the next
	due      []dueVerdict     // in the order of their topic
	waiting  []Verdict        // on what people were not alerted of (yet)
	seen     map[string]given // by id: no verdict counts twice
	expected map[episode.ID]expected
	proposed map[episode.ID]proposal
}

// expected is a verdict by which an identity is expected, and how far: no more is
// held back than was known when the verdict took effect.
type expected struct {
	verdict  Verdict
	severity episode.Severity
	facts    string // sorted, with commas between
}

// given is when a verdict was given, by the clock of its author.
type given struct {
	at     alerting.Time
	author string
}

// dueVerdict is a verdict and the tick in which it takes effect.
type dueVerdict struct {
	verdict Verdict
	refusal string // why it does not count; empty: it does
	tick    int64  // 0: the first that is worked through
}

// Bounds of what is kept of verdicts.
const (
	// maxWaiting is how many verdicts on unknown episodes wait; the oldest make
	// room. What is beyond it shows in Status.
	maxWaiting = 10_000
	// seenFor is how long a verdict that was read once is remembered, in milliseconds
	// before the latest of the same author. One that is older counts no more. Authors have
	// clocks of their own, so that none can make those of others old by a time to come.
	seenFor = ExpectedAtMost + eventtime.Day
)

func newVerdicts(cfg *Config, store *episodeStore, commands *command.Queue) verdicts {
	return verdicts{
		verdictState: verdictState{seen: map[string]given{}, expected: map[episode.ID]expected{}, proposed: map[episode.ID]proposal{}},
		grid:         cfg.Grid, dimensions: cfg.Dimensions, store: store, commands: commands, authority: cfg.Authority, secondPerson: cfg.SecondPerson, whom: cfg.Ask,
	}
}

// add takes in a verdict at its offset; closed is the last tick that was worked
// through. One that a restore knows already is passed over.
func (v *verdicts) add(offset int64, verdict *Verdict, closed int64) {
	if offset < v.offset {
		return
	}
	v.offset, v.changed = offset+1, true
	refusal := v.judge(verdict)
	switch {
	case closed != eventtime.Never:
		v.due = append(v.due, dueVerdict{*verdict, refusal, closed + 1})
	case refusal != "":
		v.due = append(v.due, dueVerdict{*verdict, refusal, 0})
	default:
		v.wait(verdict)
	}
}

// addUnreadable takes in the record at an offset, which is no verdict.
func (v *verdicts) addUnreadable(offset int64, why string, closed int64) {
	if offset < v.offset {
		return
	}
	v.offset, v.changed = offset+1, true
	tick := int64(0)
	if closed != eventtime.Never {
		tick = closed + 1
	}
	v.due = append(v.due, dueVerdict{Verdict{Author: unreadable}, why, tick})
}

// unreadable stands for the author of a record that is no verdict.
const unreadable = "unreadable"

// Why verdicts are refused, beside what the authority says.
const (
	refusedRepeated = "it is a repetition of one that was read before"
	refusedOld      = "it was given so long ago that nobody knows whether it is a repetition"
	refusedUnsent   = "people were not alerted of the episode"
	refusedOwn      = "what weir says of itself cannot be expected"
	refusedOver     = "the episode has been over for more than a day; declare what is to come in the configuration"
)

// judge returns why a verdict does not count, empty if it does: its author is not
// proven, or it was read before. A record can be copied by whoever may read and write
// the topic.
func (v *verdicts) judge(verdict *Verdict) string {
	if v.authority != nil {
		if err := v.authority(verdict); err != nil {
			return err.Error()
		}
	}
	latest := verdict.Time
	for _, g := range v.seen {
		if g.author == verdict.Author {
			latest = max(latest, g.at)
		}
	}
	if _, ok := v.seen[verdict.ID]; ok {
		return refusedRepeated
	}
	if latest-verdict.Time > alerting.Time(seenFor) {
		return refusedOld
	}
	v.seen[verdict.ID] = given{verdict.Time, verdict.Author}
	for id, g := range v.seen {
		if g.author == verdict.Author && latest-g.at > alerting.Time(seenFor) {
			delete(v.seen, id)
		}
	}
	return ""
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
	return firstDue(v.due, func(d *dueVerdict) int64 { return d.tick })
}

// takeEffect has the verdicts that are due take effect, in the order of their
// topic.
func (v *verdicts) takeEffect(tick int64, acts *tickActions) {
	for len(v.due) > 0 && v.due[0].tick <= tick {
		due := v.due[0]
		v.due, v.changed = v.due[1:], true
		if due.refusal == "" {
			var known bool
			if due.refusal, known = v.apply(&due.verdict, acts); !known {
				v.wait(&due.verdict)
			}
		}
		if due.refusal != "" {
			acts.refusals = append(acts.refusals, Refusal{due.verdict, due.refusal, alerting.Time(acts.end)})
		}
	}
}

// wake has verdicts that waited for an episode take effect in the next tick, once
// people were alerted of it.
func (v *verdicts) wake(key string, tick int64) {
	v.waiting = slices.DeleteFunc(v.waiting, func(verdict Verdict) bool {
		if verdict.DedupKey != key {
			return false
		}
		v.due, v.changed = append(v.due, dueVerdict{verdict, "", tick + 1}), true
		return true
	})
}

// apply does what a verdict says, or returns why it is refused. known is false if its
// episode is not.
func (v *verdicts) apply(verdict *Verdict, acts *tickActions) (refusal string, known bool) {
	if verdict.Kind == Erased || verdict.Kind == Cut { // it is of no episode; the ledger is to have it
		acts.effects = append(acts.effects, Effect{*verdict, alerting.Time(acts.end)})
		return "", true
	}
	id, known := v.store.byKey[verdict.DedupKey]
	if !known {
		return v.applyToPast(verdict, acts)
	}
	record := v.store.records[id]
	if !record.sent && record.named.by == "" {
		return refusedUnsent, true
	}
	if verdict.Kind == Expected && (id.Dimension == alerting.AuthorDimension || id.Dimension == alerting.SettingsDimension) {
		return refusedOwn, true
	}
	if ep, _ := v.store.episodes.Get(id); verdict.Kind == Expected && ep.Closed != 0 && acts.end-ep.Closed > episode.Grace {
		return refusedOver, true
	}
	if verdict.Kind == Asked || verdict.Kind == Affirmed || verdict.Kind == Denied {
		if refusal = v.converse(id, record, verdict, acts); refusal != "" {
			return refusal, true
		}
	}
	acts.effects = append(acts.effects, Effect{*verdict, alerting.Time(acts.end)})
	v.store.changed[id] = true
	if verdict.Kind == Expected {
		var counts bool
		if verdict, counts = v.second(id, verdict, acts); !counts {
			return "", true
		}
	}
	v.handOver(id, record, verdict, acts)
	if !verdict.Kind.Judges() {
		return "", true
	}
	standing := episode.Unjudged
	switch verdict.Kind {
	case Acknowledged:
		standing = episode.Acknowledged
	case Expected:
		v.expectAll(id, verdict, acts)
		acts.say(id, verdict)
	case Confirmed:
		standing = episode.Confirmed
		v.takeBack(id, verdict)
		v.excise(id, acts.end)
		acts.say(id, verdict)
	case Reopened:
		v.takeBack(id, verdict)
	}
	d := v.store.episodes.SetStanding(id, standing, acts.end)
	acts.add(id, d.Action)
	if verdict.Kind == Reopened && d.Episode.Closed == 0 {
		acts.add(id, episode.Update)
	}
	return "", true
}

// handOver has an episode be held by whom a verdict says, and tells people who have it
// open. What else a verdict tells of, apply does.
func (v *verdicts) handOver(id episode.ID, record *episodeRecord, verdict *Verdict, acts *tickActions) {
	holder := verdict.Holder(record.holder)
	if holder == record.holder {
		return
	}
	record.holder = holder
	ep, _ := v.store.episodes.Get(id)
	switch verdict.Kind {
	case Assigned, Released, Acknowledged:
		if ep.Closed == 0 && record.announced {
			acts.say(id, verdict)
			acts.add(id, episode.Update)
		}
	}
}

// applyToPast does what a verdict says of an episode that is over for long, as apply
// does. Nothing is expected of such a one: there would be no message to say so.
func (v *verdicts) applyToPast(verdict *Verdict, acts *tickActions) (refusal string, known bool) {
	ep, ok := v.store.past.Get(verdict.DedupKey)
	switch {
	case !ok:
		return "", false
	case !ep.Sent:
		return refusedUnsent, true
	case slices.Contains([]VerdictKind{Expected, Asked, Affirmed, Denied}, verdict.Kind):
		return refusedOver, true
	}
	acts.effects = append(acts.effects, Effect{*verdict, alerting.Time(acts.end)})
	if verdict.Kind == Confirmed {
		v.exciseBins(ep.ID, v.grid.BinOf(ep.From), v.grid.BinOf(ep.To-1))
	}
	return "", true
}

// expectAll has what an episode's messages told of be expected: the episode, and each
// that they named. Those that people have open are closed.
func (v *verdicts) expectAll(id episode.ID, verdict *Verdict, acts *tickActions) {
	bounded := *verdict
	bounded.Expires = min(bounded.Expires, alerting.Time(acts.end+ExpectedAtMost))
	key := v.store.records[id].key
	for _, each := range append(v.store.membersOf(key), id) {
		record := v.store.records[each]
		if each != id && record.named.by != key {
			continue
		}
		ep, _ := v.store.episodes.Get(each)
		v.expected[each] = expected{bounded, ep.Severity, ep.Facts}
		if each == id || ep.Closed == 0 && record.announced {
			acts.add(each, episode.Update)
		}
	}
}

// takeBack has nothing be expected any more of an episode, or by what was said of it.
func (v *verdicts) takeBack(id episode.ID, verdict *Verdict) {
	delete(v.proposed, id)
	for each, x := range v.expected {
		if each == id || x.verdict.DedupKey == verdict.DedupKey {
			delete(v.expected, each)
		}
	}
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
	v.liftProposed(end)
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
		v.commands.Add(stream.Command{Kind: stream.Excise, Dimension: dimension, Identity: id.Identity, FromBin: from, ToBin: to})
	}
}
