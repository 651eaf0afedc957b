// Package explain takes an alert apart, or what the operators make of an identity
// in any bin, and computes each of its numbers again: from the parts that the
// alert tells, and from the events of the log, without any sketch.
package explain

import (
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/stream/correlate"
)

// Explanation is what there is to say of an alert or a bin; weir explain -o json
// writes it as one JSON object.
type Explanation struct {
	DedupKey  string            `json:"dedup_key,omitempty"` // empty: of a bin, not of an alert
	Dimension string            `json:"dimension"`
	Identity  string            `json:"identity"`
	Status    alerting.Status   `json:"status,omitempty"`
	Time      alerting.Time     `json:"time"`
	Summary   string            `json:"summary"`
	Fact      fact.Name         `json:"fact,omitempty"`
	Detail    map[string]string `json:"detail,omitempty"`
	Bin       alerting.Time     `json:"bin"`
	BinWidth  string            `json:"bin_width"`
	Numbers   []Number          `json:"numbers"`
	Notes     []string          `json:"notes,omitempty"`
	Agrees    bool              `json:"agrees"` // no number differs by more than can be explained
}

// OfAlert computes the numbers of an alert again from what the alert itself
// holds.
func OfAlert(a *alerting.Alert) *Explanation {
	x := &Explanation{
		DedupKey: a.DedupKey, Dimension: a.Dimension, Identity: a.Identity, Status: a.Status, Time: a.Time, Summary: a.Summary,
		Fact: a.Fact, Detail: a.Detail, Bin: a.Evidence.Bin, BinWidth: a.Evidence.BinWidth, Agrees: true,
	}
	x.add(Recompute(a), Remarks(a))
	return x
}

// HeldBack says that nobody was sent the alert, and what held it back; nothing where
// by is nil.
func (x *Explanation) HeldBack(by *correlate.SuppressedBy) {
	if by != nil {
		x.Notes = append(x.Notes, "Nobody was sent this alert: "+heldBy(by)+".")
	}
}

// add appends numbers and notes.
func (x *Explanation) add(numbers []Number, notes []string) {
	for i := range numbers {
		numbers[i].tolerated()
		x.Agrees = x.Agrees && !numbers[i].Differs()
	}
	x.Numbers, x.Notes = append(x.Numbers, numbers...), append(x.Notes, notes...)
}

// ByKey tells the alerts of the episode of a key. The alert of a close repeats
// the numbers of the case, so that any alert of an episode will do, the last one
// best.
func ByKey(key string) func(*alerting.Alert) bool {
	return func(a *alerting.Alert) bool { return a.DedupKey == key }
}

// ByIdentity tells the alerts of an identity. Unless the time is zero, it must lie
// in the bin that made the case, or between the episode's onset and the alert.
func ByIdentity(dimension, identity string, at time.Time) func(*alerting.Alert) bool {
	ms := alerting.Time(at.UnixMilli())
	return func(a *alerting.Alert) bool {
		if a.Dimension != dimension || a.Identity != identity {
			return false
		}
		width, _ := time.ParseDuration(a.Evidence.BinWidth)
		inBin := ms >= a.Evidence.Bin && ms < a.Evidence.Bin+alerting.Time(width.Milliseconds())
		return at.IsZero() || inBin || ms >= a.Onset && ms <= a.Time
	}
}
