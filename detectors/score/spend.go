package score

import "math"

// Evidence that was enough for an episode is spent: it does not stay for weeks when
// its cause has gone, or an episode would not end. So a statistic of a group whose
// evidence has lately been above its threshold is divided by e^4 by each ordinary day
// with work, which says less for a drift than against it, by e^(1/2) by each ordinary
// bin, and by e^2 a day by silence after the first day of it. A leak that goes on says
// more than that each day.
const (
	spendDay     = 4.0 // nats
	spendBin     = 0.5 // nats
	spendSilence = 2.0 // nats a day
)

// spent reports whether the evidence of a group was enough lately.
func (v *view) spent(g Group) bool { return float64(v.s.high[g]) >= v.dim.thresholds(v.s)[g] }

// keepOf returns the share of a daily statistic that outlives an ended day, of which
// x is the log mean ratio.
func (e *Engine) keepOf(v *view, st Stat, x float64) float64 {
	if x <= 0 && v.spent(st.Group()) {
		return e.keepDay() * math.Exp(-spendDay)
	}
	return e.keepDay()
}

// spendSilence spends what silence spends up to a bin.
func (e *Engine) spendSilence(v *view, at uint32) {
	s := v.s
	days := e.away(s, at, 1) - e.away(s, s.last-1, 1)
	if days <= 0 {
		return
	}
	fade := float32(math.Exp(-spendSilence * days))
	for st := range NumStats {
		if !v.spent(st.Group()) {
			continue
		}
		switch {
		case st == BinRows && s.more != nil:
			s.more.rows.fade(fade)
		case st == BinRows:
		case !st.Daily():
			s.burst[st-BinDistinct].fade(fade)
		case e.kept(s, st):
			for h := range horizons {
				s.dailyStat(st, h).fade(fade)
			}
		}
	}
}
