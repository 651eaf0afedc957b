package stream

import (
	"encoding/json"
	"fmt"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
)

// ReportVersion is part of every record on weir.evidence.
const ReportVersion = 2

// Report is one record on weir.evidence: what stood out in one partition of
// identities in the ticks that it closed, and what correlate must know of the
// whole fleet. Reports of a partition come in the order of its ticks.
type Report struct {
	Version   int   `json:"v"`
	Partition int32 `json:"partition"`
	// Done: all ticks up to this one are closed and reported.
	Done       int64           `json:"done"`
	Candidates []Candidate     `json:"candidates,omitempty"`
	Facts      []FactCandidate `json:"facts,omitempty"`
	Bins       []BinSums       `json:"bins,omitempty"`
}

// BinSums is what a partition tells of one finished bin.
type BinSums struct {
	Bin  int64  `json:"bin"`
	Sums []byte `json:"sums"` // score.Sums
	// Traits are the TraitSums of the bin, encoded; absent when empty.
	Traits []byte `json:"traits,omitempty"`
}

// Candidate is an identity whose evidence has passed the candidate cut at a
// tick, or that had passed it and is still watched.
type Candidate struct {
	Tick      int64             `json:"tick"`
	Dimension int               `json:"dim"`
	Identity  string            `json:"identity"`
	Log       float64           `json:"log"`      // log of the combined evidence, in nats
	Bin       int64             `json:"bin"`      // the bin that makes the case
	Onset     int64             `json:"onset"`    // Unix ms of event time
	Measures  []MeasureEvidence `json:"measures"` // strongest first
	Peers     string            `json:"peers,omitempty"`
	Exposed   Exposed           `json:"exposed"` // since the onset
	Context
}

// MeasureEvidence is what one measure adds to the evidence of a candidate: what
// was counted in the bin, the baseline with its factors, and the evidence for
// each drift rate. Logs are in nats, counts in the unit of the measure.
type MeasureEvidence struct {
	Measure    string         `json:"measure"`
	Log        float64        `json:"log"`
	Observed   float64        `json:"observed"`
	Low        float64        `json:"low"`         // lower end of the 95 % interval of the sketch's error
	High       float64        `json:"high"`        // upper end of the same interval
	Expected   float64        `json:"expected"`    // Level × Shape × Mode
	Level      float64        `json:"level"`       // mean per bin of the identity, shrunk towards its peers'
	Shape      float64        `json:"shape"`       // factor of this hour of the week
	Mode       float64        `json:"mode"`        // factor of the fleet's common mode
	Dispersion float64        `json:"dispersion"`  // k of the negative binomial distribution
	PeerWeight float64        `json:"peer_weight"` // share of Level that comes from the peers' prior, 0..1
	Rates      []RateEvidence `json:"rates"`
}

// RateEvidence is the log evidence, in nats, for one drift rate, a multiple of the
// baseline.
type RateEvidence struct {
	Rate float64 `json:"rate"`
	Log  float64 `json:"log"`
}

// Exposed says how many distinct records an identity has touched since a time.
type Exposed struct {
	Records int64 `json:"records"`
	Low     int64 `json:"low"`            // lower end of the 95 % interval
	High    int64 `json:"high"`           // upper end of the 95 % interval
	Since   int64 `json:"since"`          // Unix ms of event time
	Rows    int64 `json:"rows,omitempty"` // rows that were read where the log has no record ids
}

// FactCandidate is something that is known of an identity and needs no
// statistics: it opens an episode, or is told in the one that is open.
type FactCandidate struct {
	Tick      int64             `json:"tick"`
	Dimension int               `json:"dim"` // SourceDimension: Identity is a source topic
	Identity  string            `json:"identity"`
	Fact      fact.Name         `json:"fact"`
	Time      int64             `json:"time"` // event time (Unix ms) of what is known: the leave, the revocation, the first read by a token nobody issued
	Detail    map[string]string `json:"detail,omitempty"`
	Exposed   Exposed           `json:"exposed"` // since Time
	Context
}

// Context is what an identity did since the onset, for people and for finding
// what episodes share.
type Context struct {
	// Traits are what it came through, by dimension and largest share first.
	Traits    []campaign.TraitShare `json:"traits,omitempty"`
	ShareNew  *float64              `json:"share_new,omitempty"` // of the exposed records, those never opened before; nil: not known
	FirstSeen int64                 `json:"first_seen,omitzero"` // event time (Unix ms) of the identity's first tick; 0: not known
	LastSeen  int64                 `json:"last_seen,omitzero"`  // event time (Unix ms) of the end of its latest tick; 0: not known
	// Destructive are the records updated or deleted since the onset, each once a
	// bin; Unissued those read through tokens that nobody was seen to be issued.
	Destructive int64 `json:"destructive,omitempty"`
	Unissued    int64 `json:"unissued,omitempty"`
}

// Split cuts a report into several of at most n candidates and n facts each.
// All but the last leave Done where the report before stood, so that a reader
// acts only once it has the whole; they must be written in one transaction.
func (r *Report) Split(n int) []*Report {
	var out []*Report
	rest := r.Candidates
	for len(rest) > n {
		out = append(out, &Report{Version: r.Version, Partition: r.Partition, Done: eventtime.Never, Candidates: rest[:n]})
		rest = rest[n:]
	}
	facts := r.Facts
	for len(facts) > n {
		out = append(out, &Report{Version: r.Version, Partition: r.Partition, Done: eventtime.Never, Facts: facts[:n]})
		facts = facts[n:]
	}
	last := *r
	last.Candidates, last.Facts = rest, facts
	return append(out, &last)
}

// Encode returns the record's value.
func (r *Report) Encode() ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("writing a report: %w", err)
	}
	return b, nil
}

// DecodeReport reads a record of weir.evidence.
func DecodeReport(value []byte) (*Report, error) {
	var r Report
	if err := json.Unmarshal(value, &r); err != nil {
		return nil, fmt.Errorf("reading a report: %w: %w", err, wire.ErrCorrupt)
	}
	if r.Version != ReportVersion {
		return nil, fmt.Errorf("reading a report: version %d, want %d: %w", r.Version, ReportVersion, wire.ErrCorrupt)
	}
	for _, b := range r.Bins {
		if _, rest, err := score.DecodeSums(b.Sums); err != nil || len(rest) > 0 {
			return nil, fmt.Errorf("reading the sums of a report: %w", wire.ErrCorrupt)
		}
	}
	return &r, nil
}
