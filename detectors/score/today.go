package score

import (
	"encoding/binary"

	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/internal/wire"
)

// today is what a day has been like so far. People have busy days: the hours of
// a day share a factor of their own (a Gamma frailty of mean 1), so that eight
// busy hours of one day are not eight witnesses. Given what has been seen of
// the day, the factor's posterior is a Gamma again, and the counts to come are
// negative binomial around its mean (the Poisson-Gamma model of Harvey and
// Fernandes 1989, begun anew each day).
type today struct {
	day uint32 // number of the local day
	// seen and due are the day's counts and expectations so far, each bin
	// weighed by how much its own noise lets it tell of the day.
	seen, due float32
	// after is, for each rate, the part of due that came after the change, on
	// average over when it may have begun.
	after [fleet.NumRates]float32
	// all and usual are counts and expectations so far, unweighed; shared and
	// square are decayed sums of products of a bin's residual with that of the
	// day before it, and of their expectations: their ratio estimates the
	// variance of the day's factor.
	all, usual, shared, square float32
	// Fresh and among are the day's first touches and distinct records, each bin
	// weighed as above; alike and pairs are what shared and square are for the
	// day's share of first touches, and odd the sum of the day's residuals, of
	// whole records.
	fresh, among, alike, pairs, odd, whole float32
	// spread and weight are decayed sums over bins with a count whose ratio is
	// 1/k of such bins; see baseline.pace.
	spread, weight float32
}

// todayMin is the (decayed) number of records from which an identity's days
// are kept.
const todayMin = 32

// turn begins a new day if the bin lies in one.
func (t *today) turn(day uint32) {
	if t.day == day {
		return
	}
	*t = today{day: day, shared: t.shared, square: t.square, alike: t.alike, pairs: t.pairs, spread: t.spread, weight: t.weight}
}

// variance estimates the variance of the day's factor, given the whole 1/k of
// an hour: half of it, until the identity's own days say otherwise, and never
// more than all of it.
func (t *today) variance(inverseK, mass float64) float64 {
	v := (mass*inverseK/2 + float64(t.shared)) / (mass + float64(t.square))
	return min(max(v, 0), inverseK)
}

// likeness estimates the correlation of the novelty of two records of different
// bins of a day.
func (t *today) likeness() float64 {
	v := (likenessWeight*likenessPrior + float64(t.alike)) / (likenessWeight + float64(t.pairs))
	return min(max(v, minLikeness), maxCluster)
}

// learnShare takes a bin's f new records among n, with weight w, into what the
// share of the identity's days is like.
func (t *today) learnShare(f, n, mean, fade, w float64) {
	odd := min(f, n) - n*mean
	t.alike = fold(t.alike, fade, w*odd*float64(t.odd))
	t.pairs = fold(t.pairs, fade, w*n*float64(t.whole)*mean*(1-mean))
	t.odd += float32(odd)
	t.whole += float32(n)
}

// Prior and bound of the likeness, and the pairs of records by which the prior
// counts, times the variance of one record's novelty.
const (
	likenessPrior  = 0.05
	likenessWeight = 500.0
	minLikeness    = 0.01
)

// paceMemory is how many bins with a count are remembered of their spread.
const paceMemory = 100

// learn takes a bin, with weight w, into what the identity's days are like; how
// far active bins spread is learned in full of each.
func (t *today) learn(b *baseline, count, fade, w float64) {
	if count > 0 {
		const slow = 1 - 1.0/paceMemory
		residual := count - b.busy
		t.spread = fold(t.spread, slow, residual*residual-count)
		t.weight = fold(t.weight, slow, b.busy*b.busy)
	}
	if b.pace && count == 0 {
		return
	}
	mu := b.expected()
	t.shared = fold(t.shared, fade, w*(count-mu)*float64(t.all-t.usual))
	t.square = fold(t.square, fade, w*mu*float64(t.usual))
	t.all += float32(count)
	t.usual += float32(mu)
}

// pass lets a bin of the day pass. A change that began in this bin had nothing
// of the day before it: so after, a mean over when the change may have begun,
// falls by the weight of this bin among all of them.
func (t *today) pass(l *likelihood, stat *[fleet.NumRates]float64, c *fleet.Counts) {
	count := c[fleet.Distinct]
	b := &l.base
	mu, nu := b.expected(), l.nu()
	w := 1 / (1 + mu*b.hour)
	if b.pace && count == 0 {
		w = 0
	}
	for i := range t.after {
		t.after[i] = float32(stat[i]*float64(t.after[i])/(stat[i]+nu) + w*mu)
	}
	t.seen += float32(w * count)
	t.due += float32(w * mu)
	w = 1 / (1 + max(count-1, 0)*l.share.cluster)
	t.fresh += float32(w * min(c[fleet.FirstTouch], count))
	t.among += float32(w * count)
}

func (t *today) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, t.day)
	for _, v := range t.numbers() {
		b = wire.AppendFloat32(b, *v)
	}
	b = wire.AppendFloat32(b, t.shared)
	b = wire.AppendFloat32(b, t.alike)
	b = wire.AppendFloat32(b, t.odd)
	b = wire.AppendFloat32(b, t.spread)
	return wire.AppendFloat32(b, t.weight)
}

// numbers lists the numbers that cannot be negative.
func (t *today) numbers() []*float32 {
	v := []*float32{&t.seen, &t.due, &t.all, &t.usual, &t.square, &t.fresh, &t.among, &t.pairs, &t.whole}
	for i := range t.after {
		v = append(v, &t.after[i])
	}
	return v
}

func readToday(r *wire.Reader) *today {
	t := &today{day: r.Uint32()}
	for _, v := range t.numbers() {
		*v = readAmount(r)
	}
	t.shared = r.Float32()
	t.alike = r.Float32()
	t.odd = r.Float32()
	t.spread = r.Float32()
	t.weight = readAmount(r)
	return t
}
