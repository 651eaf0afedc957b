package model

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/stream/correlate"
)

// Bounds of what is kept of one episode.
const (
	MaxMessages = 64 // the first and the latest
	MaxVerdicts = 32 // the latest
	maxSummary  = 2000
)

// Message is one alert of an episode, in short.
type Message struct {
	Time       alerting.Time      `json:"time"`
	Status     alerting.Status    `json:"status"`
	Severity   episode.Severity   `json:"severity"`
	Confidence episode.Confidence `json:"confidence,omitempty"`
	Summary    string             `json:"summary"`
	Measure    string             `json:"measure,omitempty"`
	Observed   float64            `json:"observed,omitempty"` // from From to Until, in the unit of the measure; absent: there is no count
	Expected   float64            `json:"expected,omitempty"` // what is usual, see alerting.MeasureEvidence; absent: nothing, or there is no count
	Exposed    alerting.Exposed   `json:"exposed"`
	From       alerting.Time      `json:"from,omitempty"` // start of the interval that was counted; 0: there is no count
	Until      alerting.Time      `json:"until"`
	Evidence   float64            `json:"log_evidence"`  // in nats
	Threshold  float64            `json:"log_threshold"` // in nats
	Measures   []MeasureWeight    `json:"measures,omitempty"`
	// HeldBy says what held the message back; nil: it was sent.
	HeldBy *correlate.SuppressedBy `json:"held_by,omitempty"`
}

// MeasureWeight is the evidence of one measure, in nats.
type MeasureWeight struct {
	Measure  string  `json:"measure"`
	Evidence float64 `json:"log_evidence"`
}

// messageOf returns the short form of an alert.
func messageOf(a *alerting.Alert, by *correlate.SuppressedBy) Message {
	m := Message{
		Time: a.Time, Status: a.Status, Severity: a.Severity, Confidence: a.Confidence,
		Summary: alerting.Printable(a.Summary, maxSummary), Measure: a.Measure,
		Exposed: a.Exposed, Until: cmp.Or(a.Evidence.Until, a.Time), Evidence: a.Evidence.LogValue, Threshold: a.Evidence.Threshold, HeldBy: by,
	}
	for i := range a.Evidence.Measures {
		e := &a.Evidence.Measures[i]
		m.Measures = append(m.Measures, MeasureWeight{e.Measure, e.LogValue})
		if e.Measure == a.Measure {
			m.From, m.Observed, m.Expected = cmp.Or(e.From, a.Evidence.Bin), e.Observed, e.Expected
		}
	}
	return m
}

// Episode is what is known of one episode or campaign. One that a Snapshot holds
// is never changed.
type Episode struct {
	Alert    *alerting.Alert     `json:"alert"`    // the latest
	Messages []Message           `json:"messages"` // oldest first; at most MaxMessages
	LeftOut  int                 `json:"messages_left_out,omitempty"`
	Verdicts []correlate.Verdict `json:"verdicts,omitempty"` // in the order in which they were given; at most MaxVerdicts
}

// Key returns the dedup key.
func (e *Episode) Key() string { return e.Alert.DedupKey }

// IsOpen reports whether the episode goes on.
func (e *Episode) IsOpen() bool { return e.Alert.Status != alerting.Close }

// IsCampaign reports whether it is a campaign.
func (e *Episode) IsCampaign() bool { return e.Alert.Kind == alerting.KindCampaign }

// Latest returns the latest message.
func (e *Episode) Latest() *Message { return &e.Messages[len(e.Messages)-1] }

// HeldBy says what holds the episode back now; nil: nothing does.
func (e *Episode) HeldBy() *correlate.SuppressedBy { return e.Latest().HeldBy }

// Opened returns the time of the first message, sent or not.
func (e *Episode) Opened() alerting.Time { return e.Messages[0].Time }

// FirstSent returns when people were first sent a message; 0: never.
func (e *Episode) FirstSent() alerting.Time {
	for i := range e.Messages {
		if e.Messages[i].HeldBy == nil {
			return e.Messages[i].Time
		}
	}
	return 0
}

// WasSent reports whether people were sent a message, as far as is known: one that
// is left out may have been.
func (e *Episode) WasSent() bool { return e.FirstSent() != 0 || e.LeftOut > 0 }

// Verdict returns what people said last; nil if nobody said anything, or if it
// was taken back, or if it has expired at now.
func (e *Episode) Verdict(now alerting.Time) *correlate.Verdict {
	for i := len(e.Verdicts) - 1; i >= 0; i-- {
		v := &e.Verdicts[i]
		if !v.Kind.Judges() {
			continue
		}
		if v.Kind == correlate.Reopened || v.Kind == correlate.Expected && v.Expires < now {
			return nil
		}
		return v
	}
	return nil
}

// Holder returns who looks after the episode, see correlate.Verdict.Holder. Empty:
// nobody.
func (e *Episode) Holder() (name string) {
	for i := range e.Verdicts {
		name = e.Verdicts[i].Holder(name)
	}
	return name
}

// take adds a message and reports whether it is a further one. A message of the
// same time as another takes its place, unless that was sent and this was not: a
// log that is read anew after a reset says the same things again. Which messages
// are kept does not depend on their order.
func (e *Episode) take(m *Message, a *alerting.Alert) (added bool) {
	i, repeated := slices.BinarySearchFunc(e.Messages, m.Time, func(m Message, t alerting.Time) int { return cmp.Compare(m.Time, t) })
	switch {
	case repeated && e.Messages[i].HeldBy == nil && m.HeldBy != nil:
		return false
	case repeated:
		e.Messages[i] = *m
	default:
		e.Messages = slices.Insert(e.Messages, i, *m)
		added = true
	}
	if i == len(e.Messages)-1 {
		e.Alert = a
	}
	if len(e.Messages) > MaxMessages {
		e.Messages = slices.Delete(e.Messages, 1, 2)
		e.LeftOut++
	}
	return added
}

// answer adds a verdict, unless it is there already.
func (e *Episode) answer(v *correlate.Verdict) {
	if slices.ContainsFunc(e.Verdicts, func(known correlate.Verdict) bool { return known.ID == v.ID }) {
		return
	}
	e.Verdicts = append(e.Verdicts, *v)
	if len(e.Verdicts) > MaxVerdicts {
		e.Verdicts = slices.Delete(e.Verdicts, 0, 1)
	}
}

// clone returns a copy that may be changed.
func (e *Episode) clone() *Episode {
	out := *e
	out.Messages, out.Verdicts = slices.Clone(e.Messages), slices.Clone(e.Verdicts)
	return &out
}
