package correlate

import (
	"cmp"
	"maps"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/score"
)

// tickActions is what there is to tell after a tick, before it is decided whom.
type tickActions struct {
	end     int64 // of the tick, Unix ms of event time
	actions map[episode.ID]episode.Action
	effects []Effect // of verdicts
}

// add notes an action. Of several on one episode in a tick one is told.
func (a *tickActions) add(id episode.ID, action episode.Action) {
	had := a.actions[id]
	if action == episode.Nothing || had == episode.Open && action == episode.Update {
		return
	}
	a.actions[id] = action
}

// ids returns the episodes of which there is something to tell, by dimension and
// identity.
func (a *tickActions) ids() []episode.ID {
	return slices.SortedFunc(maps.Keys(a.actions), episode.ID.Compare)
}

// workThrough does all that belongs to one tick and adds it to what was found.
func (t *Task) workThrough(tick int64, found *Findings) {
	acts := &tickActions{end: t.cfg.Grid.TickEnd(tick), actions: map[episode.ID]episode.Action{}}
	t.openings.start(acts.end)
	t.verdicts.takeEffect(tick, acts)
	inputs := t.inbox.take(tick)
	opened := t.observe(inputs, acts)
	t.verdicts.recall(opened, acts)
	bin, totals := t.inbox.takeBin(tick)
	if totals != nil {
		t.campaigns.weigh(bin, &totals.traits, inputs, acts.end)
	}
	if len(opened) > 0 {
		t.campaigns.find(acts.end)
	}
	t.verdicts.recall(t.campaigns.follow(acts), acts)
	t.expire(acts)
	t.tell(acts, found)
	found.Effects = append(found.Effects, acts.effects...)
	if totals != nil {
		t.fleet.closeBin(bin, &totals.sums)
	}
}

// observe holds what a tick brought against the episodes of its identities, and
// returns those that opened.
func (t *Task) observe(inputs []tickInput, acts *tickActions) (opened []episode.ID) {
	for i := range inputs {
		in := &inputs[i]
		d := t.book.episodes.Judge(t.observation(in, acts.end))
		if d.Episode.First == 0 {
			continue // below the threshold, and no episode
		}
		record := t.book.recordOf(in.id, &d, t.cfg.Grid, acts.end)
		record.learn(in, d.Episode.Closed == 0, acts.end)
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
	o := episode.Observation{
		Dimension: in.id.Dimension, Identity: in.id.Identity, Tick: end,
		Threshold: score.MaxLog, Exposed: in.exposed().Records,
	}
	if in.candidate != nil {
		o.Log, o.Threshold = in.candidate.Log, in.candidate.Threshold
		if !in.candidate.Speaks() {
			o.Log = min(o.Log, o.Threshold-episode.EpisodeMargin/2)
		}
	}
	for _, f := range in.facts {
		o.Facts = append(o.Facts, string(f.Fact))
		o.Floor = max(o.Floor, episode.SeverityOfFact(f.Fact, o.Exposed))
	}
	return o
}

// expire closes the episodes that have been quiet, and forgets those that can
// not open again.
func (t *Task) expire(acts *tickActions) {
	closed, forgotten := t.book.episodes.Expire(acts.end)
	for i := range closed {
		acts.add(closed[i].Episode.ID(), closed[i].Action)
	}
	for i := range forgotten {
		t.book.forget(&forgotten[i])
	}
	if len(forgotten) > 0 {
		t.book.past.prune(acts.end)
	}
	t.verdicts.lift(acts.end)
}

// tell adds to what was found the alerts that people are told and those that are
// held back, each by dimension and identity.
func (t *Task) tell(acts *tickActions, found *Findings) {
	from, held := len(found.Alerts), len(found.Suppressed)
	t.release(acts)
	for _, id := range acts.ids() {
		ep, ok := t.book.episodes.Get(id)
		if !ok {
			continue
		}
		t.book.changed[id] = true
		record := t.book.records[id]
		if ep.Standing == episode.Confirmed {
			t.verdicts.excise(id, acts.end)
		}
		action := acts.actions[id]
		by := t.heldBack(&ep, record, acts.end)
		switch {
		case by.Kind == ByVerdict && record.told:
			action, record.told = episode.Close, false // people have it open
		case by.Kind != "" && (action != episode.Close || !record.told):
			found.Suppressed = append(found.Suppressed, Suppressed{by, t.alert(&ep, record, action, acts.end)})
			continue
		case action == episode.Close && !record.told:
			continue // it was never told
		case action == episode.Close:
			record.told = false
		case !record.told:
			action, record.told = episode.Open, true
			t.openings.note(&ep, acts.end)
		}
		found.Alerts = append(found.Alerts, t.alert(&ep, record, action, acts.end))
	}
	slices.SortStableFunc(found.Alerts[from:], compareAlerts)
	slices.SortStableFunc(found.Suppressed[held:], func(a, b Suppressed) int { return compareAlerts(a.Alert, b.Alert) })
}

func compareAlerts(a, b alerting.Alert) int {
	return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Identity, b.Identity))
}

// release has episodes told that were held back and are not any more, if they
// still go on.
func (t *Task) release(acts *tickActions) {
	for _, ep := range t.book.episodes.All() {
		id := ep.ID()
		record := t.book.records[id]
		if ep.Closed != 0 || ep.High != acts.end || record.told || acts.actions[id] != episode.Nothing {
			continue
		}
		if by := t.heldBack(&ep, record, acts.end); by.Kind == "" {
			acts.actions[id] = episode.Open
		}
	}
}

// heldBack returns what holds an episode back at the end of a tick, and counts it
// among those that are told beside their campaign if it is one.
func (t *Task) heldBack(ep *episode.Episode, record *episodeRecord, end int64) SuppressedBy {
	by, alone := t.suppress.of(ep, record, end)
	if alone {
		t.book.tellAlone(ep.ID(), record)
	}
	return by
}

// alert returns the alert that tells of an action on an episode.
func (t *Task) alert(ep *episode.Episode, record *episodeRecord, action episode.Action, end int64) alerting.Alert {
	return t.alerts.alert(ep, record, t.book.leadKey(record), action, end)
}
