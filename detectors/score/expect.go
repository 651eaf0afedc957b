package score

import "math"

// view is what one judgement looks at: an identity's day or bin beside what is
// expected of it.
type view struct {
	s     *State
	class *Class
	dim   *Dimension
	day   int64
	mode  float64 // of the day
	shape float64 // factor of the hour in the mean bin
	now   [NumMeasures]float64
	off   float64
}

// youngOf returns which day of its youth it is for the identity, or -1.
func (s *State) youngOf() int {
	if s.days < youth {
		return int(s.days)
	}
	return -1
}

// expectDay returns the expected count of a daily statistic and the dispersion
// around it. ok is false where nothing can be said: of a newcomer whose peers'
// first days nobody has seen, in its first days.
func (e *Engine) expectDay(v *view, st Stat, h int) (mu, k float64, ok bool) {
	t := &e.Tuning
	s, m := v.s, st.measure()
	mean, fast := s.mean(st, h), s.mean(st, 0)
	mu, k = mean*v.mode, v.class.K[st]
	floor := t.Floor[st]
	young := s.youngOf()
	if young < 0 {
		return max(mu, floor), k, true
	}
	if m < PeerMeasures && st != DayOff && !t.NoNewcomer {
		if peers, spread := v.class.peers(young, m); peers >= 0 {
			return max(peers*v.mode, floor), 1 / (1/k + spread), true
		}
	}
	return max(mu, fast*v.mode, floor*t.YoungFloor), k, young >= 3
}

// mean returns a mean of the identity's days with work.
func (s *State) mean(st Stat, h int) float64 {
	switch {
	case st == DayDistinct:
		return float64(s.level[h][Distinct])
	case st == DayFirst, st == DayShare:
		return float64(s.level[h][FirstTouch])
	case s.more == nil:
		return 0
	}
	return float64(s.more.rare[rareAt(st)].level[h])
}

// records returns the distinct records of the day so far, and how many of them are new.
func (v *view) records() (n, fresh float64) {
	return v.now[Distinct], min(v.now[FirstTouch], v.now[Distinct])
}

// count returns what a daily statistic has counted today.
func (v *view) count(st Stat) float64 {
	if st == DayOff {
		return v.off
	}
	return v.now[st.measure()]
}

// share returns the share of new records that is expected of the identity, and
// that of somebody who draws from all records that the fleet knows: formula 2.
func (e *Engine) share(v *view, h int) (own, blind float64) {
	s := v.s
	days := math.Min(float64(s.days), [horizons]float64{e.Tuning.Fast, e.Tuning.Slow}[h])
	own = math.Min(0.97, (days*float64(s.level[h][FirstTouch])+0.5)/(days*float64(s.level[h][Distinct])+1))
	blind = 1
	if v.dim.Known > 0 {
		blind = 1 - math.Min(float64(s.seen)/v.dim.Known, 1)
	}
	return own, blind
}

// ratiosOf returns the log ratios of a daily statistic, and false where there is
// nothing to judge.
func (e *Engine) ratiosOf(v *view, st Stat, h int) (l ratios, mu, k float64, ok bool) {
	if v.doubts(st.measure()) {
		return l, 0, 0, false
	}
	if st == DayShare {
		return e.shareRatios(v, h)
	}
	mu, k, ok = e.expectDay(v, st, h)
	if !ok {
		return l, mu, k, false
	}
	if st == DayFirst && v.s.settled() && v.now[Distinct] > 0 && !e.Tuning.NoFirst {
		return e.firstRatios(v, h), mu, k, true
	}
	return v.s.countRatios(st, v.count(st), mu, k), mu, k, true
}

// mostShare is the largest share of new records that is tried.
const mostShare = 0.99

// tried returns the share of new records that is tried against one of q0: that fewer are
// new than usual says nothing for a drift.
func tried(q0, share float64) float64 { return min(mostShare, max(q0, share)) }

// driftShare returns the share of new records under a drift to r of somebody who draws
// blindly: formula 2. It does not fall with r.
func driftShare(q0, blind, r float64) float64 { return tried(q0, (q0+(r-1)*blind)/r) }

// shareRatios returns those of the share of new records alone.
func (e *Engine) shareRatios(v *view, h int) (l ratios, mu, k float64, ok bool) {
	n, f := v.records()
	if !v.s.settled() || n == 0 {
		return l, 0, 0, false
	}
	q0, blind := e.share(v, h) // where all ratios are near one, they say nothing and yet grow
	if blind-q0 < e.Tuning.LeastRoom {
		return l, 0, 0, false
	}
	var q1 [NumRates]float64
	for i, theta := range Shares {
		q1[i] = tried(q0, q0+theta*(blind-q0))
	}
	e.addShares(v, &l, f, n, q0, &q1)
	return l, q0 * n, e.Tuning.Concentration, true
}

// firstRatios returns those of first touches with the day's records.
func (e *Engine) firstRatios(v *view, h int) ratios {
	n, f := v.records()
	mu, k, _ := e.expectDay(v, DayDistinct, h)
	q0, blind := e.share(v, h)
	l := countRatios(n, mu, k)
	var q1 [NumRates]float64
	for i, r := range Rates {
		q1[i] = driftShare(q0, blind, r)
	}
	e.addShares(v, &l, f, n, q0, &q1)
	return l
}

// addShares adds the log ratios of the new records among n, as far as they show: a share
// of q shows as q·p, with the spread that it has.
func (e *Engine) addShares(v *view, l *ratios, f, n, q0 float64, q1 *[NumRates]float64) {
	p := v.s.shown(FirstTouch)
	phi := e.concentration(q0, p)
	if p < 1 {
		for i := range q1 {
			q1[i] *= p
		}
	}
	l.addShares(math.Round(f*p), n, q0*p, q1, phi)
}

// concentration returns that of the share of new records that show, of which each does
// with a probability of p, around one of q0: a multiple of a share has the same spread
// beside its mean.
func (e *Engine) concentration(q0, p float64) float64 {
	if p == 1 {
		return e.Tuning.Concentration
	}
	return (e.Tuning.Concentration+1)*(1-q0*p)/(p*(1-q0)) - 1
}

// expectBin returns the expected count of a statistic of bins and its dispersion.
func (e *Engine) expectBin(v *view, st Stat) (mu, k float64, ok bool) {
	s, floor := v.s, e.Tuning.Floor[st]
	if v.doubts(st.measure()) {
		return 0, 0, false
	}
	switch st {
	case BinRows:
		if s.more != nil {
			mu = float64(s.more.pace)
		}
	default:
		mu = float64(s.pace[st.measure()])
	}
	if float64(s.bins) < e.Tuning.YoungBins {
		return max(mu, floor*e.Tuning.YoungFloor), v.class.K[st], s.days >= 3
	}
	return max(mu*v.class.Bin*v.shape, floor), v.class.K[st], true
}

// RowPace returns the identity's mean bin with rows.
func (s *State) RowPace() float64 {
	if s.more == nil {
		return 0
	}
	return float64(s.more.pace)
}

// Level returns the identity's mean bin with work in distinct records, for facts
// that are judged by the pace of what they are about.
func (s *State) Level() float64 { return float64(s.pace[Distinct]) }
