package model

import (
	"cmp"
	"slices"
	"strings"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/stream/correlate"
)

// State says which episodes are wanted.
type State string

// The states.
const (
	Open   State = "open"   // sent to people, and going on
	Held   State = "held"   // going on, and held back
	Closed State = "closed" // over
	All    State = "all"
)

// Sort says in which order episodes are wanted.
type Sort string

// The orders.
const (
	BySeverity Sort = "severity" // the gravest first, then by weight
	ByNewest   Sort = "newest"   // the latest opening first
	ByExposed  Sort = "exposed"  // the most exposed records first
)

// Filter chooses episodes; empty fields choose all.
type Filter struct {
	State     State
	Severity  episode.Severity // the least
	Dimension string
	Measure   string // the strongest measure, or the fact
	Verdict   string // a kind of verdict, or "none"
	Holder    string // who holds it, or "nobody"
	Text      string // part of identity or dedup key, whatever its case
	Sort      Sort
}

// NoVerdict is the value of Filter.Verdict for what nobody has answered.
const NoVerdict = "none"

// Nobody is the value of Filter.Holder for what nobody holds.
const Nobody = "nobody"

// Select returns the episodes that a filter chooses.
func (s *Snapshot) Select(f Filter) []*Episode {
	var out []*Episode
	text := strings.ToLower(strings.TrimSpace(f.Text))
	for _, e := range s.list {
		if f.wants(s, e) && (text == "" || strings.Contains(strings.ToLower(e.Alert.Identity), text) || strings.Contains(e.Key(), text)) {
			out = append(out, e)
		}
	}
	switch f.Sort {
	case ByNewest:
		slices.SortStableFunc(out, func(a, b *Episode) int { return cmp.Compare(b.Opened(), a.Opened()) })
	case ByExposed:
		slices.SortStableFunc(out, func(a, b *Episode) int {
			return cmp.Compare(max(b.Alert.Exposed.Records, b.Alert.Exposed.Rows), max(a.Alert.Exposed.Records, a.Alert.Exposed.Rows))
		})
	default: // as the list is: first what is open, then what is over
		if n := slices.IndexFunc(out, func(e *Episode) bool { return !e.IsOpen() }); n > 0 {
			out = merge(out[:n], out[n:])
		}
	}
	return out
}

// merge returns two lists in the order of weight as one.
func merge(a, b []*Episode) []*Episode {
	out := make([]*Episode, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if byWeight(a[0], b[0]) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

func (f *Filter) wants(s *Snapshot, e *Episode) bool {
	a := e.Alert
	switch {
	case f.State != "" && f.State != All && e.State() != f.State,
		a.Severity < f.Severity,
		f.Dimension != "" && a.Dimension != f.Dimension,
		f.Measure != "" && a.RestsOn() != f.Measure,
		f.Holder != "" && cmp.Or(e.Holder(), Nobody) != f.Holder:
		return false
	}
	if f.Verdict == "" {
		return true
	}
	kind := correlate.VerdictKind(NoVerdict)
	if v := e.Verdict(s.Now()); v != nil {
		kind = v.Kind
	}
	return string(kind) == f.Verdict
}

// State returns the state of an episode.
func (e *Episode) State() State {
	switch {
	case !e.IsOpen():
		return Closed
	case e.HeldBy() != nil:
		return Held
	}
	return Open
}
