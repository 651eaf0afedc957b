package local_test

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/event"
)

// underKeys returns the alerts of a log under each of four record keys.
func underKeys(t *testing.T, events []event.Event) (out [4][]string) {
	t.Helper()
	l := newLab(t)
	for k := range out {
		l.hasher = event.NewHasher([event.KeySize]byte{byte(k), 7})
		secret := l.hasher.Derive("dedup keys")
		l.secret = secret[:]
		out[k] = alertingtest.Numbered(l.calm(t, events))
	}
	return out
}

// tokenCount is how many tokens nobody issued: of a thief who has one for each read they
// are more than windows count exactly.
var tokenCount = regexp.MustCompile(`("?(?:tokens|window)"?: ?"?|\()(?:about )?[\d,]+( such tokens)?`)

// fewRecords returns a log in which there are so few different records that windows
// count them exactly.
func fewRecords(events []event.Event) (out []event.Event) {
	out = slices.Clone(events)
	for i := range out {
		ev := &out[i]
		ev.Records = slices.Clone(ev.Records)
		for j, id := range ev.Records {
			h := fnv.New32a()
			_, _ = h.Write([]byte(id)) // never fails
			ev.Records[j] = fmt.Sprint(h.Sum32() % 900)
		}
	}
	return out
}

func withoutTokens(lines []string) (out []string) {
	for _, line := range lines {
		out = append(out, tokenCount.ReplaceAllString(line, "${1}N"))
	}
	return out
}

// The record key decides nothing: where counts are exact the alerts are the same under
// every key, byte for byte.
func TestRecordKeyDecidesNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for name, events := range map[string][]event.Event{"theft": fewRecords(l.theft(t).events), "facts": fewRecords(l.knownFacts(t).events)} {
		got := underKeys(t, events)
		if len(got[0]) < 3 {
			t.Errorf("%s: %d alerts, too few to tell anything", name, len(got[0]))
		}
		for k := 1; k < len(got); k++ {
			compare(t, fmt.Sprintf("%s, key %d", name, k), withoutTokens(got[k]), withoutTokens(got[0]))
		}
	}
}

// Where windows estimate, the key shows in the error of the estimates alone: each fact is
// alerted of at the same tick, and its numbers are nearly the same.
func TestRecordKeyShowsInErrorOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	got := underKeys(t, l.knownFacts(t).events)
	want := factsOf(t, got[0])
	if len(want) < 3 {
		t.Fatalf("%d facts, too few to tell anything", len(want))
	}
	for k := 1; k < len(got); k++ {
		have := factsOf(t, got[k])
		if a, b := slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want)); !slices.Equal(a, b) {
			t.Errorf("key %d: the facts are\n%s\nwant\n%s", k, strings.Join(a, "\n"), strings.Join(b, "\n"))
			continue
		}
		for what, n := range want {
			if math.Abs(have[what]-n) > 0.1*n { // windows of 1,024 registers: 2 %
				t.Errorf("key %d: %s covers %v, want about %v", k, what, have[what], n)
			}
		}
	}
}

// factsOf returns how many records each fact had exposed when it was alerted of first, by
// what is known of whom and when.
func factsOf(t *testing.T, lines []string) map[string]float64 {
	t.Helper()
	out, seen := map[string]float64{}, map[string]bool{}
	for _, line := range lines {
		a, err := alerting.ParseAlert([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if who := fmt.Sprint(a.Fact, " ", a.Dimension, " ", a.Identity); a.Fact != "" && !seen[who] {
			seen[who] = true
			out[fmt.Sprint(who, " at ", a.Time.Std())] = float64(a.Exposed.Records)
		}
	}
	return out
}
