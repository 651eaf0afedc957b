package score

import (
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/internal/wire"
)

// past is the second horizon: what was usual some weeks ago. What the first
// horizon forgets flows into it, and is forgotten there with a horizon of 28
// days: so it remembers nothing of today, and most of what lies two to six
// weeks back. Whoever takes one percent more each day carries a short baseline
// along, but not this one.
//
// It costs a second set of statistics, held against the older level. The
// evidence is the mean of both, so that neither can hide what the other sees,
// and a change that is there to stay is forgiven when it has become the past.
type past struct {
	stat [fleet.NumCore]stats
	both stats
	// count and exposure as in series; the last is that of Subjects.
	count, exposure [fleet.NumCore + 1]float32
}

// pastDays is how old an identity must be for its past to be judged.
const pastDays = 14.0

func (p *past) append(b []byte) []byte {
	for m := range p.stat {
		b = p.stat[m].append(b)
	}
	b = p.both.append(b)
	for _, v := range p.numbers() {
		b = wire.AppendFloat32(b, *v)
	}
	return b
}

func (p *past) numbers() []*float32 {
	var v []*float32
	for m := range p.count {
		v = append(v, &p.count[m], &p.exposure[m])
	}
	return v
}

func readPast(r *wire.Reader) *past {
	p := new(past)
	for m := range p.stat {
		readStats(r, &p.stat[m])
	}
	readStats(r, &p.both)
	for _, v := range p.numbers() {
		*v = readAmount(r)
	}
	return p
}

// flow lets a bin pass: a share of x, what a decayed sum of the first horizon
// forgets, goes into the second.
func (p *past) flow(m int, x *series, e *Engine) {
	from, fade := 1/e.level[min(m, fleet.NumCore-1)], 1-1/e.pastLevel
	p.count[m] = fold(p.count[m], fade, from*float64(x.count))
	p.exposure[m] = fold(p.exposure[m], fade, from*float64(x.exposure))
}

// ratio returns how a level of the past compares with that of the first
// horizon, which counts for pastPrior days of the past.
func (p *past) ratio(m int, x *series, e *Engine) float64 {
	if x.exposure == 0 || x.count == 0 {
		return 1
	}
	now := float64(x.count) / float64(x.exposure)
	w := pastPrior * float64(x.exposure) * e.PerDay / e.level[min(m, fleet.NumCore-1)]
	return (w*now + float64(p.count[m])) / (w + float64(p.exposure[m])) / now
}

// pastPrior is for how many days of the past the present level counts.
const pastPrior = 2.0
