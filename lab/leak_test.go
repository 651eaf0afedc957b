package lab

import (
	"strings"
	"testing"
	"time"
)

// How people write a leak, and what they are told when they write it wrong.
func TestParseLeak(t *testing.T) {
	for _, c := range []struct {
		text string
		want Leak
	}{
		{"KIND=drift,RATE=2x", Leak{Kind: Drift, Rate: Rate{Times: 2}, Dimension: "user"}},
		{"rate=500/day", Leak{Kind: Drift, Rate: Rate{PerDay: 500}, Dimension: "user"}},
		{"RATE=20/h,IDENTITY=ana", Leak{Kind: Drift, Rate: Rate{PerDay: 480}, Dimension: "user", Identity: "ana"}},
		{"IDENTITY=client:crm web: old", Leak{Kind: Drift, Rate: Rate{Times: 3}, Dimension: "client", Identity: "crm web: old"}},
		{"IDENTITY=2001:db8::/64", Leak{Kind: Drift, Rate: Rate{Times: 3}, Dimension: "user", Identity: "2001:db8::/64"}},
		{"ROLE=agent,WORK=GET /c/{id}", Leak{Kind: Drift, Rate: Rate{Times: 3}, Dimension: "user", Role: "agent", Work: "GET /c/{id}"}},
		{"KIND=slow", Leak{Kind: Slow, Rate: Rate{Growth: 0.02}, Dimension: "user"}},
		{"KIND=forged,START=2026-03-01", Leak{Kind: Forged, Rate: Rate{PerDay: 1000}, Dimension: "key", Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}},
		{"KIND=mules,ACCOUNTS=4,SEED=9,COUNT=3,DAYS=2", Leak{Kind: Mules, Rate: Rate{Times: 1.5}, Dimension: "user", Accounts: 4, Seed: 9, Count: 3, Length: 48 * time.Hour}},
	} {
		got, err := ParseLeak(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if c.want.Accounts == 0 {
			c.want.Accounts, c.want.Seed, c.want.Count, c.want.Length = 10, 1, 1, 7*24*time.Hour
		}
		if got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.text, got, c.want)
		}
	}
	for _, c := range []struct{ text, says string }{
		{"", "no KEY=VALUE"},
		{"drift", "no KEY=VALUE"},
		{"KIND=", "no KEY=VALUE"},
		{"KIND=theft", "want drift, slow, newcomer, mules, forged, report"},
		{"SPEED=3x", "want KIND, RATE"},
		{"RATE=3", "want 3x (times its usual day), 500/day, 20/h"},
		{"RATE=1x", "leaves nothing to steal"},
		{"RATE=-2x", "is no rate"},
		{"RATE=NaNx", "is no rate"},
		{"RATE=2%", "makes no sense for this kind"},
		{"KIND=slow,RATE=2x", "want 2% (growth a day)"},
		{"KIND=report,RATE=3x", "want 500/day, 20/h"},
		{"START=soon", "no time"},
		{"DAYS=0", "from 1 to 365"},
		{"COUNT=2,IDENTITY=ana", "leave one of the two out"},
		{"KIND=mules,IDENTITY=ana", "leave IDENTITY out"},
		{"ROLE=agent,IDENTITY=ana", "leave them or IDENTITY out"},
	} {
		if _, err := ParseLeak(c.text); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, want an error with %q", c.text, err, c.says)
		}
	}
}

// A rate reads back as it is written.
func TestRateString(t *testing.T) {
	for _, c := range []struct{ rate, forms string }{{"2.5x", "x"}, {"500/day", "/"}, {"1.5%", "%"}} {
		r, err := parseRate(c.rate, c.forms)
		if err != nil || r.String() != c.rate {
			t.Errorf("%s reads back as %s (%v)", c.rate, r, err)
		}
	}
}
