package stream

import (
	"cmp"
	"math"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors"
	"github.com/weirhq/weir/sketches"
)

// exposure follows the records that an identity has touched since the onset
// of what made it a candidate.
type exposure struct {
	since  int64 // Unix ms, start of the bin of onset
	seen   int64 // last bin in which the identity was a candidate
	opened bool  // the evidence has reached the threshold: there is an episode
	rows   int64 // rows without record ids, since it was followed
	union  sketches.Exposure
}

// followFor is how long after its last candidacy an identity is followed: as
// long as its episode may still be open, or open again.
const followFor = detectors.EpisodeQuiet + detectors.EpisodeGrace

func (e *exposure) add(p *part) {
	e.union.AddWindow(&p.records, 0)
	e.rows = addClamped(e.rows, p.rows.Total())
}

// expose begins to follow an identity, or reaches further back when the onset
// has moved. What was followed before and came to nothing, or is over, is left
// behind.
func (d *Detect) expose(id *identity, onset, bin int64) *exposure {
	since := onset * d.cfg.Grid.Bin
	e := id.exposed
	over := e == nil || (bin-e.seen)*d.cfg.Grid.Bin > followFor || !e.opened && onset > e.seen
	switch {
	case over:
		e = &exposure{since: since}
		e.union.AddWindow(&id.window, d.cfg.Grid.BinMinute(onset))
		id.exposed = e
	case since < e.since:
		e.since = since
		e.union.AddWindow(&id.window, d.cfg.Grid.BinMinute(onset))
	}
	e.seen = bin
	return e
}

// exposedRecords returns what the identity has exposed: exact as long as the window
// knows every record since, else the union's estimate.
func (d *Detect) exposedRecords(id *identity, tick int64) alerting.Exposed {
	e := id.exposed
	est := e.union.Estimate()
	if id.window.Exact() && d.cfg.Grid.TickEnd(tick)-e.since <= d.cfg.Retention {
		est = id.window.Count(uint32(e.since / 60_000))
	}
	return alerting.Exposed{
		Records: int64(est.N + 0.5), Low: int64(est.Low), High: int64(est.High + 0.999),
		Since: alerting.Time(e.since), Rows: e.rows,
	}
}

// candidate reports an identity whose evidence stands out, or did.
func (d *Detect) candidate(id *identity, tick, bin int64, ev *detectors.Evidence, distinct sketches.Estimate) {
	e := d.expose(id, min(ev.Onset, bin), bin)
	if ev.Log >= d.parameter[bin-1].Threshold(id.dimension()) {
		e.opened = true
	}
	if tick <= d.reported {
		return // a restore: reported before
	}
	c := Candidate{
		Tick:      tick,
		Dimension: id.dimension(),
		Identity:  id.name(),
		Log:       finite(ev.Log),
		Bin:       bin,
		Onset:     alerting.Time(e.since),
		Exposed:   d.exposedRecords(id, tick),
	}
	for m := range ev.Measures {
		if !ev.Measures[m].Judged {
			continue
		}
		me := explain(detectors.Measure(m), &ev.Measures[m])
		if detectors.Measure(m) == detectors.Distinct {
			me.Low, me.High = min(distinct.Low, me.Observed), max(distinct.High, me.Observed)
		}
		c.Measures = append(c.Measures, me)
	}
	slices.SortStableFunc(c.Measures, func(a, b alerting.MeasureEvidence) int {
		return -cmp.Compare(a.LogValue, b.LogValue)
	})
	d.report.Candidates = append(d.report.Candidates, c)
}

// explain turns one measure's part of the evidence into what alerts carry.
func explain(m detectors.Measure, ev *detectors.MeasureEvidence) alerting.MeasureEvidence {
	out := alerting.MeasureEvidence{
		Measure: m.String(), LogValue: finite(ev.Log),
		Observed: ev.Observed, Low: ev.Observed, High: ev.Observed,
		Expected: ev.Expected, Level: ev.Level, Shape: ev.Shape, Mode: ev.Mode,
		Dispersion: ev.K, PeerWeight: ev.PeerWeight,
	}
	for i, rate := range detectors.Rates {
		out.Rates = append(out.Rates, alerting.RateEvidence{Rate: rate, LogValue: finite(ev.Rates[i])})
	}
	return out
}

// finite bounds log evidence, so that it can be written down.
func finite(log float64) float64 {
	if math.IsNaN(log) {
		return 0
	}
	return min(max(log, -1e6), 1e6)
}
