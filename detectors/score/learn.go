package score

import "math"

// closeDay ends the open day: the statistics take it in, and the means learn it.
func (e *Engine) closeDay(v *view, day int64, sample *Sample) {
	s := v.s
	v.load(day)
	for st := DayDistinct; st < NumStats; st++ {
		if !st.Daily() || !e.kept(s, st) {
			continue
		}
		for h := range horizons {
			l, mu, _, ok := e.ratiosOf(v, st, h)
			if !ok {
				s.dailyStat(st, h).fade(float32(e.keepDay()))
				continue
			}
			w := l.weigh()
			x, allowed := w.log, e.allow(v.class, st, w.log)
			r := s.dailyStat(st, h)
			now := r.step(&w, x-allowed, e.keepOf(v, st, x))
			*r = now.capped(v.dim.thresholds(s)[st.Group()]+e.Tuning.Headroom, e.age(s, st))
			if sample != nil && s.settled() {
				sample.x(st, x)
				if h == 0 && st != DayFirst && st != DayShare {
					sample.spread(st, v.count(st), mu)
				}
			}
		}
	}
	if sample != nil {
		sample.Days++
		sample.Young = min(int(s.days), youth)
		sample.First = [PeerMeasures]float64{v.now[Distinct], v.now[FirstTouch]}
	}
	e.learnDay(v)
}

// learnDay moves the means. The slow one follows the fast, so that it lags by a
// week.
func (e *Engine) learnDay(v *view) {
	s := v.s
	s.days = min(s.days+1, math.MaxUint16-1)
	n := float64(s.days)
	fast, slow := max(1/n, 1/e.Tuning.Fast), max(1/n, 1/e.Tuning.Slow)
	for m := range s.level[0] {
		learn(&s.level[0][m], &s.level[1][m], v.now[m], fast, slow)
	}
	if x := s.more; x != nil {
		for i := range x.rare {
			if r := &x.rare[i]; r.kept {
				learn(&r.level[0], &r.level[1], v.count(DayRows+Stat(i)), fast, slow)
			}
		}
		x.oddRun += s.off
		x.forget()
	}
	s.seen += s.now[FirstTouch]
	s.now, s.off, s.day = [NumMeasures]float32{}, 0, 0
}

func learn(fast, slow *float32, count, a, b float64) {
	*fast += float32(a * (count - float64(*fast)))
	*slow += float32(b * (float64(*fast) - float64(*slow)))
}

// learnBin moves the mean bin.
func (e *Engine) learnBin(v *view, c *Counts, sample *Sample) {
	s := v.s
	if sample != nil {
		sample.Bins++
		if s.settled() && float64(s.bins) >= e.Tuning.YoungBins {
			sample.BinRatio, sample.HasBin = math.Log((c[Distinct]+1)/(float64(s.pace[Distinct])+1)), true
		}
		if s.settled() {
			sample.DayRatio, sample.HasDay = math.Log((v.now[Distinct]+1)/(float64(s.level[0][Distinct])+1)), true
		}
	}
	s.bins = min(s.bins+1, math.MaxUint16-1)
	w := max(1/float64(s.bins), e.paceBin)
	for m := range s.pace {
		s.pace[m] += float32(w * (c[m] - float64(s.pace[m])))
	}
	if c[Rows] > 0 {
		x := s.room()
		x.pace += float32(max(w, 0.1) * (c[Rows] - float64(x.pace)))
	}
}

// The own hours are records by hour of the day, of working days and weekends, in
// sixteenths of a record, and the bins with work in them, in sixteenths of a bin. Both
// fade by 3 % a day with work.
const (
	hourUnit = 16
	hourFade = 0.97
)

// observe adds a bin's records to the own hours. One bin counts as twenty mean ones at
// the most, so that a dump is not usual at its hour.
func (x *extra) observe(cell int, n, pace float64) {
	v := math.Min(n, 20*max(pace, 10)) * hourUnit / float64(uint64(1)<<x.half)
	for float64(x.work[cell])+v > math.MaxUint16 && x.half < 60 {
		for i := range x.work {
			x.work[i] /= 2
		}
		v, x.half = v/2, x.half+1
	}
	x.work[cell] += uint16(math.Round(v))
	x.busy[cell] = uint16(min(uint32(x.busy[cell])+hourUnit, math.MaxUint16))
}

func (x *extra) forget() {
	for i, v := range x.work {
		x.work[i] = uint16(math.Round(float64(v) * hourFade))
		x.busy[i] = uint16(math.Round(float64(x.busy[i]) * hourFade))
	}
}

// shape returns how many times its mean bin an identity usually does at an hour of the
// week, from that hour and half of its neighbours, as if it had done its mean in
// ShapeBins bins more: 1 of one whose hours are not known.
func (e *Engine) shape(s *State, cell int) float64 {
	x := s.more
	if x == nil || !s.settled() || e.Tuning.NoShape {
		return 1
	}
	var work, busy uint32
	for i, n := range x.work {
		work, busy = work+uint32(n), busy+uint32(x.busy[i])
	}
	if work == 0 || busy == 0 {
		return 1
	}
	mean := float64(work) / float64(busy)
	at := func(h int) (w, b float64) {
		i := cell/24*24 + (h+24)%24
		return float64(x.work[i]), float64(x.busy[i])
	}
	h := cell % 24
	w, b := at(h)
	w0, b0 := at(h - 1)
	w1, b1 := at(h + 1)
	prior := e.Tuning.ShapeBins * hourUnit
	return (w + (w0+w1)/2 + prior*mean) / (b + (b0+b1)/2 + prior) / mean
}

// unusual reports whether an hour is one at which the identity hardly ever works:
// its share of the own work, smoothed over its neighbours, is below OffShare.
func (e *Engine) unusual(v *view, cell int) bool {
	s := v.s
	if float64(s.days) < e.Tuning.KnownDays || s.more == nil || e.Tuning.NoHours {
		return false
	}
	sum := uint32(0)
	for _, n := range s.more.work {
		sum += uint32(n)
	}
	total := 1 + float64(sum)/hourUnit
	of := func(h int) float64 { return float64(s.more.work[cell/24*24+(h+24)%24]) / hourUnit }
	h := cell % 24
	own := (of(h-1) + 2*of(h) + of(h+1)) / 4
	kind := 5.0 // such days in a week
	if cell >= 24 {
		kind = 2
	}
	return own/kind < total/7*e.Tuning.OffShare
}
