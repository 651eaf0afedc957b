package episode

import (
	"encoding/json"
	"testing"

	"github.com/weirhq/weir/detectors/fact"
)

func TestSeverityOf(t *testing.T) {
	for _, c := range []struct {
		exposed int64
		log     float64
		want    Severity
	}{
		{0, 50, Low}, {99, 50, Low}, {100, 50, Medium}, {999, 50, Medium}, {1000, 50, High},
		{9999, 50, High}, {10000, 50, Critical}, {1 << 40, 50, Critical},
		{50, 10, Low}, {100, 10, Low}, {10000, 10, High}, {10000, 12.3, Critical},
	} {
		if got := SeverityOf(c.exposed, c.log, 10); got != c.want {
			t.Errorf("%d exposed with evidence of %g over 10 nats is %v, want %v", c.exposed, c.log, got, c.want)
		}
	}
}

func TestSeverityOfFact(t *testing.T) {
	for _, c := range []struct {
		name    fact.Name
		exposed int64
		want    Severity
	}{
		{fact.RevokedKey, 0, High}, {fact.RevokedKey, 9_999, High}, {fact.RevokedKey, 10_000, Critical},
		{fact.OverageKey, 0, Low}, {fact.OverageKey, 100, Medium}, {fact.OverageKey, 1_000, High}, {fact.DormantWoke, 99, Medium},
		{"a fact of tomorrow", 0, Medium},
	} {
		if got := SeverityOfFact(c.name, c.exposed); got != c.want {
			t.Errorf("%s with %d exposed is %s, want %s", c.name, c.exposed, got, c.want)
		}
	}
}

// Severities are read as they are written, and no other word is one.
func TestSeverityText(t *testing.T) {
	for s, want := range map[Severity]string{0: `""`, Low: `"low"`, Medium: `"medium"`, High: `"high"`, Critical: `"critical"`} {
		b, err := json.Marshal(s)
		if err != nil || string(b) != want {
			t.Errorf("%d is written as %s, %v, want %s", s, b, err, want)
		}
		back := Severity(9)
		if err := json.Unmarshal(b, &back); err != nil || back != s {
			t.Errorf("%s is read as %d, %v", b, back, err)
		}
		if s.Valid() != (s != 0) {
			t.Errorf("%d is valid: %v", s, s.Valid())
		}
	}
	for _, word := range []string{"", "LOW", "severe", "severity(5)"} {
		if s, err := ParseSeverity(word); err == nil {
			t.Errorf("%q is read as %v", word, s)
		}
	}
	if (Critical + 1).Valid() {
		t.Error("what is graver than critical is valid")
	}
}
