package ledger

import (
	"strings"
	"testing"
)

// The settings that are chained are those that the state knows of, and those at hand.
func TestSettings(t *testing.T) {
	const (
		old   = `{"version":"1","record_key":"ab","config":{"Alerts":{"Budget":2},"KeyFile":"/etc/weir/key","Expected":[]}}`
		now   = `{"version":"2","record_key":"ab","config":{"Alerts":{"Budget":3},"KeyFile":"key","Expected":["kim"]}}`
		other = `{"version":"3","record_key":"cd","config":{"Alerts":{"Budget":3},"KeyFile":"/run/key"}}`
	)
	digest := func(text string) string {
		if text == "" {
			return ""
		}
		return SettingsDigest([]byte(text))
	}
	for name, c := range map[string]struct {
		chained []string
		known   int64
		state   string
		atHand  string
		want    []string
	}{
		"nothing yet":             {},
		"as they are":             {chained: []string{old, now}, known: 9, state: now, atHand: now},
		"another version of weir": {chained: []string{now}, known: 9, state: now, atHand: strings.Replace(now, `"2"`, `"9"`, 1)},
		"the record was deleted":  {known: 9, state: now, want: []string{"missing: of which the ledger holds none"}},
		"the last was deleted":    {chained: []string{old}, known: 9, state: now, want: []string{"rewritten: the settings of record 1 are not those"}},
		"one was chained since":   {chained: []string{old, now}, known: 1, state: old, atHand: now},
		"the state was reset":     {chained: []string{now}, atHand: old, want: []string{"differs: differ: alerts.budget: 3 → 2; expected: [\"kim\"] → []"}},
		"others are at hand":      {chained: []string{now}, known: 9, state: now, atHand: other, want: []string{"differs: differ: expected: removed [\"kim\"]; record_key: \"ab\" → \"cd\""}},
		"others, from elsewhere":  {chained: []string{old}, known: 9, state: old, atHand: now, want: []string{"differs: differ: alerts.budget: 2 → 3; expected: [] → [\"kim\"]"}},
	} {
		var s Settings
		var head Head
		for _, body := range c.chained {
			b, next, err := Append(head, Config, epoch, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			r, err := Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			s.Chained(r)
			s.Chained(&Record{Kind: Alert, Body: []byte(`{}`)})
			head = next
		}
		var atHand []byte
		if c.atHand != "" {
			atHand = []byte(c.atHand)
		}
		got := s.Faults(c.known, digest(c.state), atHand)
		if len(got) != len(c.want) {
			t.Errorf("%s: found %+v, want %v", name, got, c.want)
			continue
		}
		for i, want := range c.want {
			kind, says, _ := strings.Cut(want, ": ")
			if string(got[i].Kind) != kind || !strings.Contains(got[i].Text, says) {
				t.Errorf("%s: found %+v, want %s", name, got[i], want)
			}
		}
	}
}
