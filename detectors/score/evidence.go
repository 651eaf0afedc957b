package score

import (
	"github.com/weirhq/weir/detectors/fleet"
)

// evidence reads the evidence off the statistics of a scored bin.
func (e *Engine) evidence(s *State, d *fleet.Dimension, t *setting, l *likelihood, sc *scores, c *fleet.Counts) fleet.Evidence {
	ev := fleet.Evidence{Scored: true, Onset: int64(t.bin), Peers: d.Peers, Log: fleet.Ln(max(sc.total(), minStat))}
	best := 0.0
	for m := range fleet.NumMeasures {
		if m >= fleet.NumCore && !sc.kept[m-fleet.NumCore] {
			continue
		}
		ev.Measures[m] = sc.explain(m, l, c)
		if v := fleet.Weight(m) * sc.of(m); v > best {
			best, ev.Measure = v, m
		}
	}
	if ev.Log < fleet.CandidateCut {
		return ev
	}
	sc.tellRates(&ev)
	ev.Onset = e.onset(s, d, &ev, sc, t.bin, c)
	return ev
}

// tellRates fills in the evidence of each drift rate.
func (sc *scores) tellRates(ev *fleet.Evidence) {
	for m := range fleet.NumMeasures {
		if ev.Measures[m].Judged {
			for i := range fleet.Rates {
				ev.Measures[m].Rates[i] = fleet.Ln(max(sc.rate(m, i), minStat))
			}
		}
	}
}

// explain returns a measure's part of the evidence, but for its rates.
func (sc *scores) explain(m fleet.Measure, l *likelihood, c *fleet.Counts) fleet.MeasureEvidence {
	ev := fleet.MeasureEvidence{Judged: true, Log: fleet.Ln(max(sc.of(m), minStat)), Observed: c[m], Shape: 1, Mode: 1}
	switch m {
	case fleet.Distinct:
		b := &l.base
		ev.Expected, ev.Level, ev.Shape, ev.Mode, ev.K, ev.PeerWeight = b.mu, b.level, b.shape, b.mode, b.k(), b.peer
	case fleet.FirstTouch:
		v := &l.share
		n := c[fleet.Distinct]
		ev.Expected, ev.Level, ev.Shape, ev.K = v.mean*n, v.mean, n, 1/v.cluster-1
	case fleet.RowsRead:
		w := &l.rows
		ev.Expected = fleet.Exp(min(w.mean, anyRows))
		ev.Level, ev.K = ev.Expected, 1/w.variance
	case fleet.Newcomer:
		w := &l.newcomer
		ev.Expected = fleet.Exp(min(w.mean, anyRows))
		ev.Observed, ev.Level, ev.K, ev.PeerWeight = l.total, ev.Expected, 1/w.variance, 1
	default:
		b := &l.rare[m-fleet.NumCore]
		ev.Expected, ev.Level, ev.Shape, ev.Mode, ev.PeerWeight = b.level*b.shape*b.mode, b.level, b.shape, b.mode, b.peer
		ev.K = 1 / (b.inverseK + b.day)
	}
	return ev
}
