package model

import (
	"cmp"
	"maps"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/stream/correlate"
)

// MaxEpisodes is how many episodes are kept; beyond it those that closed first
// go, then those whose latest message is the oldest.
const MaxEpisodes = 20_000

// waitingVerdicts is how many keys may have verdicts and no message yet.
const waitingVerdicts = 1000

// Fold gathers what weir's topics hold. It belongs to one goroutine; what it
// publishes belongs to nobody.
type Fold struct {
	episodes map[string]*Episode
	own      map[string]bool                // episodes changed since the last Snapshot, which holds no reference to them
	waiting  map[string][]correlate.Verdict // on the first message of their episode
	holders  holders
	watched  map[identity]*watched
	levels   map[Group]Level
	judged   alerting.Time
	erased   map[string]bool // pseudonyms

	// Eraser puts pseudonyms in the place of names that were erased.
	Eraser Veil

	limit, watchLimit int           // of episodes, and of watched
	gone              int64         // episodes that were left out
	floor             alerting.Time // what is as old and unknown was left out before
}

// NewFold returns a fold that has seen nothing.
func NewFold() *Fold {
	return &Fold{
		episodes: map[string]*Episode{}, own: map[string]bool{}, waiting: map[string][]correlate.Verdict{},
		holders: holders{}, erased: map[string]bool{}, watched: map[identity]*watched{}, limit: MaxEpisodes, watchLimit: MaxWatched,
	}
}

// Alert takes in an alert that was sent.
func (f *Fold) Alert(a *alerting.Alert) { f.take(a, nil) }

// Suppressed takes in an alert that was held back.
func (f *Fold) Suppressed(s *correlate.Suppressed) {
	by := s.By
	if f.take(&s.Alert, &by) {
		f.holders.count(&by, &s.Alert)
	}
}

// Verdict takes in what somebody said.
func (f *Fold) Verdict(v *correlate.Verdict) {
	if v.Kind == correlate.Erased {
		f.erased[v.DedupKey] = true
		f.Eraser.known = nil
		return
	}
	if v.Kind == correlate.Cut { // it is of no episode
		return
	}
	if f.episodes[v.DedupKey] != nil {
		f.owned(v.DedupKey).answer(v)
		return
	}
	if list := f.waiting[v.DedupKey]; len(list) < MaxVerdicts && (list != nil || len(f.waiting) < waitingVerdicts) {
		f.waiting[v.DedupKey] = append(list, *v)
	}
}

// Judged takes in the event time up to which everything has been judged.
func (f *Fold) Judged(t alerting.Time) { f.judged = max(f.judged, t) }

// take adds a message to its episode and reports whether it is a further one.
func (f *Fold) take(a *alerting.Alert, by *correlate.SuppressedBy) bool {
	if f.episodes[a.DedupKey] == nil {
		if a.Time <= f.floor {
			return false
		}
		e := &Episode{}
		f.episodes[a.DedupKey], f.own[a.DedupKey] = e, true
		for i := range f.waiting[a.DedupKey] {
			e.answer(&f.waiting[a.DedupKey][i])
		}
		delete(f.waiting, a.DedupKey)
	}
	defer f.bound()
	m := messageOf(a, by)
	return f.owned(a.DedupKey).take(&m, a)
}

// owned returns an episode that may be changed.
func (f *Fold) owned(key string) *Episode {
	if !f.own[key] {
		f.episodes[key], f.own[key] = f.episodes[key].clone(), true
	}
	return f.episodes[key]
}

// Snapshot returns the picture as it is now.
func (f *Fold) Snapshot() *Snapshot {
	f.prune()
	s := &Snapshot{
		Judged: f.judged, Gone: f.gone,
		byKey: make(map[string]*Episode, len(f.episodes)), byIdentity: map[identity][]*Episode{}, byCampaign: map[string][]*Episode{},
	}
	clear(f.own)
	for _, e := range slices.SortedFunc(maps.Values(f.episodes), byUrgency) {
		s.Latest = max(s.Latest, e.Latest().Time)
		s.add(e)
	}
	s.holders, s.weeks, s.levels = f.holders.list(), f.weeks(), f.levels
	if len(f.erased) == 0 {
		return s
	}
	f.Eraser.Only = f.erased
	return f.Eraser.Snapshot(s)
}

// bound keeps a log that is read anew from taking more than a little above the
// limit until the next Snapshot.
func (f *Fold) bound() {
	if len(f.episodes) > f.limit+f.limit/10 {
		f.prune()
	}
}

// prune leaves out what is beyond the limits.
func (f *Fold) prune() {
	f.holders.prune()
	if len(f.episodes) <= f.limit {
		return
	}
	list := slices.SortedFunc(maps.Values(f.episodes), func(a, b *Episode) int {
		return cmp.Or(compareBool(!a.IsOpen(), !b.IsOpen()), cmp.Compare(a.Latest().Time, b.Latest().Time), cmp.Compare(a.Key(), b.Key()))
	})
	for _, e := range list[:len(list)-f.limit] {
		delete(f.episodes, e.Key())
		delete(f.own, e.Key())
		f.gone++
		if !e.IsOpen() {
			f.floor = max(f.floor, e.Latest().Time)
		}
	}
}

// compareBool puts true before false.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
