package correlate

import (
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/eventtime"
)

// namedWithin is how long an episode of low or medium severity may wait to be named
// by the message that will stand for it, in milliseconds of event time, so that one
// more message names many. What is graver is named in the tick in which it is known.
const namedWithin = eventtime.Hour

// mention is what a message said that named an episode.
type mention struct {
	by         string // dedup key of the message's episode; empty: no message has named it
	severity   episode.Severity
	confidence episode.Confidence
	facts      string   // that the message states: sorted, with commas between
	reached    []string // the destinations to which the message went, sorted; nil: there is no choice of them
}

// standee is an episode for which a message may stand.
type standee struct {
	severity   episode.Severity
	confidence episode.Confidence
	facts      string // as in mention
	exposed    int64  // records
	reaches    []string
}

// leader is the episode or campaign whose message may stand for others.
type leader struct {
	key        string
	open       bool // people have it open
	isCampaign bool
	exposed    int64 // records
}

// standingRule is a condition on which a message stands for an episode.
type standingRule struct {
	text  string // as docs/episodes.md has it
	holds func(lead *leader, m *mention, of *standee) bool
}

// standingRules say who may stand for whom: all of them must hold. The table in
// docs/episodes.md is this one.
var standingRules = []standingRule{
	{"People were told of it and have it open. What is closed, expected or held back itself stands for nobody.",
		func(lead *leader, _ *mention, _ *standee) bool { return lead.open }},
	{"A message of it has named the episode.",
		func(lead *leader, m *mention, _ *standee) bool { return m.by == lead.key }},
	{"That message went to every destination to which the episode's own message would go.",
		func(_ *leader, m *mention, of *standee) bool { return covers(m.reached, of.reaches) }},
	{"That message was at least as severe as the episode is now.",
		func(_ *leader, m *mention, of *standee) bool { return m.severity >= of.severity }},
	{"That message was at least as certain as the episode is now.",
		func(_ *leader, m *mention, of *standee) bool { return m.confidence.Compare(of.confidence) >= 0 }},
	{"A fact stands for itself: where facts hold for the episode, that message states the same facts, and no others.",
		func(_ *leader, m *mention, of *standee) bool { return of.facts == "" || of.facts == m.facts }},
	{"The episode has not outgrown it: unless it is a campaign, the episode has exposed at most twice as many records.",
		func(lead *leader, _ *mention, of *standee) bool {
			return lead.isCampaign || !campaign.Outgrows(of.exposed, lead.exposed)
		}},
}

func covers(reached, reaches []string) bool {
	return !slices.ContainsFunc(reaches, func(name string) bool { return !slices.Contains(reached, name) })
}

// standsFor reports whether a message stands for an episode.
func standsFor(lead *leader, m *mention, of *standee) bool {
	for i := range standingRules {
		if !standingRules[i].holds(lead, m, of) {
			return false
		}
	}
	return true
}

// standing knows the messages and the episodes of a task by these rules.
type standing struct {
	store  *episodeStore
	alerts *alertMaker
}

// standee returns an episode as it is now.
func (s *standing) standee(ep *episode.Episode, record *episodeRecord) standee {
	return standee{ep.Severity, record.confidence(), ep.Facts, ep.Exposed, s.alerts.reaches(s.alerts.classes(ep, record)...)}
}

// leaderOf returns what an episode belongs to, if that is open.
func (s *standing) leaderOf(record *episodeRecord) (leader, *episode.Episode, *episodeRecord, bool) {
	id, ok := s.store.byKey[record.lead]
	if !ok || !s.store.isOpen(id) {
		return leader{}, nil, nil, false
	}
	ep, _ := s.store.episodes.Get(id)
	of := s.store.records[id]
	open := of.announced && of.held != ByConfig && of.held != ByVerdict // what holds it back holds back whom it would name
	return leader{of.key, open, of.campaign != nil, of.exposed.Records}, &ep, of, true
}

// wouldName returns what a message of a leader would say if it named an episode now.
// It would go where that episode's own message would go.
func wouldName(ep *episode.Episode, record *episodeRecord, reaches []string) mention {
	return mention{record.key, ep.Severity, record.confidence(), record.states(ep), reaches}
}

// byLead reports whether another message stands for an episode, or is to name it and
// will then stand for it.
func (s *standing) byLead(ep *episode.Episode, record *episodeRecord) (held, waits bool) {
	lead, leading, of, ok := s.leaderOf(record)
	if !ok || !lead.open {
		return false, false
	}
	held, waits = s.under(&lead, leading, of, ep, record)
	if waits && record.asked && of.held != "" {
		return false, false // nobody is sent the message that should name it now
	}
	return held, waits
}

// isUnnamed reports whether a message of the leader that an episode belongs to would
// stand for it by naming it, and does not yet.
func (s *standing) isUnnamed(ep *episode.Episode, record *episodeRecord) bool {
	lead, leading, of, ok := s.leaderOf(record)
	if !ok {
		return false
	}
	lead.open = true
	_, waits := s.under(&lead, leading, of, ep, record)
	return waits
}

func (s *standing) under(lead *leader, leading *episode.Episode, of *episodeRecord, ep *episode.Episode, record *episodeRecord) (held, waits bool) {
	now := s.standee(ep, record)
	if standsFor(lead, &record.named, &now) {
		return true, false
	}
	named := wouldName(leading, of, now.reaches)
	waits = standsFor(lead, &named, &now)
	return waits, waits
}

// settled reports whether an episode was told by a message whose episode has closed,
// and has shown nothing for longer than that one. Once that is forgotten, what it was
// told by then stays told.
func (s *standing) settled(ep *episode.Episode, record *episodeRecord) bool {
	id, ok := s.store.byKey[record.lead]
	if !ok {
		return record.named.by != ""
	}
	if s.store.isOpen(id) || record.named.by != record.lead {
		return false
	}
	leading, _ := s.store.episodes.Get(id)
	lead := leader{record.lead, true, s.store.records[id].campaign != nil, s.store.records[id].exposed.Records}
	now := s.standee(ep, record)
	return ep.Shown < leading.Shown+namedWithin && standsFor(&lead, &record.named, &now)
}

// states returns the facts that the messages of an episode state.
func (r *episodeRecord) states(ep *episode.Episode) string {
	if r.campaign != nil {
		return string(r.campaign.cause.Fact)
	}
	return ep.Facts
}

// confidence returns how sure an episode is: as sure as the surest of those that it stands
// for, since they show the same events or share its cause, and certain if a fact is known.
func (r *episodeRecord) confidence() episode.Confidence {
	known := r.fact
	if r.campaign != nil {
		known = r.campaign.cause.Fact
	}
	own := episode.ConfidenceOf(known, alerting.RoundLog(r.evidence.log), alerting.RoundLog(r.evidence.threshold))
	if r.surest.Compare(own) > 0 {
		return r.surest
	}
	return own
}
