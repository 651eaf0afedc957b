package stream

import "github.com/weirhq/weir/alerting"

// Findings is what correlate made of the ticks it worked through: all of it is
// written in one transaction.
type Findings struct {
	Alerts     []alerting.Alert // for people, in order: weir.alerts
	Suppressed []Suppressed     // held back, in order: weir.suppressed
	Effects    []Effect         // verdicts that took effect, in order
	Parameters *Parameters      // for detect, or nil: weir.parameters
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
	Name    string         `json:"name"` // of the rule; the verdict's id; the campaign's dedup key
	Owner   string         `json:"owner,omitempty"`
	Reason  string         `json:"reason,omitempty"`
	Expires alerting.Time  `json:"expires,omitzero"`
}

// SuppressedKind is what can hold an alert back.
type SuppressedKind string

// The kinds.
const (
	ByConfig   SuppressedKind = "config"   // declared as expected in the configuration
	ByVerdict  SuppressedKind = "verdict"  // somebody said that it is expected
	ByCampaign SuppressedKind = "campaign" // the campaign's own message stands for it
)
