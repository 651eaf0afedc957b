package correlate

import (
	"encoding/json"
	"fmt"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// Findings is what correlate made of the ticks it worked through: all of it is
// written in one transaction.
type Findings struct {
	Alerts     []alerting.Alert        // for people, in order: weir.alerts
	Suppressed []Suppressed            // held back, in order: weir.suppressed
	Effects    []Effect                // verdicts that took effect, in order
	Refusals   []Refusal               // verdicts that do not count, in order
	Parameters *stream.ParameterRecord // for detect, or nil: weir.parameters
}

// Empty reports whether there is nothing to write.
func (f *Findings) Empty() bool {
	return len(f.Alerts) == 0 && len(f.Suppressed) == 0 && len(f.Effects) == 0 && len(f.Refusals) == 0 && f.Parameters == nil
}

// Effect is a verdict at the tick at which it took effect.
type Effect struct {
	Verdict Verdict       `json:"verdict"`
	Time    alerting.Time `json:"time"` // event time, the end of the tick
}

// Refusal is a record of weir.verdicts that does not count, at the tick in which it would
// have taken effect.
type Refusal struct {
	Verdict Verdict       `json:"verdict"` // as it was written; empty but for the author if it could not be read
	Refused string        `json:"refused"` // why
	Time    alerting.Time `json:"time"`    // event time, the end of the tick
}

// id names whom people are alerted of.
func (r *Refusal) id() episode.ID {
	return episode.ID{Dimension: alerting.AuthorDimension, Identity: alerting.Printable(r.Verdict.Author, maxAuthor)}
}

// maxAuthor bounds the author in an alert about a refusal, in bytes: anybody may have
// written the record.
const maxAuthor = 120

// IsRepetition reports whether the verdict was read before, or a question answered before.
// That is ordinary: a click may come twice.
func (r *Refusal) IsRepetition() bool {
	return r.Refused == refusedRepeated || r.Refused == refusedAnswered
}

// input is what people are alerted of, if it is no repetition.
func (r *Refusal) input() (tickInput, bool) {
	if r.IsRepetition() {
		return tickInput{}, false
	}
	return tickInput{id: r.id(), facts: []stream.FactCandidate{{
		Identity: r.id().Identity, Fact: fact.RefusedVerdict, Time: int64(r.Time), Exposed: episode.Exposed{Since: int64(r.Time)},
		Detail: map[string]string{
			"refused_because": alerting.Printable(r.Refused, maxAuthor), "verdict": alerting.Printable(string(r.Verdict.Kind), maxAuthor),
			"of": alerting.Printable(r.Verdict.DedupKey, maxAuthor),
		},
	}}}, true
}

// Suppressed is one record of weir.suppressed: an alert that nobody was sent,
// and why.
type Suppressed struct {
	By    SuppressedBy   `json:"suppressed_by"`
	Alert alerting.Alert `json:"alert"`
}

// SuppressedBy says what held an alert back.
type SuppressedBy struct {
	Kind    SuppressedKind `json:"kind"`
	Name    string         `json:"name"` // of the rule; the verdict's id; the dedup key of the campaign or episode
	Owner   string         `json:"owner,omitempty"`
	Reason  string         `json:"reason,omitempty"`
	Expires alerting.Time  `json:"expires,omitzero"`
}

// AppendJSON appends the record's value: one line of JSON, without the newline.
func (s *Suppressed) AppendJSON(b []byte) []byte {
	by, err := json.Marshal(s.By)
	if err != nil {
		panic(fmt.Sprintf("correlate: a reason does not encode: %v", err)) // a mistake in this package: it holds plain values
	}
	b = append(append(b, `{"suppressed_by":`...), by...)
	b = s.Alert.AppendJSON(append(b, `,"alert":`...))
	return append(b, '}')
}

// DecodeSuppressed reads a record of weir.suppressed.
func DecodeSuppressed(value []byte) (*Suppressed, error) {
	var raw struct {
		By    SuppressedBy    `json:"suppressed_by"`
		Alert json.RawMessage `json:"alert"`
	}
	if err := json.Unmarshal(value, &raw); err != nil {
		return nil, fmt.Errorf("reading a suppressed alert: %w: %w", err, wire.ErrCorrupt)
	}
	a, err := alerting.ParseAlert(raw.Alert)
	if err != nil {
		return nil, fmt.Errorf("reading a suppressed alert: %w", err)
	}
	return &Suppressed{raw.By, *a}, nil
}

// SuppressedKind is what can hold an alert back.
type SuppressedKind string

// The kinds.
const (
	ByConfig   SuppressedKind = "config"   // declared as expected in the configuration
	ByVerdict  SuppressedKind = "verdict"  // somebody said that it is expected
	ByCampaign SuppressedKind = "campaign" // the message of a campaign, or of another episode, stands for it
)
