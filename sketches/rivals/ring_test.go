package rivals

import (
	"cmp"
	"slices"
)

// kind says how to use one sort of sketch.
type kind[S any] struct {
	new      func() S
	insert   func(s S, hash uint64)
	union    func(parts []S) S // a new sketch
	estimate func(s S) float64
	form     func(s S) []byte
}

// ring counts distinct records over sliding windows the usual way: one sketch
// for each 5 minutes; when an hour is over, the union of its twelve; when a day
// is over, the union of its hours. A window is the union of the buckets that it
// touches. Records must come in order of time.
type ring[S any] struct {
	*kind[S]
	levels [3][]bucket[S] // oldest first
}

type bucket[S any] struct {
	start  uint32 // minute
	sketch S
}

var (
	widths = [3]uint32{5, 60, 1440} // minutes
	kept   = [3]uint32{65, 49 * 60, 32 * 1440}
)

func (r *ring[S]) insert(hash uint64, minute uint32) {
	start := minute - minute%widths[0]
	fives := r.levels[0]
	if len(fives) == 0 || fives[len(fives)-1].start != start {
		r.roll(r.newest(), start)
		r.levels[0] = append(r.levels[0], bucket[S]{start, r.new()})
		fives = r.levels[0]
	}
	r.kind.insert(fives[len(fives)-1].sketch, hash)
}

// roll closes the hour and the day of the minute last, if the minute now is in
// another, and drops what is too old.
func (r *ring[S]) roll(last, now uint32) {
	for level := 1; level < len(widths); level++ {
		start := last - last%widths[level]
		if now < start+widths[level] {
			break
		}
		if done := r.levels[level]; len(done) > 0 && done[len(done)-1].start == start {
			continue // closed by a question
		}
		if parts := r.since(level-1, start); len(parts) > 0 {
			r.levels[level] = append(r.levels[level], bucket[S]{start, r.union(parts)})
		}
	}
	for level, buckets := range r.levels {
		// What the open bucket of the next level is made of stays.
		oldest := now - min(now, kept[level])
		n := 0
		for n < len(buckets) && buckets[n].start+widths[level] <= oldest {
			n++
		}
		r.levels[level] = slices.Delete(buckets, 0, n)
	}
}

// newest returns when the newest bucket begins, 0 if there is none.
func (r *ring[S]) newest() uint32 {
	fives := r.levels[0]
	if len(fives) == 0 {
		return 0
	}
	return fives[len(fives)-1].start
}

func (r *ring[S]) since(level int, start uint32) []S {
	var parts []S
	for _, b := range r.levels[level] {
		if b.start >= start {
			parts = append(parts, b.sketch)
		}
	}
	return parts
}

// count returns how many distinct records came in the minutes after
// now-window up to now. With interpolate, the oldest bucket counts as far as
// the window reaches into it, which takes a second estimate.
func (r *ring[S]) count(now, window uint32, interpolate bool) float64 {
	r.roll(r.newest(), now)
	level := 0
	for level < 2 && window > widths[level+1] {
		level++
	}
	start := now + 1 - window
	parts := r.since(level, start-start%widths[level])
	inner := r.since(level, start-start%widths[level]+widths[level])
	for below := level - 1; below >= 0; below-- { // what is not closed yet
		open := now - now%widths[below+1]
		parts = append(parts, r.since(below, open)...)
		inner = append(inner, r.since(below, open)...)
	}
	if len(parts) == 0 {
		return 0
	}
	all := r.estimate(r.union(parts))
	if !interpolate || len(inner) == len(parts) {
		return all
	}
	rest := 0.0
	if len(inner) > 0 {
		rest = r.estimate(r.union(inner))
	}
	share := float64(widths[level]-start%widths[level]) / float64(widths[level])
	return rest + share*(all-rest)
}

func (r *ring[S]) counts(now uint32, windows []uint32, interpolate bool, out []float64) {
	for i, w := range windows {
		out[i] = r.count(now, w, interpolate)
	}
}

func (r *ring[S]) merge(other counter) {
	o := other.(*ring[S])
	now := max(r.newest(), o.newest()) // both must have closed the same buckets
	r.roll(r.newest(), now)
	o.roll(o.newest(), now)
	for level := range r.levels {
		for _, b := range o.levels[level] {
			i, ok := slices.BinarySearchFunc(r.levels[level], b.start, func(x bucket[S], start uint32) int { return cmp.Compare(x.start, start) })
			if ok {
				r.levels[level][i].sketch = r.union([]S{r.levels[level][i].sketch, b.sketch})
			} else {
				r.levels[level] = slices.Insert(r.levels[level], i, bucket[S]{b.start, r.union([]S{b.sketch})})
			}
		}
	}
}

func (r *ring[S]) form() int {
	n := 0
	for _, buckets := range r.levels {
		for _, b := range buckets {
			n += 4 + len(r.kind.form(b.sketch))
		}
	}
	return n
}
