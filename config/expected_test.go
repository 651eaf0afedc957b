package config

import (
	"strings"
	"testing"
	"time"
)

// What is declared as expected ends within 90 days of the start of weir run, or of its own
// beginning.
func TestCheckExpiry(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for text, wants := range map[string]string{
		"expires: 2026-12-31":                    "",
		"expires: 2027-02-28":                    "",
		"expires: 2027-03-02":                    "weir.yaml:2: expected[0].expires: 2027-03-02 is more than 90 days ahead: nothing is expected for ever. Want at most 2027-02-28, and look at it again then",
		"from: 2027-03-01, expires: 2027-05-30":  "",
		"from: 2027-03-01, expires: 2099-01-01":  "Want at most 2027-05-30",
		"expires: 2026-01-01":                    "",
		"from: 2020-01-01, expires: 2099-01-01T": "is no time",
	} {
		c, err := Parse("weir.yaml", []byte("expected:\n  - {name: x, dimension: user, identity: svc-export, owner: o, reason: r, "+text+"}"), nil)
		if err == nil {
			err = c.CheckExpiry(now)
		}
		if (err == nil) != (wants == "") || err != nil && !strings.Contains(err.Error(), wants) {
			t.Errorf("%s: %v, want %q", text, err, wants)
		}
	}
}
