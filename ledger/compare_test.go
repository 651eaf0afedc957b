package ledger

import (
	"fmt"
	"testing"
	"time"
)

// What a topic holds and what the ledger has chained of it are one list; each way in which
// they can differ is found.
func TestCopy(t *testing.T) {
	for name, c := range map[string]struct {
		before, chained, after string // a letter a record
		want                   FaultKind
	}{
		"equal":                        {"abc", "abc", "abc", ""},
		"empty":                        {"", "", "", ""},
		"weir went on":                 {"ab", "abc", "abcd", ""},
		"the topic was emptied":        {"", "abc", "", Missing},
		"its end was cut off":          {"ab", "abc", "ab", Missing},
		"one was deleted":              {"ac", "abc", "ac", Rewritten},
		"one was changed":              {"axc", "abc", "axc", Rewritten},
		"one was appended":             {"abcx", "abc", "abcx", Inserted},
		"the ledger lacks one":         {"abc", "ac", "abc", Rewritten},
		"it changed in between":        {"abc", "abc", "abx", Rewritten},
		"the ledger was made anew":     {"abc", "", "abc", Inserted},
		"another took its end's place": {"ab", "abc", "abx", Rewritten},
	} {
		k := Copy{Topic: "weir.alerts", Kind: Alert}
		for _, r := range c.before {
			k.Before([]byte(string(r)))
		}
		for _, r := range c.chained {
			k.Chained(&Record{Kind: Alert, Body: []byte(string(r))})
			k.Chained(&Record{Kind: Suppression, Body: []byte("other")})
		}
		for _, r := range c.after {
			k.After([]byte(string(r)))
		}
		got := FaultKind("")
		if f := k.Fault(); f != nil {
			got = f.Kind
		}
		if got != c.want {
			t.Errorf("%s: found %q, want %q", name, got, c.want)
		}
	}
}

// A verdict that took effect or was refused stands on its topic, as it was signed.
func TestJudged(t *testing.T) {
	link := func(kind Kind, id, signature string) *Record {
		b, _, err := Append(Head{}, kind, time.Unix(0, 0), fmt.Appendf(nil, `{"verdict":{"id":%q,"signature":%q}}`, id, signature))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	j := Judged{Topic: "weir.verdicts"}
	j.Chained(link(Verdict, "1", "ab"))
	j.Chained(link(Refusal, "2", ""))
	j.Chained(link(Refusal, "", "")) // could not be read
	j.Chained(link(Alert, "3", ""))
	j.Given([]byte(`{"id":"1","signature":"ab"}`))
	j.Given([]byte(`no verdict`))
	if f := j.Faults(); len(f) != 1 || f[0].Kind != Missing {
		t.Errorf("the refused one is gone: %+v", f)
	}
	j.Given([]byte(`{"id":"2"}`))
	if f := j.Faults(); f != nil {
		t.Errorf("found %+v", f)
	}
	j.Chained(link(Verdict, "1", "cd"))
	if j.Faults() == nil {
		t.Error("a verdict with another signature is taken for the one that was given")
	}
}
