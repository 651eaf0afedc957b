// Package fleet is what all identities teach about each: how unlike their days are,
// how surprising the biggest bins of such a fleet usually turn out, what newcomers
// do, what all do today, and which evidence the alert budget can pay for.
//
// A detect task adds the score.Sample of each closed bin into Sums, which hold whole
// numbers only: adding and merging them in any order gives the same. When all Sums of
// a bin are there, Config.CloseBin folds them into the Fleet and makes the
// score.Parameters of the next bin. It is to be called for every bin in which anybody
// worked, in order; a bin without Sums may be left out. Its cost, some ten thousand
// additions for each dimension and class of peers, does not depend on how many
// identities there are.
//
// Peers are identities that work with the same thing; see score.State.Vote. The
// largest classes of each dimension have dispersion, tail, newcomers and modes of
// their own; thresholds are the dimension's.
package fleet

import (
	"maps"
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/score"
)

// Fleet is what is known of all identities: the sums of past bins, fading.
type Fleet struct {
	bin   int64   // the last that was closed, -1: none
	known float64 // records that somebody has touched, at the least
	dims  []dim
}

type dim struct {
	age     float64 // days of event time since somebody was first at work
	span    float64 // days of event time in which crossings were counted, fading
	day     int64   // the local day of today
	of      [standings]crossed
	off     [24]float64 // share of those at work who were at unusual hours, in the last bin and those before it
	rare    [score.NumGroups]Calibration
	classes map[uint32]*class
}

// crossed is what the identities of a dimension did that have a history, or that have none.
type crossed struct {
	days, bins float64 // closed, fading
	cross      [score.NumGroups][edges]float64
	today      [score.NumGroups][edges]float64 // crossings of the open day
}

type class struct {
	tail        [score.NumStats][tailCells]float64
	low         [score.NumStats]float64 // evidence of those in the lowest cell
	square      [score.NumStats]float64
	weight      [score.NumStats]float64
	told        [score.NumStats]float64 // bins and days in tail that are of identities with a history, fading
	young       [youth + 1]float64
	first       [youth + 1][score.PeerMeasures]float64 // sums of ln(1+count)
	firstSquare [youth + 1][score.PeerMeasures]float64 // of its squares
	days        float64
	day         int64
	mode        [8]float64
	bin         float64
	name        string
}

// New returns the fleet of which nothing is known.
func New(dims int) *Fleet {
	f := &Fleet{bin: -1, dims: make([]dim, dims)}
	for i := range f.dims {
		f.dims[i].classes = map[uint32]*class{0: newClass()}
	}
	return f
}

func newClass() *class {
	c := &class{bin: 1}
	for i := range c.mode {
		c.mode[i] = 1
	}
	return c
}

// Bin returns the last bin that was closed, -1 for none.
func (f *Fleet) Bin() int64 { return f.bin }

// Dimensions returns how many dimensions the fleet has.
func (f *Fleet) Dimensions() int { return len(f.dims) }

// Clone returns a copy that shares nothing with the fleet.
func (f *Fleet) Clone() *Fleet {
	out := *f
	out.dims = slices.Clone(f.dims)
	for i := range out.dims {
		d := &out.dims[i]
		d.classes = make(map[uint32]*class, len(d.classes))
		for token, c := range f.dims[i].classes {
			copied := *c
			d.classes[token] = &copied
		}
	}
	return &out
}

// FirstThreshold is what evidence must reach, in nats, while nothing is known of
// the fleet.
const FirstThreshold = 8

// CloseBin takes in the sums of a bin, which lies in a day of the local calendar,
// and returns the parameters of the next. Bins come in order.
func (c *Config) CloseBin(f *Fleet, bin, day int64, s *Sums) *score.Parameters {
	gap := 1.0
	if f.bin >= 0 {
		gap = float64(max(bin-f.bin, 1))
	}
	f.bin = bin
	f.known = max(f.known, float64(s.known))
	keep := math.Exp(-gap / (c.Tuning.Memory * c.PerDay))
	for i := range f.dims {
		d := &f.dims[i]
		d.fade(keep, gap/c.PerDay)
		d.turn(day)
		d.wait(int(gap))
		var from *dimSums
		if i < len(s.dims) {
			from = &s.dims[i]
			d.take(from, c.Tuning.TailBins/c.Tuning.TailShare)
		}
		for _, token := range slices.Sorted(maps.Keys(d.classes)) {
			var cs *classSums
			if from != nil {
				cs = from.classes[token]
			}
			d.classes[token].turn(&c.Tuning, day, cs)
		}
		d.prune()
	}
	return c.parameters(f)
}

// worked reports whether somebody of the dimension was ever at work.
func (d *dim) worked() bool { return d.age > 0 || d.of[newcomer].bins > 0 || d.of[known].bins > 0 }

// learning is for how many days crossings are not counted: the means, dispersions and
// tails that evidence rests on are not known yet.
const learning = 6

// fade lets time pass.
func (d *dim) fade(keep, days float64) {
	if d.worked() {
		d.age += days
	}
	if d.age >= learning {
		d.span = d.span*keep + days
	}
	for s := range d.of {
		x := &d.of[s]
		x.days, x.bins = x.days*keep, x.bins*keep
		for g := range x.cross {
			for i := range x.cross[g] {
				x.cross[g][i] *= keep
			}
		}
	}
	for g := range d.rare {
		d.rare[g].fade(keep)
	}
	for _, c := range d.classes {
		c.days *= keep
		for st := range c.tail {
			for i := range c.tail[st] {
				c.tail[st][i] *= keep
			}
			c.low[st] *= keep
			c.square[st] *= keep
			c.weight[st] *= keep
			c.told[st] *= keep
		}
	}
}

// turn ends the day that was open. A day on which far more cross than on others has
// one cause, a release or an outage, and says little of how often there is one: what
// is above two and three times the usual is not counted.
func (d *dim) turn(day int64) {
	if day == d.day {
		return
	}
	for s := range d.of {
		x := &d.of[s]
		for g := range x.today {
			for i, n := range x.today[g] {
				x.cross[g][i] += min(n, 2+3*x.cross[g][i]/max(d.span, 1))
			}
		}
		x.today = [score.NumGroups][edges]float64{}
	}
	d.day = day
}

// wait moves the shares at unusual hours back by so many bins.
func (d *dim) wait(bins int) {
	bins = min(bins, len(d.off))
	copy(d.off[bins:], d.off[:len(d.off)-bins])
	clear(d.off[:bins])
}

// take adds the sums of a bin. enough is how many bins or days make a tail.
func (d *dim) take(s *dimSums, enough float64) {
	if s.work > 2 {
		d.off[0] = float64(s.off) / float64(s.work)
	}
	if d.age < learning { // nobody has a history yet
		d.of[known].days += float64(s.of[newcomer].days)
		d.of[known].bins += float64(s.of[newcomer].bins)
	}
	for i := range s.of {
		x, from := &d.of[i], &s.of[i]
		x.days += float64(from.days)
		x.bins += float64(from.bins)
		if d.age < learning {
			continue
		}
		for g := range x.today {
			for i, n := range from.cross[g] {
				x.today[g][i] += float64(n)
			}
		}
	}
	for token, cs := range s.classes {
		c := d.classes[token]
		if c == nil {
			c = newClass()
			d.classes[token] = c
		}
		c.take(cs, enough)
	}
}

// take adds the sums of a bin. Tails and dispersions are those of who has a history, as
// soon as enough is known of them: whoever can make up names could tell of as large bins
// as he likes.
func (c *class) take(s *classSums, enough float64) {
	c.days += float64(s.days)
	c.name = max(c.name, s.name)
	for st := range c.tail {
		for _, standing := range [...]int{known, newcomer} {
			if standing == newcomer && c.told[st] >= enough {
				continue
			}
			x := &s.of[standing]
			for i, n := range x.tail[st] {
				c.tail[st][i] += float64(n)
				if standing == known {
					c.told[st] += float64(n)
				}
			}
			c.low[st] += float64(x.low[st]) / fixed
			c.square[st] += float64(s.square[standing][st]) / fixed
			c.weight[st] += float64(x.weight[st]) / fixed
		}
	}
	for i := range c.young {
		c.young[i] += float64(s.young[i])
		for m := range c.first[i] {
			c.first[i][m] += float64(s.first[i][m]) / fixed
			c.firstSquare[i][m] += float64(s.firstSquare[i][m]) / fixed
		}
	}
}

// turn sets the common modes: of the day the highest that its bins have shown so
// far, of the bin the last. s is nil where nobody was at work.
func (c *class) turn(t *Tuning, day int64, s *classSums) {
	if day != c.day {
		shift := min(max(day-c.day, 0), int64(len(c.mode)))
		for i := len(c.mode) - 1; i >= 0; i-- {
			if j := i - int(shift); j >= 0 {
				c.mode[i] = c.mode[j]
			} else {
				c.mode[i] = 1
			}
		}
		c.day = day
	}
	c.bin = 1
	if s == nil {
		return
	}
	if m, ok := t.median(&s.day); ok {
		c.mode[0] = max(c.mode[0], m)
	}
	if m, ok := t.median(&s.bin); ok {
		c.bin = max(1, m)
	}
}

// median returns the median of a histogram of log ratios as a factor, 1 where it is
// one that chance gives so many identities, and false where there are too few.
func (c *Tuning) median(h *[ratioCells]uint64) (float64, bool) {
	var n uint64
	for _, v := range h {
		n += v
	}
	if float64(n) < c.Crowd {
		return 1, false
	}
	var sum uint64
	for i, v := range h {
		if sum += v; 2*sum >= n {
			r := float64(i-(ratioCells-1)/2) / 10
			if r < max(c.Ordinary, c.Chance/math.Sqrt(float64(n))) {
				r = 0
			}
			return math.Exp(r), true
		}
	}
	return 1, false
}

// mostClasses is how many classes of peers are kept and told of in a dimension.
const mostClasses = 16

// prune forgets the classes that are too many, the smallest first.
func (d *dim) prune() {
	if len(d.classes) <= 4*mostClasses {
		return
	}
	tokens := d.largest()
	for _, t := range tokens[2*mostClasses:] {
		delete(d.classes, t)
	}
}

// largest returns the tokens of the classes, the largest first, without 0.
func (d *dim) largest() []uint32 {
	var out []uint32
	for t := range d.classes {
		if t != 0 {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	slices.SortStableFunc(out, func(a, b uint32) int {
		x, y := d.classes[a].days, d.classes[b].days
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return out
}
