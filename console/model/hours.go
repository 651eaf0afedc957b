package model

import (
	"cmp"
	"maps"
	"slices"

	"github.com/weirhq/weir/alerting"
)

// What is kept of evidence: the bins of a week in which it stood out, of so many
// identities. That is 7 kB of each at the most. Beyond them those go whose latest bin is
// the oldest.
const (
	MaxWatched = 10_000
	MaxBins    = 7 * 24
)

// Bin is what an identity did in a bin in which its evidence stood out, and what is usual
// of it in a bin with work. Counts are customers.
type Bin struct {
	Start      alerting.Time `json:"start"`
	Distinct   float64       `json:"distinct"`
	Usual      float64       `json:"usual_distinct"`
	FirstTouch float64       `json:"first_touch"`
	UsualNew   float64       `json:"usual_first_touch"`
}

// watched is what is kept of one identity, in the order of time.
type watched struct {
	bins []Bin
	own  bool // no Snapshot holds it
}

// Counted takes in what evidence says of a bin. A bin is told of tick by tick, while its
// counts grow: the largest is what it comes to, in whatever order they come.
func (f *Fold) Counted(dimension, name string, b Bin) {
	id := identity{dimension, name}
	w := f.watched[id]
	switch {
	case w == nil:
		w = &watched{own: true}
		f.watched[id] = w
	case !w.own:
		w = &watched{bins: slices.Clone(w.bins), own: true}
		f.watched[id] = w
	}
	i, found := slices.BinarySearchFunc(w.bins, b.Start, func(x Bin, t alerting.Time) int { return cmp.Compare(x.Start, t) })
	switch {
	case !found:
		w.bins = slices.Insert(w.bins, i, b)
		w.bins = w.bins[max(0, len(w.bins)-MaxBins):]
	case grew(&b, &w.bins[i]):
		w.bins[i] = b
	}
	if len(f.watched) > f.watchLimit+f.watchLimit/10 {
		f.pruneWatched()
	}
}

// grew reports whether a bin is told of with larger counts.
func grew(b, than *Bin) bool {
	return cmp.Or(cmp.Compare(b.Distinct, than.Distinct), cmp.Compare(b.FirstTouch, than.FirstTouch), cmp.Compare(b.Usual, than.Usual), cmp.Compare(b.UsualNew, than.UsualNew)) > 0
}

// pruneWatched leaves out what is beyond the limit.
func (f *Fold) pruneWatched() {
	if len(f.watched) <= f.watchLimit {
		return
	}
	latest := func(id identity) alerting.Time { return f.watched[id].bins[len(f.watched[id].bins)-1].Start }
	ids := slices.SortedFunc(maps.Keys(f.watched), func(a, b identity) int {
		return cmp.Or(cmp.Compare(latest(a), latest(b)), cmp.Compare(a.dimension, b.dimension), cmp.Compare(a.name, b.name))
	})
	for _, id := range ids[:len(ids)-f.watchLimit] {
		delete(f.watched, id)
	}
}

// weeks returns what is kept, for a Snapshot.
func (f *Fold) weeks() map[identity][]Bin {
	f.pruneWatched()
	out := make(map[identity][]Bin, len(f.watched))
	for id, w := range f.watched {
		w.own = false
		out[id] = w.bins
	}
	return out
}

// Week returns the bins in which the evidence of an identity stood out, as far as they are
// kept, in the order of time.
func (s *Snapshot) Week(dimension, name string) []Bin { return s.weeks[identity{dimension, name}] }
