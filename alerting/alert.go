// Package alerting says what an alert is: its fields, its JSON, the sentence
// that a person reads first, the reasons to doubt it and what to check.
//
// It decides nothing, reads no clock and does no I/O; how alerts get to people
// is package notify's. Writing an alert never fails; ParseAlert refuses what
// another schema wrote, and what lacks the keys that identify an alert.
package alerting

import (
	"time"

	"github.com/weirhq/weir/alerting/internal/jsonline"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
)

// Schema is the version of the alert's JSON form.
const Schema = 1

// Status tells where an episode stands.
type Status string

// An episode opens, is updated when it materially changes, and closes after
// quiet. Reopened within the grace it opens again under the same key.
const (
	Open   Status = "open"
	Update Status = "update"
	Close  Status = "close"
)

// Valid reports whether s is one of the three.
func (s Status) Valid() bool { return s == Open || s == Update || s == Close }

// Alert is one statement about one episode: one record on weir.alerts, one
// message to each destination. Its JSON has a fixed order of keys, RFC 3339
// times in UTC with milliseconds, and rounded figures, so that equal alerts
// are equal bytes.
type Alert struct {
	Schema     int                `json:"schema"`
	DedupKey   string             `json:"dedup_key"`          // follows from dimension, identity and the tick of first opening
	Campaign   string             `json:"campaign,omitempty"` // dedup key of the campaign that the episode belongs to
	Status     Status             `json:"status"`
	Time       Time               `json:"time"`           // event time at which it was raised: the end of the tick
	Onset      Time               `json:"onset"`          // start of the bin in which the drift began, as far as known
	Kind       Kind               `json:"kind,omitempty"` // empty means Statistical
	Dimension  string             `json:"dimension"`      // of a campaign: CampaignDimension
	Identity   string             `json:"identity"`       // of a campaign: what its members share
	Detector   string             `json:"detector"`
	Measure    string             `json:"measure"`          // the strongest measure; may be empty where Kind is not Statistical
	Fact       fact.Name          `json:"fact,omitempty"`   // what is known, where Kind is KindFact
	Detail     map[string]string  `json:"detail,omitempty"` // of the fact, short texts: {"retired_at": "2026-01-02"}; written sorted by key
	Severity   episode.Severity   `json:"severity"`
	Confidence episode.Confidence `json:"confidence,omitempty"`
	Summary    string             `json:"summary"`
	Observed   float64            `json:"observed"` // of the bin that made the case, in the unit of the measure
	Expected   float64            `json:"expected"` // of the same bin, under the baseline
	Exposed    Exposed            `json:"exposed"`
	ShareNew   *float64           `json:"share_new,omitempty"`  // of the exposed records, those this identity had never opened before, 0..1; nil: not known
	FirstSeen  Time               `json:"first_seen,omitempty"` // of the identity, event time; 0: not known
	LastSeen   Time               `json:"last_seen,omitempty"`
	Top        Top                `json:"top,omitzero"`      // through what the exposed records went
	Members    *Members           `json:"members,omitempty"` // of a campaign
	Benign     []string           `json:"benign,omitempty"`  // why it may be harmless, one sentence each
	Checks     []string           `json:"checks,omitempty"`  // what to look at first, one sentence each
	Links      Links              `json:"links,omitzero"`    // where to go on
	Evidence   Evidence           `json:"evidence"`
}

// Kind tells what an alert rests on.
type Kind string

// The kinds.
const (
	Statistical  Kind = "statistical" // a measure drifted from its baseline
	KindFact     Kind = "fact"        // something that is known, not inferred
	KindCampaign Kind = "campaign"    // episodes that share a cause
)

func (k Kind) valid() bool {
	return k == "" || k == Statistical || k == KindFact || k == KindCampaign
}

// CampaignDimension is the dimension of a campaign's alert; its identity names
// the shared cause, such as "key kid-7".
const CampaignDimension = "campaign"

// Undelivered is the fact of an alert that tells of a dead letter. Its dimension
// is DestinationDimension and its identity the destination's name. It never
// closes: somebody has to look.
const (
	Undelivered          fact.Name = "undelivered"
	DestinationDimension           = "destination"
)

// Share is one value and the part of the exposed records that went through it.
type Share struct {
	Value string  `json:"value"`
	Share float64 `json:"share"` // 0..1
}

// MaxTop bounds each list of Top and Members.Top.
const MaxTop = 5

// Top says through what the exposed records went: at most MaxTop values of each
// dimension other than the alert's own, largest share first. The shares of one
// list need not add up to 1.
type Top struct {
	Endpoints []Share `json:"endpoints,omitempty"`
	Networks  []Share `json:"networks,omitempty"`
	Clients   []Share `json:"clients,omitempty"`
	Keys      []Share `json:"keys,omitempty"`
	Users     []Share `json:"users,omitempty"`
}

// IsZero reports whether every list is empty; encoding/json goes by it.
func (t Top) IsZero() bool {
	return len(t.Endpoints)+len(t.Networks)+len(t.Clients)+len(t.Keys)+len(t.Users) == 0
}

// Members are the episodes of a campaign.
type Members struct {
	Count int64    `json:"count"`         // all of them
	Top   []Member `json:"top,omitempty"` // at most MaxTop, most exposed records first
}

// Member is one episode of a campaign.
type Member struct {
	DedupKey  string           `json:"dedup_key"`
	Dimension string           `json:"dimension"`
	Identity  string           `json:"identity"`
	Severity  episode.Severity `json:"severity"`
	Records   int64            `json:"records"` // exposed
}

// Links are absolute URLs; empty ones are left out.
type Links struct {
	Console string `json:"console,omitempty"` // the episode in weir's console
	Runbook string `json:"runbook,omitempty"` // what to do about this kind of alert
	Query   string `json:"query,omitempty"`   // the events behind it, in the log store
}

// IsZero reports whether there is no link.
func (l Links) IsZero() bool { return l == Links{} }

// Exposed says how many distinct customer records the identity has touched
// since the time given: all of them, not the excess.
type Exposed struct {
	Records int64 `json:"records"`
	Low     int64 `json:"low"`  // lower end of the 95 % interval
	High    int64 `json:"high"` // upper end of the 95 % interval
	Since   Time  `json:"since"`
	Rows    int64 `json:"rows,omitempty"` // rows read where no ids are logged
}

// Evidence is what the decision was made from.
type Evidence struct {
	Bin       Time    `json:"bin"`           // start of the bin that made the case
	BinWidth  string  `json:"bin_width"`     // its width, as a Go duration
	LogValue  float64 `json:"log_evidence"`  // natural log of the combined evidence
	Threshold float64 `json:"log_threshold"` // what it had to reach
	Budget    float64 `json:"budget_per_day"`
	// Realised is how many statistical episodes and campaigns people were told of,
	// a day, over the last 28 days or since the beginning, this one included.
	Realised float64 `json:"realised_per_day,omitempty"`
	// Where the threshold of a statistical alert came from: it is the larger of
	// what theory asks of so many live identities, and of what the fleet's own
	// tail asks (0: too little of it was seen).
	Live    float64 `json:"live_identities,omitempty"`
	Formula float64 `json:"log_formula,omitempty"`
	Tail    float64 `json:"log_tail,omitempty"`
	// Peers are those that the identity was held against, as DIMENSION:NAME of
	// what they work with; empty: all of its dimension.
	Peers    string            `json:"peers,omitempty"`
	Measures []MeasureEvidence `json:"measures"` // strongest first
}

// MeasureEvidence explains one measure's part: the count, the baseline it was
// held against with its factors, and the evidence per drift rate.
type MeasureEvidence struct {
	Measure    string         `json:"measure"`
	LogValue   float64        `json:"log_evidence"`
	Observed   float64        `json:"observed"`
	Low        float64        `json:"observed_low"` // sketch error, 95 %
	High       float64        `json:"observed_high"`
	Expected   float64        `json:"expected"`    // level × shape × mode
	Level      float64        `json:"level"`       // the identity's own mean per bin, shrunk to its peers
	Shape      float64        `json:"shape"`       // factor of this hour of the week
	Mode       float64        `json:"mode"`        // factor of the fleet's common mode
	Dispersion float64        `json:"dispersion"`  // negative-binomial k
	PeerWeight float64        `json:"peer_weight"` // share of the level that comes from the peers' prior, 0..1
	Rates      []RateEvidence `json:"rates"`
}

// RateEvidence is the log evidence for one drift rate (a multiple of the baseline).
type RateEvidence struct {
	Rate     float64 `json:"rate"`
	LogValue float64 `json:"log_evidence"`
}

// Time is a Unix time in milliseconds whose JSON form is RFC 3339 in UTC with
// three decimals.
type Time int64

// Std returns t as a time.Time in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// String returns the JSON form without its quotes.
func (t Time) String() string { return t.Std().Format(jsonline.TimeLayout) }

// MarshalText writes the form of String.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads any RFC 3339 time.
func (t *Time) UnmarshalText(b []byte) error {
	std, err := time.Parse(time.RFC3339, string(b))
	if err != nil {
		return err
	}
	*t = Time(std.UnixMilli())
	return nil
}
