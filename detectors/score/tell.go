package score

import "math"

// tell adds to the sums of a dimension one closed bin of one identity. before and log are the evidence
// before and after it.
func (e *Engine) tell(s *dimSums, id *State, t *setting, l *likelihood, c *Counts, before, log float64) {
	s.scored++
	settled := t.age >= e.perDay
	days := e.daysUntold(id, t.bin)
	b := &l.base
	if id.told == 0 {
		s.chance += toFixed(Weight(Newcomer)) // an e-value of its own
	}
	if days > 0 {
		s.chance += toFixed(days * e.perDay * b.level / (1 + b.level))
	}
	tellPeers(&s.peerSums, id, t, l, c, days > 0, settled)
	if id.group != 0 {
		tellPeers(&s.group(id.group).peerSums, id, t, l, c, days > 0, settled)
	}
	for i := TailEdge(before); i < TailEdge(log); i++ {
		s.tail[i]++
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
func (e *Engine) dayMark(bin uint32) uint16 { return uint16(e.day(bin)) + 1 }

// tellPeers adds what one closed bin of one identity tells of its peers.
func tellPeers(s *peerSums, id *State, t *setting, l *likelihood, c *Counts, first, settled bool) {
	if first {
		s.fresh++
	}
	b := &l.base
	if c[Distinct] > 0 {
		s.activity += toFixed(min(c[Distinct]/b.level, 16) * (1 - b.peer))
	}
	s.measures[Distinct].bin(c[Distinct], b.mu, b.mode, settled)
	s.measures[FirstTouch].bin(c[FirstTouch], l.share.mean*c[Distinct], t.mode[FirstTouch], settled)
	if first && settled {
		tellPeer(&s.measures[Distinct], &id.core[Distinct], b)
	}
	if l.arrives {
		tellNewcomer(&s.measures[Newcomer], &l.newcomer, c[Newcomer]-c[Distinct], c[Newcomer])
	}
	for i, judged := range l.judged {
		m := Measure(i + numCore)
		switch {
		case !judged || m == Newcomer:
		case m == RowsRead:
			s.measures[m].rows(c[m])
		default:
			r := &l.rare[i]
			s.measures[m].bin(c[m], r.level*r.shape*r.mode, r.mode, false)
			if x := id.extra(m); x != nil && first && settled {
				tellPeer(&s.measures[m], x, r)
			}
		}
	}
}

// tellPeer adds what an identity tells of its peers, once a day.
func tellPeer(s *measureSums, x *series, b *baseline) {
	if b.peer >= settleShare {
		return
	}
	own := (float64(x.count) + 0.5) / (float64(x.exposure) + 1)
	s.observe(1-b.peer, math.Log(own))
	s.k[bucket(2*math.Log2(b.inverseK/minInverseK), kCells)]++
}

// tellNewcomer adds how a newcomer's total has grown, so that the sums over its
// bins are those of its last. Totals far beyond the others' are cut, lest a
// thief teach what newcomers do.
func tellNewcomer(s *measureSums, w *rowsOf, before, after float64) {
	if after <= before {
		return
	}
	most := w.mean + 3*math.Sqrt(w.variance)
	log := func(total float64) float64 { return min(math.Log(max(total, 1)), most) }
	was, is := log(before), log(after)
	if before == 0 {
		s.weight += toFixed(1)
	}
	s.log += int64(math.Round(is*fixed)) - int64(math.Round(was*fixed))
	s.logSq += toFixed(is*is) - toFixed(was*was)
}
