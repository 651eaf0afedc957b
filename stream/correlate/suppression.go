package correlate

import (
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
)

// suppression says what holds episodes back from people. It changes nothing.
type suppression struct {
	rules    []Expectation
	location *time.Location
	store    *episodeStore
	verdicts *verdicts
}

// heldBy returns what holds an episode back at the end of a tick; its Kind is empty if
// nothing does. alone reports that the episode is critical and is therefore told
// beside its campaign, among whose few such it is not counted yet.
func (s *suppression) heldBy(ep *episode.Episode, record *episodeRecord, end int64) (by SuppressedBy, alone bool) {
	if v, ok := s.verdicts.expects(ep.ID(), end); ok {
		return SuppressedBy{Kind: ByVerdict, Name: v.ID, Owner: v.Author, Reason: v.Reason, Expires: v.Expires}, false
	}
	if ep.Standing == episode.Confirmed {
		return SuppressedBy{}, false // nobody expects a leak
	}
	for i := range s.rules {
		if rule := &s.rules[i]; rule.covers(ep, record, end, s.location) {
			return rule.by(), false
		}
	}
	return s.byLead(ep, record)
}

// byLead reports whether another message stands for the episode: that of its
// campaign, unless it is critical itself, which the first alerting.MaxTop members
// of a campaign are told alone; or that of an episode of another dimension with
// the same events, unless it has outgrown that, or a fact holds for it that does not
// hold for that one: no message stands for a fact that it does not name.
func (s *suppression) byLead(ep *episode.Episode, record *episodeRecord) (by SuppressedBy, alone bool) {
	lead, ok := s.store.byKey[record.lead]
	if !ok || !s.store.isOpen(lead) {
		return SuppressedBy{}, false
	}
	of := s.store.records[lead]
	leading, _ := s.store.episodes.Get(lead)
	switch {
	case of.campaign == nil && ep.Facts != "" && ep.Facts != leading.Facts:
		return SuppressedBy{}, false
	case of.campaign == nil && campaign.Outgrows(ep.Exposed, of.exposed.Records):
		return SuppressedBy{}, false
	case of.campaign != nil && record.alone:
		return SuppressedBy{}, false
	case of.campaign != nil && ep.Severity == episode.Critical && of.campaign.announcedAlone < alerting.MaxTop:
		return SuppressedBy{}, true
	}
	return SuppressedBy{Kind: ByCampaign, Name: record.lead}, false
}
