package campaign

import (
	"slices"
	"strings"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
)

// Subject is an open episode as the search for campaigns sees it.
type Subject struct {
	episode.ID
	Key       string    // dedup key of the episode
	Order     int       // place of its dimension in the configuration, or NotConfigured
	Opened    int64     // end of the tick in which it opened, Unix ms of event time
	Exposed   int64     // records touched since the onset, as last announced
	Facts     string    // names of what is known of it: sorted, with commas between
	Fact      fact.Name // the gravest of them
	Announced bool      // people have it open
	Traits    []TraitShare
	Excess    []MeasureExcess // of each measure that is judged, the strongest first
}

// MeasureExcess is how much more than usual an identity did by one measure, in its unit.
type MeasureExcess struct {
	Measure string
	From    int64 // start of the day or bin that is counted, Unix ms
	Amount  float64
}

// excess returns the excess by a measure since from, 0 if there is none.
func (s *Subject) excess(measure string, from int64) float64 {
	for i := range s.Excess {
		if e := &s.Excess[i]; e.Measure == measure && e.From == from {
			return max(e.Amount, 0)
		}
	}
	return 0
}

// NotConfigured is the Order of a subject whose dimension is none of the
// configured ones: of a source.
const NotConfigured = -1

// Parts of what an episode did that must have come through another identity.
const (
	// joinShare is the part from which an episode belongs to a trait.
	joinShare = 0.3
	// mirrorShare is that part, both ways, from which two episodes of different
	// dimensions are taken to show the same events.
	mirrorShare = 0.5
	// outgrown is how many times the exposure of the episode that stands for it
	// makes an episode a matter of its own.
	outgrown = 2
)

// Outgrows reports whether an episode has exposed so much more than the one that
// stands for it, in records, that it is a matter of its own.
func Outgrows(exposed, lead int64) bool { return exposed > outgrown*max(lead, 1) }

// ComesThrough reports whether an episode belongs to a trait.
func (s *Subject) ComesThrough(dimension int, identity string) bool {
	return s.share(dimension, identity) >= joinShare
}

// share returns which part of what an episode did came through an identity.
func (s *Subject) share(dimension int, identity string) float64 {
	if s.Order == dimension && s.Identity == identity {
		return 1
	}
	for _, t := range s.Traits {
		if t.Dimension == dimension && t.Identity == identity {
			return t.Share
		}
	}
	return 0
}

func (s *Subject) hasFact(f fact.Name) bool {
	return slices.Contains(strings.Split(s.Facts, ","), string(f))
}

// sameEvents reports whether two episodes of different dimensions show the same
// events: each does most of what it does through the other and the second has not
// outgrown the first, or one explains the other, or the second is a part of the first, for
// which a fact holds, or the same facts hold for both and one does a part through the
// other. An episode for which a fact holds shows more than one without it.
func sameEvents(lead, s *Subject) bool {
	if lead.Order == s.Order || lead.Order == NotConfigured || s.Order == NotConfigured {
		return false
	}
	there, back := lead.share(s.Order, s.Identity), s.share(lead.Order, lead.Identity)
	if lead.Facts != "" && lead.Facts == s.Facts {
		return max(there, back) >= joinShare || len(lead.Traits)+len(s.Traits) == 0 && lead.Opened == s.Opened
	}
	if s.Facts != "" {
		return false
	}
	return min(there, back) >= mirrorShare && !Outgrows(s.Exposed, lead.Exposed) || lead.explains(s) || s.explains(lead) || lead.Facts != "" && s.isPartOf(lead)
}

// isPartOf reports whether what is unusual of one is a part of what is unusual of another:
// it does most of what it does through the other, whose excess is not smaller. The networks
// from which forged tokens come are a part of the key that signed them.
func (s *Subject) isPartOf(o *Subject) bool {
	if len(s.Excess) == 0 || s.share(o.Order, o.Identity) < mirrorShare {
		return false
	}
	e := &s.Excess[0]
	return o.excess(e.Measure, e.From) >= max(e.Amount, 1)
}

// explains reports whether what is unusual of another is this one's doing: this one does
// most of what it does through the other, and its excess makes most of that by which the
// other stands out. A key that thousands use stands out by one of them.
func (s *Subject) explains(o *Subject) bool {
	if len(o.Excess) == 0 || s.share(o.Order, o.Identity) < mirrorShare {
		return false
	}
	e := &o.Excess[0]
	return e.Amount > 0 && s.excess(e.Measure, e.From) >= mirrorShare*e.Amount
}
