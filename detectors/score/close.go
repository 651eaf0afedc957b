package score

import (
	"math"

	"github.com/weirhq/weir/detectors/episode"
)

// Advance closes the silent bins before bin, each as one without a count. Early and
// Explain read a state that stands there; call it once in a bin, before the first
// of them. A state that is there already, or beyond, stays as it is.
func (e *Engine) Advance(s *State, dim int, bin int64, p *Parameters) {
	if at := clampBin(bin); s.last < at || s.last == 0 {
		e.catchUpTo(s, p.of(dim, s.group), at)
	}
}

// Early scores the bin as counted so far, and changes nothing. The count only
// grows until the bin ends and the likelihood ratio grows with it, so what is
// enough now will be enough then (a share of new records may fall again). The
// state must have been advanced to the bin; of one that stands elsewhere the
// evidence says that nothing was scored.
func (e *Engine) Early(s *State, dim int, bin int64, c Counts, p *Parameters) Evidence {
	ev, _ := e.early(s, dim, bin, c, p)
	return ev
}

// Explain is Early for people, at the end of a bin: it tells the evidence of each
// drift rate however weak it is.
func (e *Engine) Explain(s *State, dim int, bin int64, c Counts, p *Parameters) Evidence {
	ev, sc := e.early(s, dim, bin, c, p)
	sc.tellRates(&ev)
	return ev
}

func (e *Engine) early(s *State, dim int, bin int64, c Counts, p *Parameters) (ev Evidence, sc scores) {
	at := clampBin(bin)
	if s.last != at || !s.Seen() {
		return ev, sc
	}
	d := p.of(dim, s.group)
	c = c.clean()
	t := e.setting(s, d, at)
	now := s.now(&t)
	l := e.weigh(s, d, &t, &now, s.busy, &c)
	sc.read(s)
	sc.step(&l, e.keepOf(s, d, &l), d.top())
	return e.evidence(s, d, &t, &l, &sc, &c), sc
}

// pass scores a bin and puts the statistics into the state. was are those of
// Distinct before it.
func (e *Engine) pass(s *State, d *Dimension, t *setting, c *Counts) (l likelihood, sc scores, was [NumRates]float64) {
	now := s.now(t)
	l = e.weigh(s, d, t, &now, s.busy, c)
	sc.read(s)
	was = sc.core[Distinct]
	l.taught = quarters // in the first two weeks, whatever it does
	if t.age >= pastDays*e.perDay {
		l.taught = taught(sc.total())
	}
	sc.step(&l, e.keepOf(s, d, &l), d.top())
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
func (e *Engine) Close(s *State, dim int, bin int64, c Counts, p *Parameters, sums *Sums) Evidence {
	at := clampBin(bin)
	if s.last > at {
		return Evidence{}
	}
	d := p.of(dim, s.group)
	e.catchUpTo(s, d, at)
	c = c.clean()
	t := e.setting(s, d, at)
	l, sc, was := e.pass(s, d, &t, &c)
	ev := e.evidence(s, d, &t, &l, &sc, &c)
	before := float64(s.high)
	e.note(s, &t, ev.Log)
	if sums != nil {
		e.tell(sums.dim(dim), s, &t, &l, &c, before, ev.Log)
	}
	s.told = e.dayMark(at)
	e.learn(s, d, &t, &l, &was, &c)
	if c.any() {
		c[OffHours], c[Newcomer] = 0, 0 // derived again whenever they are needed
		e.remember(s, at, l.taught, &c)
	}
	return ev
}

// Hot reports whether the evidence is, or lately was, so high that the identity
// must be closed in bins without a count too, so that correlate sees it fall.
// It holds for at least six hours after an episode has become quiet.
func (e *Engine) Hot(s *State, dim int, p *Parameters) bool {
	return s.Seen() && float64(s.peak) >= p.Threshold(dim)-episode.Margin-hotMargin
}

// hotMargin is six hours of falling at a quarter of a nat an hour.
const hotMargin = 1.5

// clean maps counts to what the sums can hold: whole, not negative, not NaN.
func (c Counts) clean() Counts {
	for m := range c {
		v := math.Round(c[m])
		if !(v > 0) {
			v = 0
		}
		c[m] = min(v, maxCount)
	}
	c[OffHours], c[Newcomer] = 0, 0
	return c
}

// any reports whether any count is above zero.
func (c *Counts) any() bool {
	for _, v := range c[:OffHours] { // what is derived follows from the others
		if v > 0 {
			return true
		}
	}
	return false
}

// catchUpTo closes the silent bins before at. Of a long silence only the last
// catchUp bins are scored one by one; before them the statistics start anew.
func (e *Engine) catchUpTo(s *State, d *Dimension, at uint32) {
	if s.last == 0 {
		s.first, s.last, s.rise = at+1, at, at+1
		return
	}
	if gap := at - s.last; gap > e.catchUp {
		e.rest(s, gap-e.catchUp)
	}
	for bin := s.last; bin < at; bin++ {
		var silent Counts
		t := e.setting(s, d, bin)
		t.mode = calm // the fleet's mode of a past bin is no longer known
		l, sc, was := e.pass(s, d, &t, &silent)
		e.note(s, &t, ln(max(sc.total(), minStat)))
		e.learn(s, d, &t, &l, &was, &silent)
	}
}

var calm = [numCore]float64{1, 1}

// rest passes n silent bins in one go: what the statistics held is over, and who
// is not away has learned silence.
func (e *Engine) rest(s *State, n uint32) {
	learns := s.past() == nil
	for m := range s.core {
		x := &s.core[m]
		x.stat = stats{}
		if learns {
			x.rest(float64(n), e.level[m], e.dispersion, m == int(Distinct))
		}
	}
	s.both = stats{}
	if p := s.past(); p != nil {
		p.stat, p.both = [numCore]stats{}, stats{}
	}
	if s.more != nil {
		for i, x := range s.more.extra {
			if x == nil {
				continue
			}
			x.stat = stats{}
			if m := Measure(i + numCore); learns && m != RowsRead && m != Newcomer {
				x.rest(float64(n), e.level[Distinct], e.dispersion, true)
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
