package episode

import (
	"fmt"

	"github.com/weirhq/weir/detectors/fact"
)

// Severity says how grave an episode is. Severities compare with < and max. The
// zero value means that none is known; it is milder than Low.
type Severity uint8

// The severities, mildest first.
const (
	Low Severity = iota + 1
	Medium
	High
	Critical
)

// byExcess is the ladder of what is at stake: the severity of an episode whose
// identity has taken at least so many records, or rows, beyond what is usual since the
// onset. How much it touches in all says how busy it is, not how grave it is.
var byExcess = [...]struct {
	records  int64
	severity Severity
}{
	{10_000, Critical},
	{1_000, High},
	{100, Medium},
}

// ofFact is what each fact means alone, however few records were touched. A fact
// that is not listed means Medium.
var ofFact = map[fact.Name]Severity{
	// Nothing harmless does this where the registers are right.
	fact.UnissuedToken:   High,
	fact.UnknownKey:      High,
	fact.RevokedKey:      High,
	fact.ActedAfterLeave: High,
	fact.Disowned:        High,
	// Somebody tries to make a warning disappear.
	fact.RefusedVerdict: High,
	// A duty was neglected; by itself that is nobody's theft.
	fact.OverageKey: Low,
}

// fullSeverity is how far the log evidence must lie above its threshold, in
// nats, for an episode to keep the severity of its excess: about ten times
// the evidence that the alert budget asks for. (It is not the tenTimes of
// confidence: that one is nearer to ln 10, and either would change alerts near
// it.)
const fullSeverity = 2.3

// SeverityOf returns the severity of an episode that rests on evidence: what the
// number of records beyond the usual means, one step milder, but no milder than Low,
// while the log evidence is less than fullSeverity above its threshold.
func SeverityOf(excess int64, logEvidence, threshold float64) Severity {
	s := severityOfExcess(excess)
	if s > Low && logEvidence < threshold+fullSeverity {
		s--
	}
	return s
}

// SeverityOfFact returns the severity of a fact: what it means alone, or what
// the number of records that it covers means, whichever is graver.
func SeverityOfFact(name fact.Name, through int64) Severity {
	alone, listed := ofFact[name]
	if !listed {
		alone = Medium
	}
	return max(alone, severityOfExcess(through))
}

func severityOfExcess(excess int64) Severity {
	for _, step := range byExcess {
		if excess >= step.records {
			return step.severity
		}
	}
	return Low
}

var severityNames = [...]string{"", "low", "medium", "high", "critical"}

// Valid reports whether s is one of the four.
func (s Severity) Valid() bool { return s >= Low && s <= Critical }

// String returns the name that alerts carry; "" of the zero value.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return fmt.Sprintf("severity(%d)", uint8(s))
}

// ParseSeverity reads a severity by its name.
func ParseSeverity(name string) (Severity, error) {
	for s := Low; s <= Critical; s++ {
		if name == severityNames[s] {
			return s, nil
		}
	}
	return 0, fmt.Errorf("severity is %q, want low, medium, high or critical", name)
}

// MarshalText writes the name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name; "" is the zero value.
func (s *Severity) UnmarshalText(name []byte) (err error) {
	if len(name) == 0 {
		*s = 0
		return nil
	}
	*s, err = ParseSeverity(string(name))
	return err
}
