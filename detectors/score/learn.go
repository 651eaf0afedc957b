package score

import "math"

// closeDay ends the open day: the statistics take it in, and the means learn it.
func (e *Engine) closeDay(v *view, day int64, lesson *Lesson) {
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
			x, allowed := e.allow(v.class, st, &l)
			r := s.dailyStat(st, h)
			now := r.step(&l, x-allowed, e.keepOf(v, st, x))
			*r = now.capped(v.dim.Threshold[st.Group()])
			if lesson != nil && s.days >= youth {
				lesson.x(st, x)
				if h == 0 && st != DayFirst && st != DayShare {
					lesson.spread(st, v.count(st), mu)
				}
			}
		}
	}
	if lesson != nil {
		lesson.Days++
		lesson.Young = s.youngOf()
		lesson.First = v.now
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
func (e *Engine) learnBin(v *view, c *Counts, lesson *Lesson) {
	s := v.s
	if lesson != nil {
		lesson.Bins++
		if s.bins >= youngBins {
			lesson.BinRatio, lesson.HasBin = math.Log((c[Distinct]+1)/(float64(s.pace[Distinct])+1)), true
		}
		if s.days >= youth {
			lesson.DayRatio, lesson.HasDay = math.Log((v.now[Distinct]+1)/(float64(s.level[0][Distinct])+1)), true
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
// hundredths of a record that fade by 3 % a day with work.
const (
	hourUnit = 16
	hourFade = 0.97
)

// hoursKnown is how many days with work make the own hours known.
const hoursKnown = 10

// observe adds a bin's records to the own hours.
func (x *extra) observe(cell int, n float64) {
	v := float64(x.work[cell]) + math.Min(n, 200)*hourUnit
	if v > math.MaxUint16 {
		for i := range x.work {
			x.work[i] /= 2
		}
		v = v / 2
	}
	x.work[cell] = uint16(v)
}

func (x *extra) forget() {
	for i, v := range x.work {
		x.work[i] = uint16(math.Round(float64(v) * hourFade))
	}
}

// unusual reports whether an hour is one at which the identity hardly ever works:
// its share of the own work, smoothed over its neighbours, is below OffShare.
func (e *Engine) unusual(v *view, cell int) bool {
	s := v.s
	if s.days < hoursKnown || s.more == nil || e.Tuning.NoHours {
		return false
	}
	total := 1.0
	for _, n := range s.more.work {
		total += float64(n) / hourUnit
	}
	of := func(h int) float64 { return float64(s.more.work[cell/24*24+(h+24)%24]) / hourUnit }
	h := cell % 24
	own := (of(h-1) + 2*of(h) + of(h+1)) / 4
	kind := 5.0 // such days in a week
	if cell >= 24 {
		kind = 2
	}
	return own/kind < total/7*e.Tuning.OffShare
}
