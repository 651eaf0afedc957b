package score

// evidence reads the evidence off the statistics of a scored bin.
func (e *Engine) evidence(s *State, d *Dimension, t *setting, l *likelihood, sc *scores, c *Counts) Evidence {
	ev := Evidence{Scored: true, Onset: int64(t.bin), Peers: d.Peers, Log: ln(max(sc.total(), minStat))}
	best := 0.0
	for m := range NumMeasures {
		if m >= numCore && !sc.kept[m-numCore] {
			continue
		}
		ev.Measures[m] = sc.explain(m, l, c)
		if v := Weight(m) * sc.of(m); v > best {
			best, ev.Measure = v, m
		}
	}
	if ev.Log < CandidateCut {
		return ev
	}
	sc.tellRates(&ev)
	ev.Onset = e.onset(s, d, &ev, sc, t.bin, c)
	return ev
}

// tellRates fills in the evidence of each drift rate.
func (sc *scores) tellRates(ev *Evidence) {
	for m := range NumMeasures {
		if ev.Measures[m].Judged {
			for i := range Rates {
				ev.Measures[m].Rates[i] = ln(max(sc.rate(m, i), minStat))
			}
		}
	}
}

// explain returns a measure's part of the evidence, but for its rates.
func (sc *scores) explain(m Measure, l *likelihood, c *Counts) MeasureEvidence {
	ev := MeasureEvidence{Judged: true, Log: ln(max(sc.of(m), minStat)), Observed: c[m], Shape: 1, Mode: 1}
	switch m {
	case Distinct:
		b := &l.base
		ev.Expected, ev.Level, ev.Shape, ev.Mode, ev.K, ev.PeerWeight = b.mu, b.level, b.shape, b.mode, b.k(), b.peer
	case FirstTouch:
		v := &l.share
		n := c[Distinct]
		ev.Expected, ev.Level, ev.Shape, ev.K = v.mean*n, v.mean, n, 1/v.cluster-1
	case RowsRead:
		w := &l.rows
		ev.Expected = exp(min(w.mean, anyRows))
		ev.Level, ev.K = ev.Expected, 1/w.variance
	case Newcomer:
		w := &l.newcomer
		ev.Expected = exp(min(w.mean, anyRows))
		ev.Observed, ev.Level, ev.K, ev.PeerWeight = l.total, ev.Expected, 1/w.variance, 1
	default:
		b := &l.rare[m-numCore]
		ev.Expected, ev.Level, ev.Shape, ev.Mode, ev.PeerWeight = b.level*b.shape*b.mode, b.level, b.shape, b.mode, b.peer
		ev.K = 1 / (b.inverseK + b.day)
	}
	return ev
}
