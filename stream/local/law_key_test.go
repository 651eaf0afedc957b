package local_test

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
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
		out[k] = renamed(l.calm(t, events))
	}
	return out
}

var dedupKey = regexp.MustCompile(`weir-[0-9a-f]{16}`)

// renamed returns alerts in which the keys of episodes, which follow from the record key,
// are numbers, in order.
func renamed(lines []string) (out []string) {
	names := map[string]string{}
	for _, line := range lines {
		out = append(out, dedupKey.ReplaceAllStringFunc(line, func(key string) string {
			if names[key] == "" {
				names[key] = fmt.Sprint("episode-", len(names)+1)
			}
			return names[key]
		}))
	}
	return out
}

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
			compare(t, fmt.Sprintf("%s, key %d", name, k), got[k], got[0])
		}
	}
}

// Where windows estimate, the alerts differ by the error of the estimate alone: the same
// episodes open, within an hour, and since one onset they tell nearly as many records.
func TestRecordKeyShowsInErrorOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	got := underKeys(t, l.knownFacts(t).events)
	want, compared := episodesOf(t, got[0]), 0
	for k := 1; k < len(got); k++ {
		have := episodesOf(t, got[k])
		if a, b := slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want)); !slices.Equal(a, b) {
			t.Errorf("key %d: the episodes are of %v, want %v", k, a, b)
			continue
		}
		for who, w := range want {
			h := have[who]
			if late := h.opened.Sub(w.opened).Abs(); late > time.Hour {
				t.Errorf("key %d: %s opens %v apart", k, who, late)
			}
			if h.since != w.since || h.last != w.last { // their numbers are of other spans
				continue
			}
			compared++
			if math.Abs(h.exposed-w.exposed) > 0.1*w.exposed { // windows of 1,024 registers: 2 %
				t.Errorf("key %d: %s has exposed %v, want about %v", k, who, h.exposed, w.exposed)
			}
		}
	}
	if compared < len(want) {
		t.Errorf("%d numbers were compared, too few to show anything", compared)
	}
}

// shownEpisode is what the first alert of an episode says of when, and the last of how
// many records since when.
type shownEpisode struct {
	opened, last, since time.Time
	exposed             float64
}

// episodesOf returns the episodes by dimension and identity.
func episodesOf(t *testing.T, lines []string) map[string]shownEpisode {
	t.Helper()
	out := map[string]shownEpisode{}
	for _, line := range lines {
		a, err := alerting.ParseAlert([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		who := a.Dimension + " " + a.Identity
		ep, known := out[who]
		if !known {
			ep.opened = a.Time.Std()
		}
		ep.last, ep.since, ep.exposed = a.Time.Std(), a.Exposed.Since.Std(), float64(a.Exposed.Records)
		out[who] = ep
	}
	return out
}
