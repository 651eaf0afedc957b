package correlate

import (
	"encoding/json"
	"fmt"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// Findings is what correlate made of the ticks it worked through: all of it is
// written in one transaction.
type Findings struct {
	Alerts     []alerting.Alert        // for people, in order: weir.alerts
	Suppressed []Suppressed            // held back, in order: weir.suppressed
	Effects    []Effect                // verdicts that took effect, in order
	Parameters *stream.ParameterRecord // for detect, or nil: weir.parameters
}

// Empty reports whether there is nothing to write.
func (f *Findings) Empty() bool {
	return len(f.Alerts) == 0 && len(f.Suppressed) == 0 && len(f.Effects) == 0 && f.Parameters == nil
}

// Effect is a verdict at the tick at which it took effect.
type Effect struct {
	Verdict Verdict       `json:"verdict"`
	Time    alerting.Time `json:"time"` // event time, the end of the tick
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
