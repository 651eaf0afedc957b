package model

import (
	"cmp"
	"maps"
	"slices"

	"github.com/weirhq/weir/alerting"
)

// What is kept of evidence: the hours and days in which it stood out, of so many
// identities. That is 8.7 kB of each at the most. Beyond them those go whose latest hour is
// the oldest.
const (
	MaxWatched = 10_000
	MaxBins    = 7 * 24
	MaxDays    = 14
)

// Measured is what was counted of a measure in an hour or a day, what is usual of the
// identity in one with work, and one standard deviation of that.
type Measured struct {
	Counted float32 `json:"counted"`
	Usual   float32 `json:"usual"`
	Spread  float32 `json:"spread"`
}

// take takes in what is told later, or earlier, of the same time: the largest count is
// what it comes to.
func (m *Measured) take(o Measured) {
	if cmp.Or(cmp.Compare(o.Counted, m.Counted), cmp.Compare(o.Usual, m.Usual), cmp.Compare(o.Spread, m.Spread)) > 0 {
		*m = o
	}
}

// takeFresh takes in what is new of the records of the bin: as much as is known with the
// largest count, which may be nothing.
func (b *Bin) takeFresh(o *Bin) {
	switch larger := cmp.Compare(o.Distinct.Counted, b.Distinct.Counted); {
	case larger > 0, larger == 0 && o.FirstTouch.Usual == 0:
		b.FirstTouch = o.FirstTouch
	case larger == 0 && b.FirstTouch.Usual > 0:
		b.FirstTouch.take(o.FirstTouch)
	}
}

// Bin is what an identity did in an hour or on a day in which its evidence stood out; of a
// day its distinct customers are known.
type Bin struct {
	Start      alerting.Time `json:"start"`
	Distinct   Measured      `json:"distinct"`             // customers
	FirstTouch Measured      `json:"first_touch,omitzero"` // customers new to it; zero where only an estimate is known
	Rows       Measured      `json:"rows,omitzero"`
}

// Watched is what is kept of one identity, in the order of time. It must not be changed.
type Watched struct{ Hours, Days []Bin }

// watched is what a Fold keeps of one identity.
type watched struct {
	Watched
	own bool // no Snapshot holds it
}

// Counted takes in what evidence says of an hour and of the day that it is in, whose
// counts go up to its end. They are told of tick by tick, while they grow.
func (f *Fold) Counted(dimension, name string, hour, day *Bin) {
	id := identity{dimension, name}
	w := f.watched[id]
	switch {
	case w == nil:
		w = &watched{own: true}
		f.watched[id] = w
	case !w.own:
		w = &watched{Watched{slices.Clone(w.Hours), slices.Clone(w.Days)}, true}
		f.watched[id] = w
	}
	w.Hours = taken(w.Hours, hour, MaxBins)
	if day.Start != 0 { // else the day is not judged yet
		w.Days = taken(w.Days, day, MaxDays)
	}
	if len(f.watched) > f.watchLimit+f.watchLimit/10 {
		f.pruneWatched()
	}
}

// taken returns a list of at most so many bins that has one more, or what it says.
func taken(list []Bin, b *Bin, most int) []Bin {
	i, found := slices.BinarySearchFunc(list, b.Start, func(x Bin, t alerting.Time) int { return cmp.Compare(x.Start, t) })
	if !found {
		list = slices.Insert(list, i, *b)
		return list[max(0, len(list)-most):]
	}
	list[i].takeFresh(b)
	list[i].Distinct.take(b.Distinct)
	list[i].Rows.take(b.Rows)
	return list
}

// pruneWatched leaves out what is beyond the limit.
func (f *Fold) pruneWatched() {
	if len(f.watched) <= f.watchLimit {
		return
	}
	latest := func(id identity) alerting.Time { return f.watched[id].Hours[len(f.watched[id].Hours)-1].Start }
	ids := slices.SortedFunc(maps.Keys(f.watched), func(a, b identity) int {
		return cmp.Or(cmp.Compare(latest(a), latest(b)), cmp.Compare(a.dimension, b.dimension), cmp.Compare(a.name, b.name))
	})
	for _, id := range ids[:len(ids)-f.watchLimit] {
		delete(f.watched, id)
	}
}

// weeks returns what is kept, for a Snapshot.
func (f *Fold) weeks() map[identity]Watched {
	f.pruneWatched()
	out := make(map[identity]Watched, len(f.watched))
	for id, w := range f.watched {
		w.own = false
		out[id] = w.Watched
	}
	return out
}

// Week returns the hours and days in which the evidence of an identity stood out, as far
// as they are kept.
func (s *Snapshot) Week(dimension, name string) Watched { return s.weeks[identity{dimension, name}] }

// Group is a group of peers of a dimension, by the name of what they work with; empty: all
// of the dimension.
type Group struct{ Dimension, Name string }

// Level is what those of a group who have a history read on a mean day with work, in
// customers; negative: not known.
type Level struct {
	Distinct   float64 `json:"distinct"`
	FirstTouch float64 `json:"first_touch"`
}

// Peers takes in what groups of peers read now. The map must not be changed afterwards.
func (f *Fold) Peers(levels map[Group]Level) { f.levels = levels }

// Level returns what a group of peers reads, false if that is not known.
func (s *Snapshot) Level(g Group) (Level, bool) {
	l, known := s.levels[g]
	return l, known && l.Distinct >= 0
}
