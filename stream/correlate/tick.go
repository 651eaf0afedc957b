package correlate

import (
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/stream"
)

// tickActions is what there is to tell after a tick, before it is decided whom.
type tickActions struct {
	tick     int64
	end      int64 // of the tick, Unix ms of event time
	actions  map[episode.ID]episode.Action
	effects  []Effect    // of verdicts
	refusals []Refusal   // of verdicts
	denials  []tickInput // what those who were asked deny
	said     map[episode.ID]alerting.Said
}

// say has the alert of an episode tell of a verdict.
func (a *tickActions) say(id episode.ID, v *Verdict) {
	if a.said == nil {
		a.said = map[episode.ID]alerting.Said{}
	}
	a.said[id] = alerting.Said{Kind: string(v.Kind), Author: v.Author, Reason: v.Reason, Assignee: v.Assignee, Expires: min(v.Expires, alerting.Time(a.end+ExpectedAtMost))}
}

// tellsOf reports whether there is a verdict to tell of.
func (a *tickActions) tellsOf(id episode.ID) bool {
	_, ok := a.said[id]
	return ok
}

// inputs returns what the verdicts of a tick add to what was found in it, sorted.
func (a *tickActions) inputs(found []tickInput) []tickInput {
	for i := range a.denials {
		d := &a.denials[i]
		if at := slices.IndexFunc(found, func(in tickInput) bool { return in.id == d.id }); at >= 0 {
			found[at].facts = append(found[at].facts, d.facts...)
		} else {
			found = append(found, *d)
		}
	}
	seen := map[episode.ID]bool{}
	for i := range a.refusals {
		in, ok := a.refusals[i].input()
		if ok && !seen[in.id] {
			seen[in.id] = true
			found = append(found, in)
		}
	}
	slices.SortFunc(found, func(a, b tickInput) int { return a.id.Compare(b.id) })
	return found
}

// add notes an action. Of several on one episode in a tick one is told.
func (a *tickActions) add(id episode.ID, action episode.Action) {
	had := a.actions[id]
	if action == episode.Nothing || had == episode.Open && action == episode.Update {
		return
	}
	a.actions[id] = action
}

// workThrough does all that belongs to one tick and adds it to what was found.
func (t *Task) workThrough(tick int64, found *Findings) {
	acts := &tickActions{tick: tick, end: t.cfg.Grid.TickEnd(tick), actions: map[episode.ID]episode.Action{}}
	t.openings.Start(acts.end)
	t.verdicts.takeEffect(tick, acts)
	inputs := acts.inputs(append(t.inbox.take(tick), t.notices.take(tick, acts.end)...))
	opened := t.observe(inputs, acts)
	bin, totals := t.inbox.takeBin(tick)
	if totals != nil {
		t.campaigns.weigh(bin, &totals.traits, inputs, acts.end)
	}
	if len(opened) > 0 {
		t.campaigns.find(acts.end)
	}
	t.campaigns.follow(acts)
	t.expire(acts)
	t.announce(acts, found)
	found.Effects = append(found.Effects, acts.effects...)
	found.Refusals = append(found.Refusals, acts.refusals...)
	if totals != nil {
		t.fleet.closeBin(bin, &totals.sums)
	}
}

// observe holds what a tick brought against the episodes of its identities, and
// returns those that opened.
func (t *Task) observe(inputs []tickInput, acts *tickActions) (opened []episode.ID) {
	for i := range inputs {
		in := &inputs[i]
		d := t.store.episodes.Judge(t.observation(in, acts.end))
		if d.Episode.First == 0 {
			continue // below the threshold, and no episode
		}
		record := t.store.recordOf(in.id, &d, t.cfg.Grid, acts.end)
		record.learn(in, d.Episode.Closed == 0, acts.end)
		t.store.assure(record)
		acts.add(in.id, d.Action)
		if d.Action == episode.Open {
			opened = append(opened, in.id)
		}
	}
	return opened
}

// observation is what a tick brought of one identity, as episodes are judged by
// it.
func (t *Task) observation(in *tickInput, end int64) episode.Observation {
	var course []stream.Course
	var through episode.Excess
	measure := ""
	o := episode.Observation{
		Dimension: in.id.Dimension, Identity: in.id.Identity, Tick: end,
		Threshold: score.MaxLog, Exposed: in.exposed().Records, Raise: t.cfg.People.Raise(in.id.Dimension, in.id.Identity, end),
	}
	if in.candidate != nil {
		course, measure = in.candidate.Course, in.candidate.Measures[0].Measure
		if record := t.store.records[in.id]; record != nil && t.store.isOpen(in.id) && record.isStronger(in.candidate) {
			measure = record.measure()
		}
		o.Log, o.Threshold, o.Spent, o.Stale = in.candidate.Log, in.candidate.Threshold, in.candidate.Spent, in.candidate.Stale
		if !in.candidate.Speaks() {
			o.Log = min(o.Log, max(0.75*o.Threshold, o.Threshold-episode.Margin/2))
		}
	}
	for _, f := range in.facts {
		o.Facts = append(o.Facts, string(f.Fact))
		o.Floor = max(o.Floor, episode.SeverityOfFact(f.Fact, f.Through.Records))
		if f.Through.Records > through.Records {
			through = f.Through
		}
	}
	o.Excess = beyondOf(course, measure, through).Records
	return o
}

// expire closes the episodes that have been quiet, and forgets those that can
// not open again.
func (t *Task) expire(acts *tickActions) {
	closed, forgotten := t.store.episodes.Expire(acts.end, t.store.hasOpenMember)
	for i := range closed {
		acts.add(closed[i].Episode.ID(), closed[i].Action)
	}
	for i := range forgotten {
		t.store.forget(&forgotten[i])
	}
	if len(forgotten) > 0 {
		t.store.past.Prune(acts.end)
	}
	t.verdicts.lift(acts.end)
}
