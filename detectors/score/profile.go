package score

import (
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
)

// profile is an identity's own hours: in each cell the mean of count over
// level, and on how many bins it rests (at most profileMemory).
type profile struct {
	mean    [fleet.Cells]float32
	n       [fleet.Cells]uint8
	follows float32 // how far they follow the shared shape: 1 wholly, 0 not at all
	mass    float32 // mean of the factors over a week; see balance
}

// followsPrior is the weight of the assumption that hours follow the shared
// ones, in hours that differ from the mean by a factor of two.
const followsPrior = 4.0

// profileMemory bounds how many bins of one cell are remembered; older ones
// fade geometrically. 20 working days are four weeks.
const profileMemory = 20

// profileMin is the (decayed) number of records from which an identity keeps
// its own hours; below it, they would be noise.
const profileMin = 32

// Observe takes in one bin of a cell: x is its count over the level.
func (p *profile) observe(cell int, x float64) {
	if p.n[cell] < profileMemory {
		p.n[cell]++
	}
	p.mean[cell] += float32((x - float64(p.mean[cell])) / float64(p.n[cell]))
}

// compare estimates how far the own hours follow the shared ones, as the slope
// of a regression through (1, 1) that starts from wholly. It tells a service
// that works around the clock among people in offices within a day, where its
// own hours take weeks.
func (p *profile) compare(d *fleet.Dimension) {
	above, square := followsPrior, followsPrior
	for i, n := range p.n {
		if n == 0 {
			continue
		}
		x := d.Typical(i) - 1
		above += float64(n) * x * (float64(p.mean[i]) - 1)
		square += float64(n) * x * x
	}
	p.follows = float32(min(max(above/square, 0), 1))
}

// factor returns what is expected in an hour, in levels: the own hours lean on
// the shared ones, for more days where the level is too low to know one's own
// from. shared is the shared factor of the hour.
func (p *profile) factor(cell int, shared, level float64) float64 {
	days, n := cellPrior+cellPrior/level, float64(p.n[cell])
	return (days*p.lean(shared) + n*float64(p.mean[cell])) / (days + n) / float64(p.mass)
}

// lean returns the shared factor as far as the identity follows it.
func (p *profile) lean(shared float64) float64 { return 1 + float64(p.follows)*(shared-1) }

// balance makes the factors of a week have mean one. Else level and hours could
// drift apart with only their product held, or, where the shared hours are those
// of others, each empty weekend would lower the level and each Monday raise it.
func (p *profile) balance(d *fleet.Dimension, level float64) {
	p.mass = 1
	sum := 0.0
	for i := range p.n {
		days := 5.0
		if i >= 24 {
			days = 2
		}
		sum += days * p.factor(i, d.Typical(i), level)
	}
	p.mass = float32(max(sum/eventtime.HoursOfWeek, minMass))
}

// minMass is the least mean of the factors that is evened out.
const minMass = 0.02

func (p *profile) append(b []byte) []byte {
	b = wire.AppendFloat32(b, p.follows)
	b = wire.AppendFloat32(b, p.mass)
	for i, n := range p.n {
		b = append(b, n)
		if n > 0 {
			b = wire.AppendFloat32(b, p.mean[i])
		}
	}
	return b
}

func readProfile(r *wire.Reader) *profile {
	p := &profile{follows: readAmount(r), mass: readAmount(r)}
	for i := range p.n {
		p.n[i] = r.Byte()
		if p.n[i] > profileMemory {
			r.Fail("an hour of more weeks than are remembered")
		}
		if p.n[i] > 0 {
			p.mean[i] = readAmount(r)
		}
	}
	return p
}
