package score

import (
	"math"

	"github.com/weirhq/weir/detectors/fleet"
)

// tell adds to the sums of a dimension one closed bin of one identity. before and log are the evidence
// before and after it.
func (e *Engine) tell(s *fleet.DimSums, id *State, t *setting, l *likelihood, c *fleet.Counts, before, log float64) {
	s.Scored++
	settled := t.age >= e.PerDay
	days := e.daysUntold(id, t.bin)
	b := &l.base
	if id.told == 0 {
		s.Chance += fleet.ToFixed(fleet.Weight(fleet.Newcomer)) // an e-value of its own
	}
	if days > 0 {
		s.Chance += fleet.ToFixed(days * e.PerDay * b.level / (1 + b.level))
	}
	tellPeers(&s.PeerSums, id, t, l, c, days > 0, settled)
	if id.group != 0 {
		tellPeers(&s.Group(id.group).PeerSums, id, t, l, c, days > 0, settled)
	}
	for i := fleet.TailEdge(before); i < fleet.TailEdge(log); i++ {
		s.Tail[i]++
	}
}

// daysUntold returns for how many days an identity has told nothing of itself,
// zero if it has on this one; at most a week.
func (e *Engine) daysUntold(id *State, bin uint32) float64 {
	if id.told == 0 {
		return 1
	}
	return float64(min(e.dayMark(bin)-id.told, 7))
}

// dayMark returns the low bits of the day of event time that a bin starts in.
func (e *Engine) dayMark(bin uint32) uint16 { return uint16(e.Day(bin)) + 1 }

// tellPeers adds what one closed bin of one identity tells of its peers.
func tellPeers(s *fleet.PeerSums, id *State, t *setting, l *likelihood, c *fleet.Counts, first, settled bool) {
	if first {
		s.Fresh++
	}
	b := &l.base
	if c[fleet.Distinct] > 0 {
		s.Activity += fleet.ToFixed(min(c[fleet.Distinct]/b.level, 16) * (1 - b.peer))
	}
	s.Measures[fleet.Distinct].Bin(c[fleet.Distinct], b.mu, b.mode, settled)
	s.Measures[fleet.FirstTouch].Bin(c[fleet.FirstTouch], l.share.mean*c[fleet.Distinct], t.mode[fleet.FirstTouch], settled)
	if first && settled {
		tellPeer(&s.Measures[fleet.Distinct], &id.core[fleet.Distinct], b)
	}
	if l.arrives {
		tellNewcomer(&s.Measures[fleet.Newcomer], &l.newcomer, c[fleet.Newcomer]-c[fleet.Distinct], c[fleet.Newcomer])
	}
	for i, judged := range l.judged {
		m := fleet.Measure(i + fleet.NumCore)
		switch {
		case !judged || m == fleet.Newcomer:
		case m == fleet.RowsRead:
			s.Measures[m].Rows(c[m])
		default:
			r := &l.rare[i]
			s.Measures[m].Bin(c[m], r.level*r.shape*r.mode, r.mode, false)
			if x := id.extra(m); x != nil && first && settled {
				tellPeer(&s.Measures[m], x, r)
			}
		}
	}
}

// tellPeer adds what an identity tells of its peers, once a day.
func tellPeer(s *fleet.MeasureSums, x *series, b *baseline) {
	if b.peer >= fleet.SettleShare {
		return
	}
	own := (float64(x.count) + 0.5) / (float64(x.exposure) + 1)
	s.Observe(1-b.peer, math.Log(own))
	s.K[fleet.Bucket(2*math.Log2(b.inverseK/fleet.MinInverseK), fleet.KCells)]++
}

// tellNewcomer adds how a newcomer's total has grown, so that the sums over its
// bins are those of its last. Totals far beyond the others' are cut, lest a
// thief teach what newcomers do.
func tellNewcomer(s *fleet.MeasureSums, w *rowsOf, before, after float64) {
	if after <= before {
		return
	}
	most := w.mean + 3*math.Sqrt(w.variance)
	log := func(total float64) float64 { return min(math.Log(max(total, 1)), most) }
	was, is := log(before), log(after)
	if before == 0 {
		s.Weight += fleet.ToFixed(1)
	}
	s.Log += int64(math.Round(is*fleet.Fixed)) - int64(math.Round(was*fleet.Fixed))
	s.LogSq += fleet.ToFixed(is*is) - fleet.ToFixed(was*was)
}
