package fleet

import (
	"math"

	"github.com/weirhq/weir/detectors/score"
)

// newcomersLeast is the part of a dimension's budget that newcomers get at the least.
const newcomersLeast = 0.1

// setThresholds spends a dimension's budget, of episodes a day. Those who have a history
// come first, so that nothing that newcomers do, whose names may be made up, moves their
// thresholds. Newcomers get what is left, or a small part more.
func (c *Config) setThresholds(d *dim, budget float64, groups *[score.NumGroups]float64, out *score.Dimension) {
	spent := c.spend(d, known, budget, groups, &out.Threshold)
	c.spend(d, newcomer, max(budget-spent, newcomersLeast*budget), groups, &out.Newcomers)
}

// spend spends a budget, of episodes a day, on those of a standing, and returns how much is
// spent: formula 6. Groups are paid by their shares; what a group cannot spend at the least
// threshold goes to the others by theirs, until each gets what it can spend.
func (c *Config) spend(d *dim, standing int, budget float64, groups, out *[score.NumGroups]float64) float64 {
	var of [score.NumGroups]upcrossings
	for g := range of {
		of[g] = c.crossings(d, standing, score.Group(g))
	}
	left, shares := budget, 1.0
	var paid [score.NumGroups]bool
	for again := true; again; {
		again = false
		for g := range of {
			if most := of[g].rate(minThreshold); !paid[g] && most*shares <= left*groups[g] {
				left, shares = left-most, shares-groups[g]
				paid[g], again = true, true
			}
		}
	}
	spent := 0.0
	for g := range of {
		out[g] = minThreshold
		if !paid[g] {
			out[g] = of[g].threshold(left * groups[g] / shares)
		}
		spent += of[g].rate(out[g])
	}
	return spent
}

// upcrossings is how often the evidence of a group crosses a level in a dimension.
type upcrossings struct {
	seen   [edges]float64 // how often each edge was crossed, fading
	days   float64        // days of event time in which seen was counted, fading
	at     float64        // the highest edge that was crossed often enough, in nats
	over   float64        // how often the edge at was crossed
	excess float64        // by how many nats evidence that crosses the edge at exceeds it in the mean
	theory float64        // crossings of 0 nats that theory allows in prior days
	prior  float64        // days for which theory counts
}

// crossings returns how often the evidence of a group of those of a standing has crossed
// each level, as far as the dimension remembers.
func (c *Config) crossings(d *dim, standing int, g score.Group) upcrossings {
	from := &d.of[standing]
	out := upcrossings{days: d.span, prior: c.Tuning.Prior}
	for i := range out.seen {
		out.seen[i] = from.cross[g][i] + from.today[g][i]
	}
	growth := 1.0
	if d.age > 0 {
		n := from.days
		if g == score.Burst {
			n = from.bins
		}
		growth = max(n/min(d.age, c.Tuning.Memory), 1)
	}
	if d.span > 0 {
		growth = min(growth, (out.seen[0]+unseen)/d.span*math.Exp(edgeFrom))
	}
	out.theory = c.Tuning.Prior * growth
	out.extrapolate(c.Tuning.Crossings)
	return out
}

// extrapolate sets what is said beyond the highest edge that was crossed often enough.
func (x *upcrossings) extrapolate(enough float64) {
	i := 0
	for i+1 < edges && x.seen[i+1] >= enough {
		i++
	}
	x.at, x.over, x.excess = edgeFrom+float64(i)/2, x.seen[i], pseudoExcess
	for _, n := range x.seen[i+1:] {
		x.excess += n / 2
	}
	x.excess /= x.over + 1
}

// pseudoExcess is the excess of one crossing more than were seen, in nats.
const pseudoExcess = 2

// threshold returns the least evidence that is crossed no more than share times a day.
func (x *upcrossings) threshold(share float64) float64 {
	h := minThreshold
	for h < score.MaxLog-1 && x.rate(h) > share {
		h += 0.25
	}
	return h
}

// rate returns how often a day h is crossed. Up to the highest edge that was crossed
// often enough it is as counted. Beyond it, it is no less than an exponential of the mean
// excess says: the highest of n days is exceeded every n days, however small the share.
// Theory counts as if it had been seen for some days more:
// a day or bin in which a change may begin adds one to a statistic's mean, so that h is
// crossed no more than growth·e^(-h) times a day; and where the lowest edge is crossed so
// often, then no more than e^-(h-edge) times that.
func (x *upcrossings) rate(h float64) float64 {
	n := x.seen[int(2*(h-edgeFrom))]
	if h > x.at {
		n = max(n, x.over*math.Exp(-(h-x.at)/x.excess))
	}
	return (n + x.theory*math.Exp(-h)) / (x.days + x.prior)
}

// unseen is how many crossings may have been missed where none was seen: with 4 there
// would be some in 98 of 100 cases.
const unseen = 4

// minThreshold keeps evidence of next to nothing from opening an episode where nothing
// ever crosses anything.
const minThreshold = 1.0
