package correlate

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
)

// announce adds to what was found the alerts that people are told and those that are
// held back, each by dimension and identity. Leaders come before those for whom they
// may stand, since nobody stands for another who is not told himself.
func (t *Task) announce(acts *tickActions, found *Findings) {
	from, held := len(found.Alerts), len(found.Suppressed)
	t.askForNames(acts)
	for _, ids := range t.byDepth(acts) {
		for _, id := range ids {
			t.announceOne(id, acts, found)
		}
	}
	slices.SortStableFunc(found.Alerts[from:], compareAlerts)
	slices.SortStableFunc(found.Suppressed[held:], func(a, b Suppressed) int { return compareAlerts(a.Alert, b.Alert) })
}

func compareAlerts(a, b alerting.Alert) int {
	return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Identity, b.Identity))
}

// askForNames has leaders tell of themselves that are to name somebody now: one who
// is grave, who has waited for long, or whose episode closes.
func (t *Task) askForNames(acts *tickActions) {
	all := t.store.episodes.All()
	for i := range all {
		ep := &all[i]
		id := ep.ID()
		record := t.store.records[id]
		closes := acts.actions[id] == episode.Close
		waits := false
		record.asked = false
		if record.lead != "" && (ep.Closed == 0 || closes) {
			_, waits = t.standing.byLead(ep, record)
		}
		if was := record.waits; waits && was == 0 {
			record.waits, t.store.changed[id] = acts.end, true
		} else if !waits && was != 0 {
			record.waits, t.store.changed[id] = 0, true
		}
		if waits {
			t.expectClass(ep, record)
		}
		record.asked = waits && (closes || ep.Severity >= episode.High || ep.Facts != "" || acts.end >= record.waits+namedWithin)
		if record.asked {
			if lead := t.store.byKey[record.lead]; acts.actions[lead] == episode.Nothing {
				acts.add(lead, episode.Update)
			}
		}
	}
}

// expectClass has a leader's next message go where the message of an episode would go
// that waits to be named, though that may rank higher by then.
func (t *Task) expectClass(ep *episode.Episode, record *episodeRecord) {
	lead := t.store.byKey[record.lead]
	of := t.store.records[lead]
	classes := withClasses(of.classes, t.alerts.classes(ep, record))
	if len(classes) > len(of.classes) {
		of.classes, t.store.changed[lead] = classes, true
	}
}

// byDepth returns the episodes of which there may be something to tell: those that
// stand in nothing that is open, those that stand in them, and so on.
func (t *Task) byDepth(acts *tickActions) (out [3][]episode.ID) {
	all := t.store.episodes.All()
	for i := range all {
		ep := &all[i]
		id := ep.ID()
		record := t.store.records[id]
		if acts.actions[id] == episode.Nothing && (ep.Closed != 0 || record.announced) {
			continue
		}
		depth := 0
		for depth < len(out)-1 {
			_, _, of, ok := t.standing.leaderOf(record)
			if !ok {
				break
			}
			record, depth = of, depth+1
		}
		out[depth] = append(out[depth], id)
	}
	return out
}

// announceOne tells of an episode, or lists what holds it back, or does neither.
func (t *Task) announceOne(id episode.ID, acts *tickActions, found *Findings) {
	ep, _ := t.store.episodes.Get(id)
	record := t.store.records[id]
	action := acts.actions[id]
	by := t.heldBack(&ep, record, acts.end)
	if action == episode.Nothing {
		if by.Kind != "" || !t.isReleased(&ep, record, acts.end) {
			return
		}
		action = episode.Open
	}
	t.store.changed[id] = true
	if ep.Standing == episode.Confirmed {
		t.verdicts.excise(id, acts.end)
	}
	switch {
	case by.Kind == ByVerdict && (record.announced || acts.tellsOf(id)):
		action, record.announced = episode.Close, false // people have it open, or are to know of the verdict
	case action == episode.Close && record.announced:
		record.announced = false
	case action == episode.Close && record.held == ByCampaign && !t.isReported(&ep, record, by):
		t.tell(&ep, record, episode.Open, acts, found) // it ends before anybody has told of it
	case action == episode.Close && by.Kind == "":
		return // what held it back is listed
	case by.Kind != "" && !acts.tellsOfProposal(id):
		t.holdBack(&ep, record, by, action, acts.end, found)
		return
	case !record.announced:
		action, record.announced = episode.Open, true
		t.openings.Count(&ep, acts.end)
	}
	t.tell(&ep, record, action, acts, found)
}

// isReported reports whether another message has told of an episode that closes, or
// something else holds it back.
func (t *Task) isReported(ep *episode.Episode, record *episodeRecord, by SuppressedBy) bool {
	return by.Kind != "" && record.waits == 0 || t.standing.settled(ep, record)
}

// holdBack lists an alert that nobody is sent.
func (t *Task) holdBack(ep *episode.Episode, record *episodeRecord, by SuppressedBy, action episode.Action, end int64, found *Findings) {
	record.held = by.Kind
	var members *alerting.Members
	if record.campaign != nil {
		members = t.members(record, end)
		members.Also = nil
	}
	found.Suppressed = append(found.Suppressed, Suppressed{by, t.alert(ep, record, members, action, end)})
}

// isReleased reports whether an open episode that people were not told of, and that
// nothing holds back any more, is to be told now: the tick shows that it goes on, or what
// stood for it does so no longer.
func (t *Task) isReleased(ep *episode.Episode, record *episodeRecord, end int64) bool {
	return ep.Shown == end || record.held == ByCampaign && !t.standing.settled(ep, record)
}

// heldBack returns what holds an episode back at the end of a tick, and counts it
// among those that are told beside their campaign if it is one.
func (t *Task) heldBack(ep *episode.Episode, record *episodeRecord, end int64) SuppressedBy {
	by, alone := t.suppress.heldBy(ep, record, end)
	if alone {
		t.store.announceAlone(ep.ID(), record)
	}
	return by
}

// tell adds a message to what was found. It names those for whom it stands.
func (t *Task) tell(ep *episode.Episode, record *episodeRecord, action episode.Action, acts *tickActions, found *Findings) {
	members := t.members(record, acts.end)
	if members != nil {
		t.keepNamed(ep, record, members, acts.tick)
	}
	record.held, record.sent = "", true
	t.verdicts.wake(record.key, acts.tick)
	a := t.alert(ep, record, members, action, acts.end)
	if said, ok := acts.said[ep.ID()]; ok {
		a.Said = &said
		a.Summary = alerting.Summarize(&a, t.cfg.Location)
	}
	found.Alerts = append(found.Alerts, a)
	record.sentOnset, record.sentAs = record.onset, ep.Severity
}

// members returns whom a message of an episode names, nil if it stands for nobody.
func (t *Task) members(record *episodeRecord, end int64) *alerting.Members {
	states := t.store.memberStates(record.key, end)
	for i := range states {
		ep, _ := t.store.episodes.Get(states[i].ID)
		states[i].Unnamed = (ep.Closed == 0 || ep.Closed == end) && t.standing.isUnnamed(&ep, t.store.records[states[i].ID])
	}
	if record.campaign == nil && len(states) == 0 {
		return nil
	}
	top, also := campaign.Names(states)
	out := &alerting.Members{Count: int64(len(states)), Top: alertMembers(top), Also: alertMembers(also)}
	if record.campaign != nil {
		out.Count = record.campaign.count
		out.Top = append(out.Top, record.campaign.weakMembers(top)...)
	}
	return out
}

// keepNamed keeps of each episode that a message names that it does, and of the
// message what they are, so that it goes where theirs would go.
func (t *Task) keepNamed(ep *episode.Episode, record *episodeRecord, members *alerting.Members, tick int64) {
	named := members.Named()
	var ids []episode.ID
	for i := range named {
		id, ok := t.store.byKey[named[i].DedupKey]
		if !ok {
			continue
		}
		of, _ := t.store.episodes.Get(id)
		record.classes = withClasses(record.classes, t.alerts.classes(&of, t.store.records[id]))
		ids = append(ids, id)
	}
	members.Classes = slices.Clone(record.classes)
	m := mention{record.key, ep.Severity, record.confidence(), record.states(ep),
		t.alerts.reaches(append(t.alerts.classes(ep, record), record.classes...)...)}
	for _, id := range ids {
		t.store.records[id].named, t.store.records[id].waits = m, 0
		t.verdicts.wake(t.store.records[id].key, tick)
		t.store.changed[id] = true
	}
}

// withClasses adds classes to a sorted list, each once.
func withClasses(list, more []alerting.Class) []alerting.Class {
	for i := range more {
		at, known := slices.BinarySearchFunc(list, more[i], func(a, b alerting.Class) int { return a.Compare(&b) })
		if !known {
			list = slices.Insert(list, at, more[i])
		}
	}
	return list
}

// alert returns the alert that tells of an action on an episode, and names members.
func (t *Task) alert(ep *episode.Episode, record *episodeRecord, members *alerting.Members, action episode.Action, end int64) alerting.Alert {
	return t.alerts.make(ep, record, t.store.leadKey(record), members, action, end)
}
