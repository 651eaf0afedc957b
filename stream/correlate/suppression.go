package correlate

import (
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// suppression says what holds episodes back from people. It changes nothing.
type suppression struct {
	rules    []Expectation
	location *time.Location
	store    *episodeStore
	verdicts *verdicts
	standing *standing
}

// heldBy returns what holds an episode back at the end of a tick; its Kind is empty if
// nothing does. alone reports that the episode is critical and is therefore told
// beside its campaign, among whose few such it is not counted yet.
func (s *suppression) heldBy(ep *episode.Episode, record *episodeRecord, end int64) (by SuppressedBy, alone bool) {
	if v, ok := s.verdicts.expects(ep, end); ok {
		return SuppressedBy{Kind: ByVerdict, Name: v.ID, Owner: v.Author, Reason: v.Reason, Expires: v.Expires}, false
	}
	if ep.Standing == episode.Confirmed {
		return SuppressedBy{}, false // nobody expects a leak
	}
	if rule := s.byRule(ep, record, end); rule != nil {
		return rule.by(), false
	}
	_, leading, of, ok := s.standing.leaderOf(record)
	if !ok {
		return SuppressedBy{}, false
	}
	if of.campaign != nil {
		switch {
		case record.alone:
			return SuppressedBy{}, false
		case ep.Severity == episode.Critical && of.campaign.announcedAlone < alerting.MaxTop:
			return SuppressedBy{}, true
		}
	}
	return s.byLead(ep, record, leading.ID()), false
}

// byLead returns the leader that stands for an episode, or will name it soon.
func (s *suppression) byLead(ep *episode.Episode, record *episodeRecord, lead episode.ID) SuppressedBy {
	switch held, waits := s.standing.byLead(ep, record); {
	case waits:
		return SuppressedBy{Kind: ByCampaign, Name: record.lead, Reason: "the next message of " + lead.Dimension + " " + lead.Identity + " will name it"}
	case held:
		return SuppressedBy{Kind: ByCampaign, Name: record.lead}
	}
	return SuppressedBy{}
}

// byRule returns the rule that covers an episode, nil if there is none. A rule that
// covers a campaign covers each of its members that is within the rule by itself.
func (s *suppression) byRule(ep *episode.Episode, record *episodeRecord, end int64) *Expectation {
	_, leading, of, led := s.standing.leaderOf(record)
	for i := range s.rules {
		rule := &s.rules[i]
		if !rule.covers(ep, record, end, s.location) {
			continue
		}
		if rule.names(ep.ID()) || led && of.campaign != nil && rule.names(leading.ID()) && rule.covers(leading, of, end, s.location) {
			return rule
		}
	}
	return nil
}
