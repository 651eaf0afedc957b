// Package alerting holds what people get: the alert, the sentence that says
// it, and the small contract behind which every destination stands.
//
// It knows no Kafka and decides nothing; it says what detect and correlate
// found, and carries it to where people look.
package alerting

import "time"

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

func (s Status) valid() bool { return s == Open || s == Update || s == Close }

// Severity ranks alerts for people and routes.
type Severity string

// The severities, mildest first.
const (
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Rank orders severities: 1 for low to 4 for critical, 0 for anything else.
func (s Severity) Rank() int {
	switch s {
	case Low:
		return 1
	case Medium:
		return 2
	case High:
		return 3
	case Critical:
		return 4
	}
	return 0
}

// Alert is one statement about one episode: one record on weir.alerts, one
// message to each destination. Its JSON has a fixed order of keys, RFC 3339
// times in UTC with milliseconds, and rounded figures, so that equal alerts
// are equal bytes.
type Alert struct {
	Schema    int      `json:"schema"`
	DedupKey  string   `json:"dedup_key"` // follows from dimension, identity and the tick of first opening
	Status    Status   `json:"status"`
	Time      Time     `json:"time"`  // event time at which it was raised: the end of the tick
	Onset     Time     `json:"onset"` // start of the bin in which the drift began, as far as known
	Dimension string   `json:"dimension"`
	Identity  string   `json:"identity"`
	Detector  string   `json:"detector"`
	Measure   string   `json:"measure"` // the strongest measure
	Severity  Severity `json:"severity"`
	Summary   string   `json:"summary"`
	Observed  float64  `json:"observed"` // of the bin that made the case, in the unit of the measure
	Expected  float64  `json:"expected"` // of the same bin, under the baseline
	Exposed   Exposed  `json:"exposed"`
	Evidence  Evidence `json:"evidence"`
}

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
	Bin       Time              `json:"bin"`           // start of the bin that made the case
	BinWidth  string            `json:"bin_width"`     // its width, as a Go duration
	LogValue  float64           `json:"log_evidence"`  // natural log of the combined evidence
	Threshold float64           `json:"log_threshold"` // what it had to reach
	Budget    float64           `json:"budget_per_day"`
	Measures  []MeasureEvidence `json:"measures"` // strongest first
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

const timeLayout = "2006-01-02T15:04:05.000Z"

// String returns the JSON form without its quotes.
func (t Time) String() string { return t.Std().Format(timeLayout) }

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
