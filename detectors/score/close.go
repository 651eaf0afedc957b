package score

import (
	"math"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fleet"
)

// Advance closes the silent bins before bin, each as one without a count. Early and
// Explain read a state that stands there; call it once in a bin, before the first
// of them. A state that is there already, or beyond, stays as it is.
func (e *Engine) Advance(s *State, dim int, bin int64, p *fleet.Parameters) {
	if at := fleet.ClampBin(bin); s.last < at || s.last == 0 {
		e.catchUpTo(s, p.Of(dim, s.group), at)
	}
}

// Early scores the bin as counted so far, and changes nothing. The count only
// grows until the bin ends and the likelihood ratio grows with it, so what is
// enough now will be enough then (a share of new records may fall again). The
// state must have been advanced to the bin; of one that stands elsewhere the
// evidence says that nothing was scored.
func (e *Engine) Early(s *State, dim int, bin int64, c fleet.Counts, p *fleet.Parameters) fleet.Evidence {
	ev, _ := e.early(s, dim, bin, c, p)
	return ev
}

// Explain is Early for people, at the end of a bin: it tells the evidence of each
// drift rate however weak it is.
func (e *Engine) Explain(s *State, dim int, bin int64, c fleet.Counts, p *fleet.Parameters) fleet.Evidence {
	ev, sc := e.early(s, dim, bin, c, p)
	sc.tellRates(&ev)
	return ev
}

func (e *Engine) early(s *State, dim int, bin int64, c fleet.Counts, p *fleet.Parameters) (ev fleet.Evidence, sc scores) {
	at := fleet.ClampBin(bin)
	if s.last != at || !s.Seen() {
		return ev, sc
	}
	d := p.Of(dim, s.group)
	c = c.Clean()
	t := e.setting(s, d, at)
	now := s.now(&t)
	l := e.weigh(s, d, &t, &now, s.busy, &c)
	sc.read(s)
	sc.step(&l, e.keepOf(s, d, &l), d.Top())
	return e.evidence(s, d, &t, &l, &sc, &c), sc
}

// pass scores a bin and puts the statistics into the state. was are those of
// Distinct before it.
func (e *Engine) pass(s *State, d *fleet.Dimension, t *setting, c *fleet.Counts) (l likelihood, sc scores, was [fleet.NumRates]float64) {
	now := s.now(t)
	l = e.weigh(s, d, t, &now, s.busy, c)
	sc.read(s)
	was = sc.core[fleet.Distinct]
	l.taught = quarters // in the first two weeks, whatever it does
	if t.age >= pastDays*e.PerDay {
		l.taught = taught(sc.total())
	}
	sc.step(&l, e.keepOf(s, d, &l), d.Top())
	e.begin(s, t, &l)
	sc.write(s)
	return l, sc, was
}

// now returns the day so far in which a bin lies.
func (s *State) now(t *setting) today {
	if s.today() == nil {
		return today{day: t.day}
	}
	now := *s.today()
	now.turn(t.day)
	return now
}

// Close ends a bin: it scores it, learns from it and returns the evidence.
// Silent bins between the last closed one and this are closed first, as zeros.
// What the bin tells of the fleet is added to sums, which may be nil. A bin that
// is not after s.LastBin is late: use Late.
func (e *Engine) Close(s *State, dim int, bin int64, c fleet.Counts, p *fleet.Parameters, sums *fleet.Sums) fleet.Evidence {
	at := fleet.ClampBin(bin)
	if s.last > at {
		return fleet.Evidence{}
	}
	d := p.Of(dim, s.group)
	e.catchUpTo(s, d, at)
	c = c.Clean()
	t := e.setting(s, d, at)
	l, sc, was := e.pass(s, d, &t, &c)
	ev := e.evidence(s, d, &t, &l, &sc, &c)
	before := float64(s.high)
	e.note(s, &t, ev.Log)
	if sums != nil {
		e.tell(sums.Dim(dim), s, &t, &l, &c, before, ev.Log)
	}
	s.told = e.dayMark(at)
	e.learn(s, d, &t, &l, &was, &c)
	if c.Any() {
		c[fleet.OffHours], c[fleet.Newcomer] = 0, 0 // derived again whenever they are needed
		e.remember(s, at, l.taught, &c)
	}
	return ev
}

// Hot reports whether the evidence is, or lately was, so high that the identity
// must be closed in bins without a count too, so that correlate sees it fall.
// It holds for at least six hours after an episode has become quiet.
func (e *Engine) Hot(s *State, dim int, p *fleet.Parameters) bool {
	return s.Seen() && float64(s.peak) >= p.Threshold(dim)-episode.Margin-hotMargin
}

// hotMargin is six hours of falling at a quarter of a nat an hour.
const hotMargin = 1.5

// catchUpTo closes the silent bins before at. Of a long silence only the last
// catchUp bins are scored one by one; before them the statistics start anew.
func (e *Engine) catchUpTo(s *State, d *fleet.Dimension, at uint32) {
	if s.last == 0 {
		s.first, s.last, s.rise = at+1, at, at+1
		return
	}
	if gap := at - s.last; gap > e.catchUp {
		e.rest(s, gap-e.catchUp)
	}
	for bin := s.last; bin < at; bin++ {
		var silent fleet.Counts
		t := e.setting(s, d, bin)
		t.mode = fleet.Calm // the fleet's mode of a past bin is no longer known
		l, sc, was := e.pass(s, d, &t, &silent)
		e.note(s, &t, fleet.Ln(max(sc.total(), minStat)))
		e.learn(s, d, &t, &l, &was, &silent)
	}
}

// rest passes n silent bins in one go: what the statistics held is over, and who
// is not away has learned silence.
func (e *Engine) rest(s *State, n uint32) {
	learns := s.past() == nil
	for m := range s.core {
		x := &s.core[m]
		x.stat = stats{}
		if learns {
			x.rest(float64(n), e.level[m], e.dispersion, m == int(fleet.Distinct))
		}
	}
	s.both = stats{}
	if p := s.past(); p != nil {
		p.stat, p.both = [fleet.NumCore]stats{}, stats{}
	}
	if s.more != nil {
		for i, x := range s.more.extra {
			if x == nil {
				continue
			}
			x.stat = stats{}
			if m := fleet.Measure(i + fleet.NumCore); learns && m != fleet.RowsRead && m != fleet.Newcomer {
				x.rest(float64(n), e.level[fleet.Distinct], e.dispersion, true)
			}
		}
	}
	s.peak = max(0, s.peak-float32(float64(n)*e.peakFall))
	s.high = max(0, s.high-float32(float64(n)*e.highFall))
	s.busy = false
	s.last += n
	s.rise = s.last + 1
}

// rest lets n silent bins pass, each of which is exposure for what is counted by
// time.
func (x *series) rest(n, level, dispersion float64, timed bool) {
	fade := math.Exp(-n / level)
	x.count = fold(x.count, fade, 0)
	x.exposure = fold(x.exposure, fade, 0)
	if timed {
		x.exposure += float32((1 - fade) * level)
	}
	fade = math.Exp(-n / dispersion)
	x.excess = fold(x.excess, fade, 0)
	x.square = fold(x.square, fade, 0)
}

// calmLog is the log evidence below which nothing is taken to be going on: the
// statistics of a calm identity wander around it from below.
const calmLog = 2.0

// note moves the state's marks past the scored bin: the last bin, the start of
// the present rise, the peak of the evidence.
func (e *Engine) note(s *State, t *setting, log float64) {
	s.last = t.bin + 1
	if log < calmLog {
		s.rise = t.bin + 2
	}
	s.peak = float32(max(log, float64(s.peak)-e.peakFall, 0))
	s.high = float32(max(log, float64(s.high)-e.highFall, 0))
}
