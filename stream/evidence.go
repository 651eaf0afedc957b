package stream

import (
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/eventtime"
)

// EvidenceReport is one record on weir.evidence: what stood out in one partition
// of identities in the ticks that it closed, and what correlate must know of the
// whole fleet. Reports of a partition come in the order of its ticks. Its form is
// that of Encode.
type EvidenceReport struct {
	Partition  int32
	Done       int64 // all ticks up to this one are closed and reported; eventtime.Never: none yet
	Candidates []Candidate
	Facts      []FactCandidate
	Bins       []BinSums
}

// BinSums is what a partition tells of one finished bin: sums over its
// identities, each in the binary form of its type.
type BinSums struct {
	Bin    int64
	Sums   []byte // fleet.Sums
	Traits []byte // campaign.TraitSums; none where nothing was added
}

// Candidate is an identity whose evidence has passed the candidate cut at a
// tick, or that had passed it and is still watched.
type Candidate struct {
	Tick      int64
	Dimension int
	Identity  string
	Group     string  // of statistics, the one that stands out most; see score.Group
	Log       float64 // log of its evidence, in nats
	Threshold float64 // what Log must reach for an episode, in nats
	Bin       int64   // the bin that makes the case
	Spent     bool    // the group has not reached Threshold lately, or has fallen far below: it keeps no episode open
	Stale     bool    // neither the bin nor its day so far adds to the evidence, which is that of before
	// The identity has drifted since Onset, which is not before Earliest, and not after
	// Latest, each with a probability of 0.95. All three are starts of bins, in Unix ms
	// of event time.
	Onset, Earliest, Latest int64

	Measures []MeasureEvidence // strongest first
	Peers    string
	Exposed  episode.Exposed // since the onset
	Course   []Course        // since the onset
	Context
}

// Margin returns how far, in nats, the evidence is above its threshold.
func (c *Candidate) Margin() float64 { return c.Log - c.Threshold }

// Speaks reports whether the day or bin itself says something for a drift. Where it
// does not, the evidence is that of days before: it keeps an episode open, but opens
// none, also where a threshold has fallen below it.
func (c *Candidate) Speaks() bool {
	for i := range c.Measures {
		if c.Measures[i].Allowed > 0 && c.Measures[i].Log >= c.Threshold-1 {
			return true
		}
	}
	return false
}

// MeasureEvidence is what one statistic adds to the evidence of a candidate: what
// was counted on the day so far or in the bin, what is expected there, and the
// evidence for each drift. Logs are in nats, counts in the unit of the measure.
type MeasureEvidence struct {
	Measure    string
	From       int64 // Unix ms: start of the day, or of the bin, that was counted
	Log        float64
	Observed   float64
	Low        float64 // lower end of the 95 % interval of the sketch's error
	High       float64 // upper end of the same interval
	Expected   float64 // by the identity's own mean: on a whole day with work, or in a bin with work
	Mode       float64 // factor of the fleet's common mode in Expected
	Dispersion float64 // k of the negative binomial distribution; of new_share the concentration
	Ratio      float64 // log of the mean likelihood ratio of this day or bin alone
	Allowed    float64 // what the fleet's own tail leaves of Ratio
	Rates      []RateEvidence
}

// RateEvidence is the log evidence, in nats, for one drift rate, a multiple of the
// baseline.
type RateEvidence struct {
	Rate float64
	Log  float64
}

// FactCandidate is something that is known of an identity and needs no
// statistics: it opens an episode, or is told in the one that is open.
type FactCandidate struct {
	Tick      int64
	Dimension int // SourceDimension: Identity is a source topic
	Identity  string
	Fact      fact.Name
	Time      int64 // event time (Unix ms) of what is known: the leave, the revocation, the first read by a token nobody issued
	Detail    map[string]string
	Exposed   episode.Exposed // since Time
	Through   episode.Excess  // the exposed records that the fact covers; zero: it covers none
	Context
}

// Context is what an identity did since the onset, for people and for finding
// what episodes share.
type Context struct {
	// Traits are what it came through, by dimension and largest share first.
	Traits      []campaign.TraitShare
	TraitsSince int64    // since when the accesses of Traits are counted, Unix ms of event time; 0: there are none
	ShareNew    *float64 // the share of exposed records that were new to the identity; nil: not known
	FirstSeen   int64    // event time (Unix ms) of the identity's first tick; 0: not known, or it may have come before
	LastSeen    int64    // event time (Unix ms) of the end of its latest tick; 0: not known
}

// Course is what an identity has done since the onset in one measure, beside what is
// usual of it in such a time: distinct records, each once; first touches; rows; records
// destroyed, each once a bin; unissued tokens; and records at unusual hours, as the days
// count them.
type Course struct {
	Measure            string // of the day: see score.Stat
	Observed, Expected float64
	Excess             episode.Excess
}

// CourseOf returns the course of what a measure counts, nil if nothing of it was.
func CourseOf(list []Course, measure string) *Course {
	of := measure
	switch measure {
	case "distinct_in_bin":
		of = "distinct"
	case "first_touch_in_bin":
		of = "first_touch"
	case "rows_in_bin":
		of = "rows"
	}
	for i := range list {
		if list[i].Measure == of {
			return &list[i]
		}
	}
	return nil
}

// Split cuts a report into several of at most n candidates and n facts each.
// All but the last leave Done where the report before stood, so that a reader
// acts only once it has the whole; they must be written in one transaction.
func (r *EvidenceReport) Split(n int) []*EvidenceReport {
	var out []*EvidenceReport
	rest := r.Candidates
	for len(rest) > n {
		out = append(out, &EvidenceReport{Partition: r.Partition, Done: eventtime.Never, Candidates: rest[:n]})
		rest = rest[n:]
	}
	facts := r.Facts
	for len(facts) > n {
		out = append(out, &EvidenceReport{Partition: r.Partition, Done: eventtime.Never, Facts: facts[:n]})
		facts = facts[n:]
	}
	last := *r
	last.Candidates, last.Facts = rest, facts
	return append(out, &last)
}
