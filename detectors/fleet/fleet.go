package fleet

import (
	"math"

	"github.com/weirhq/weir/internal/eventtime"
)

// Fleet is what correlate has learned of the whole fleet: hour-of-week shapes,
// what peers are like, the common mode, the tail of the evidence. It is used by
// one task, takes some seven kilobytes a dimension, and forgets with a horizon
// of four weeks.
type Fleet struct {
	bin  int64 // last folded bin, -1 for none
	dims []fleetDim
}

// fleetDim is what is known of one dimension. All sums are decayed.
type fleetDim struct {
	fleetPeers
	fleetSize
	started  float64 // 1 once an identity has been seen
	day      float64 // number of the day that today counts
	hours    [eventtime.HoursOfWeek]mean
	tail     [TailCells]float64 // upcrossings of each edge
	tailDays float64            // days that they were counted on
	chance   float64            // what all evidence may grow by, by chance
	chanceOn float64            // days that it was counted on
	groups   []*fleetGroup      // by token
}

// fleetPeers is what is known of peers: of all of a dimension, or of a group.
type fleetPeers struct {
	days     float64 // days of observation
	cells    [Cells]mean
	measures [NumMeasures]fleetMeasure
}

// fleetSize counts identities.
type fleetSize struct {
	today float64 // identities seen on this day so far
	live  float64 // largest number of identities on a day, falling by 2 % a day
}

type fleetMeasure struct {
	weight, log, logSq float64 // moments of the peers' log levels
	usual              mean    // the median log ratio of count to expectation
	mode               float64
	k                  [KCells]float64
}

// mean is a running mean that remembers a bounded number of observations.
type mean struct{ value, n float64 }

func (m *mean) observe(v, memory float64) {
	m.n = min(m.n+1, memory)
	m.value += (v - m.value) / m.n
}

// below returns how many nats the mean lies below v, zero if it does not or is
// hardly known yet.
func (m *mean) below(v float64) float64 {
	if m.n < meanNeeded || m.value <= 0 || v <= m.value {
		return 0
	}
	return math.Log(v / m.value)
}

// weigh takes in an observation that counts as w, and lets the others fade.
func (m *mean) weigh(v, w, memory float64) {
	m.n = m.n*(1-1/memory) + w
	m.value += (v - m.value) * w / m.n
}

// Memories and bounds of the fleet.
const (
	fleetDays    = 28.0 // horizon of tail, priors and dispersion
	shapeWeeks   = 6.0  // weeks remembered by a cell of the shape
	shapeDays    = 20.0 // days remembered by an hour of the day
	shapePrior   = 2.0  // weeks by which the hour of the day counts against the hour of the week
	tailYouth    = 2.0  // horizon of the tail on the first day, in days; it grows by half a day each day
	peersNeeded  = 5.0  // identities a day by which the default prior counts
	defaultSpend = 4.0  // variance of log levels among peers nobody has seen
	usualDays    = 7.0  // horizon of what the median identity usually does
	modeWarmUp   = 2.0  // days before the common mode is trusted
	meanNeeded   = 3.0  // days from which what all do in an hour is known
	modeStretch  = 3.0  // how far the mean of all may go beyond the median
	modeShrink   = 16.0 // identities by which "no mode" counts
	modeLow      = 1.0  // a quiet day does not make those at work suspects
	modeHigh     = 4.0
	silenceDays  = 3.0 // silence longer than this is an outage: it teaches nothing
)

// NewFleet returns a Fleet that knows nothing.
func (e *Model) NewFleet() *Fleet {
	f := &Fleet{bin: -1, dims: make([]fleetDim, e.dims)}
	for i := range f.dims {
		f.dims[i].reset()
	}
	return f
}

// reset forgets everything of peers.
func (q *fleetPeers) reset() {
	*q = fleetPeers{}
	for m := range q.measures {
		q.measures[m].mode = 1
	}
}

// Bin returns the last bin that was folded in, -1 for none.
func (f *Fleet) Bin() int64 { return f.bin }

// CloseBin folds one finished bin into the fleet and returns the parameters for
// the bins after it. Bins are closed in order; those left out since the last
// one were empty. A bin that is not after the last changes nothing.
func (e *Model) CloseBin(f *Fleet, bin int64, s *Sums) *Parameters {
	if bin > f.bin {
		e.skip(f, bin)
		widest := s.widest()
		mode := e.observe(&f.dims[widest], bin, s.of(widest), Calm)
		for i := range f.dims {
			if i != widest {
				e.observe(&f.dims[i], bin, s.of(i), mode)
			}
		}
		e.observeTails(f, s)
		f.bin = bin
	}
	return e.parameters(f)
}

// skip folds the empty bins before bin. Up to three days of them are nights and
// weekends; more than that is an outage and is passed over, in one go.
func (e *Model) skip(f *Fleet, bin int64) {
	if f.bin < 0 {
		return
	}
	gap := bin - f.bin - 1
	if gap > int64(silenceDays*e.PerDay) {
		fade := math.Exp(-float64(gap) / (fleetDays * e.PerDay))
		for i := range f.dims {
			f.dims[i].fade(fade, fade)
		}
		return
	}
	empty := &DimSums{}
	for b := f.bin + 1; b < bin; b++ {
		for i := range f.dims {
			e.observe(&f.dims[i], b, empty, Calm)
		}
		e.observeTails(f, new(Sums))
	}
}

// fade lets all decayed sums forget, the tail by a factor of its own.
func (d *fleetDim) fade(by, tail float64) {
	d.fleetPeers.fade(by)
	d.tailDays *= tail
	for i := range d.tail {
		d.tail[i] *= tail
	}
	for _, g := range d.groups {
		if g.peers != nil {
			g.peers.fade(by)
		}
	}
}

// fade lets the decayed sums of peers forget.
func (q *fleetPeers) fade(by float64) {
	q.days *= by
	for m := range q.measures {
		of := &q.measures[m]
		of.weight *= by
		of.log *= by
		of.logSq *= by
		for i := range of.k {
			of.k[i] *= by
		}
	}
}

// Observe folds one bin of one dimension.
func (e *Model) observe(d *fleetDim, bin int64, s *DimSums, wider [NumCore]float64) (mode [NumCore]float64) {
	if s.Scored > 0 {
		d.started = 1
	}
	if d.started == 0 {
		return Calm
	}
	// The tail of a young fleet forgets faster: in the first days newcomers all,
	// whose evidence is held down, it is thinner than it will be.
	young := min(fleetDays, tailYouth+d.days/2)
	d.fade(1-1/(fleetDays*e.PerDay), 1-1/(young*e.PerDay))
	if day := float64(e.Day(ClampBin(bin))); day != d.day {
		d.turn(day - d.day)
		for _, g := range d.groups {
			g.turn(day - d.day)
		}
		d.day = day
	}
	d.today += float64(s.Fresh)
	forget := 1 - 1/(chanceDays*e.PerDay)
	d.chance = d.chance*forget + float64(s.Chance)/Fixed
	d.chanceOn = d.chanceOn*forget + 1/e.PerDay

	hour := e.HourOfWeek(bin)
	d.hours[hour].observe(s.index(d.identities()), max(1, shapeWeeks*e.PerDay/24))
	e.observePeers(&d.fleetPeers, hour, &s.PeerSums, d.identities(), wider)
	e.observeGroups(d, hour, s)
	return d.modes()
}

// modes returns the common mode of the core.
func (q *fleetPeers) modes() (mode [NumCore]float64) {
	for m := range mode {
		mode[m] = q.measures[m].mode
	}
	return mode
}

// index returns how much an identity does, in its own levels.
func (s *PeerSums) index(identities float64) float64 {
	return float64(s.Activity) / Fixed / max(identities, 1)
}

// observePeers folds what one bin tells of peers. mode is what is taken of their
// common mode where they are few.
func (e *Model) observePeers(q *fleetPeers, hour int, s *PeerSums, identities float64, mode [NumCore]float64) {
	q.days += 1 / e.PerDay
	index, usual := s.index(identities), &q.cells[Cell(hour)]
	more := [NumCore]float64{Distinct: usual.below(index)}
	usual.observe(index, max(1, shapeDays*e.PerDay/24))
	for m := range q.measures {
		to, from := &q.measures[m], &s.Measures[m]
		to.weight += float64(from.Weight) / Fixed
		to.log += float64(from.Log) / Fixed
		to.logSq += float64(from.LogSq) / Fixed
		for i, v := range from.K {
			to.k[i] += float64(v)
		}
		if m < NumCore {
			e.observeMode(to, &from.ratio, q.days, mode[m], more[m])
		}
	}
}

// observeMode estimates the fleet's common mode in the bin, which is what is
// expected of the next: how far the median identity lies above its own usual.
// A median, because a leak is a few identities that do much, a campaign is most
// that do more. Only ratios of active identities are known, so what is usual is
// the median's own mean, by how many each bin's was of. A median of n has a
// standard error of about 1/√n in log units of such counts: so much is taken for
// chance. toward is the mode of a wider circle, by which modeShrink of them count.
//
// Where people do a few records an hour, a busy day shows in how many are active
// at all, and the median of those who are moves little: it says that most do more,
// but not how much. That, more, is said by the mean of all, in nats, and taken up
// to modeStretch times what the median says, lest a few move it.
func (e *Model) observeMode(q *fleetMeasure, ratio *[ratioCells]uint64, days, toward, more float64) {
	var n uint64
	for _, v := range ratio {
		n += v
	}
	q.mode = toward
	if n == 0 {
		return
	}
	median := histogramQuantile(ratio[:], 0.5)
	median = (median - (ratioCells-1)/2 - 0.5) * ratioStep
	count := float64(n)
	if days >= modeWarmUp && q.usual.n > 0 {
		x := median - q.usual.value
		x = math.Copysign(max(0, math.Abs(x)-1/math.Sqrt(count)), x)
		x = (count*x + modeShrink*math.Log(toward)) / (count + modeShrink)
		x = max(x, min(modeStretch*x, more))
		q.mode = min(max(math.Exp(x), modeLow), modeHigh)
	}
	if count >= 4 {
		q.usual.weigh(median, count, usualDays*e.PerDay)
	}
}

// histogramQuantile returns where the share p of a histogram lies, in cells,
// interpolated within its cell.
func histogramQuantile[N uint64 | float64](cells []N, p float64) float64 {
	var total, below float64
	for _, v := range cells {
		total += float64(v)
	}
	for i, v := range cells {
		if n := float64(v); n > 0 && below+n >= p*total {
			return float64(i) + (p*total-below)/n
		}
		below += float64(v)
	}
	return 0
}

// identities returns how many identities are live.
func (n *fleetSize) identities() float64 { return max(n.today, n.live) }

// turn begins a new day, some days after the one before.
func (n *fleetSize) turn(days float64) {
	n.live = max(n.today, n.live*math.Pow(0.98, min(days, 1000)))
	n.today = 0
}

// parameters makes the parameters that follow from the fleet.
func (e *Model) parameters(f *Fleet) *Parameters {
	p := e.DefaultParameters()
	p.Bin = f.bin
	living := 0
	for i := range f.dims {
		if f.dims[i].started > 0 {
			living++
		}
	}
	for i := range f.dims {
		from, to := &f.dims[i], &p.Dimensions[i]
		if from.started == 0 {
			continue
		}
		from.shape(&to.Shape)
		e.peers(to, &from.fleetPeers, nil)
		to.Live = max(from.identities(), 1)
		to.Formula = e.Formula(from.growth(to.Live, e.PerDay), living)
		to.Tail = TailThreshold(&from.tail, max(from.tailDays, 1), e.budget/float64(living))
		to.Threshold = settle(to.Formula, to.Tail, from.days)
		to.round()
		e.groupParameters(from, to)
	}
	return p
}

// peers fills in what a group, or the whole dimension, has of its own, but for
// the shape.
func (e *Model) peers(to *Dimension, q, within *fleetPeers) {
	for m := range q.measures {
		to.Prior[m] = q.prior(Measure(m), within)
	}
	to.Prior[Newcomer] = q.measures[Newcomer].amounts(e.newcomersLike(to.Prior[Distinct]), newcomersNeeded, leastNewcomers)
	to.Mode = q.modes()
}

// HourFactor writes the hour-of-week factors in thousandths: each hour of the week
// leans on the same hour of all working or weekend days, and that on the mean.
func (d *fleetDim) shape(to *[eventtime.HoursOfWeek]uint16) {
	var overall, n float64
	for i := range d.cells {
		overall += d.cells[i].value * d.cells[i].n
		n += d.cells[i].n
	}
	if overall == 0 {
		return
	}
	overall /= n
	var raw [eventtime.HoursOfWeek]float64
	var total float64
	for h := range raw {
		c, w := &d.cells[Cell(h)], &d.hours[h]
		lean := (overall + c.n*c.value) / (1 + c.n)
		raw[h] = (shapePrior*lean + w.n*w.value) / (shapePrior + w.n)
		total += raw[h]
	}
	for h := range raw {
		v := raw[h] / total * eventtime.HoursOfWeek
		to[h] = uint16(math.Round(1000 * min(max(v, 0.02), 60)))
	}
}

// growth returns what all evidence of the dimension may grow by in a day by
// chance. On the first day it is taken as if everybody worked at all hours.
func (d *fleetDim) growth(live, perDay float64) float64 {
	return (d.chance + live*perDay*firstDay) / (d.chanceOn + firstDay)
}

const (
	chanceDays = 7.0 // horizon over which chance is counted
	firstDay   = 0.1 // days by which the assumption of the first day counts
)
