package detect

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// topTraits is how many traits of one dimension a candidate names.
const topTraits = 5

// shares returns the traits with the largest shares of so many events, by
// dimension and largest share first.
func shares(list []trait.Count, events int64) (out []campaign.TraitShare) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b trait.Count) int {
		if order := cmp.Or(cmp.Compare(a.Dimension(), b.Dimension()), cmp.Compare(b.Events(), a.Events())); order != 0 {
			return order
		}
		return cmp.Compare(a.Name(), b.Name())
	})
	for i := range list {
		if t := &list[i]; i < topTraits || list[i-topTraits].Dimension() != t.Dimension() {
			out = append(out, campaign.TraitShare{Trait: t.Trait(), Share: float64(t.Events()) / float64(max(events, t.Events()))})
		}
	}
	return out
}

// context says what is known of an identity that is not followed.
func (d *Task) context(id *identity) stream.Context {
	if id.last == eventtime.Never {
		return stream.Context{} // it has only signed in
	}
	c := stream.Context{LastSeen: d.cfg.Grid.TickEnd(id.last)}
	if !id.doubted() {
		c.FirstSeen = d.cfg.Grid.TickStart(id.first)
	}
	if t := id.tally; t != nil {
		c.Traits = shares(t.traits, t.events)
	}
	return c
}

// candidate reports an identity whose evidence stands out, or did. open is what
// was counted in a bin that is still open.
func (d *Task) candidate(id *identity, tick, bin int64, ev *score.Evidence, open *score.Counts, params *score.Parameters) {
	if d.openEpisode(id, bin) {
		ev.Narrow()
	}
	e := d.expose(id, tick, bin, ev, open, params)
	if tick <= d.reported {
		return // a restore: reported before
	}
	measures := d.measuresOf(id, bin, ev)
	if len(measures) == 0 {
		return // nothing can be judged yet
	}
	keeps, adds := keepsOpen(ev)
	exposed := d.exposedSince(id, &e.Exposure, tick)
	exposed.Rows = int64(e.past.rows + open[score.Rows])
	c := stream.Candidate{
		Tick:      tick,
		Dimension: id.dimension(),
		Identity:  id.name(),
		Group:     ev.Group.String(),
		Log:       wire.Finite(ev.Log),
		Threshold: ev.Threshold,
		Bin:       bin,
		Spent:     !keeps,
		Stale:     !adds || d.cfg.Grid.BinOfTick(id.last) != bin,
		Onset:     e.Since,
		Earliest:  d.cfg.Grid.BinStart(e.earliest),
		Latest:    d.cfg.Grid.BinStart(e.latest),
		Peers:     d.peersOf(id, ev),
		Measures:  measures,
		Exposed:   exposed,
		Course:    d.courseOf(id, e, tick, &exposed, ev, open, params),
		Context:   d.contextSince(id, e, exposed.Records, open),
	}
	d.report.Candidates = append(d.report.Candidates, c)
}

// measuresOf returns what each judged statistic adds to the evidence, the strongest
// first.
func (d *Task) measuresOf(id *identity, bin int64, ev *score.Evidence) (out []stream.MeasureEvidence) {
	first := 0 // how many are of the group that stands out most, which go first
	for i := range ev.Stats {
		stat, s := score.Stat(i), &ev.Stats[i]
		if !s.Judged {
			continue
		}
		m := explain(stat, s)
		m.From = d.cfg.Grid.BinStart(bin)
		if stat.Daily() {
			m.From = d.cfg.Grid.BinStart(d.cfg.Engine.DayStart(bin))
		}
		switch stat {
		case score.BinDistinct:
			distinct := id.window.Count(d.cfg.Grid.BinMinute(bin))
			m.Low, m.High = min(distinct.Low, m.Observed), max(distinct.High, m.Observed)
		case score.DayDistinct:
			day := id.window.Count(eventtime.MinuteOf(m.From))
			m.Low, m.High = min(day.Low, m.Observed), max(min(day.High, m.Observed+day.High-day.N), m.Observed)
		case score.BinFirst, score.DayFirst, score.DayShare:
			m.Low, m.High = id.firstTouches(m.Observed)
		}
		if stat.Group() == ev.Group {
			out = slices.Insert(out, first, m)
			first++
		} else {
			out = append(out, m)
		}
	}
	for _, group := range [][]stream.MeasureEvidence{out[:first], out[first:]} {
		slices.SortStableFunc(group, func(a, b stream.MeasureEvidence) int { return cmp.Compare(b.Log, a.Log) })
	}
	return out
}

// explain returns what one statistic adds to the evidence, with every number fit
// to be written down.
func explain(stat score.Stat, s *score.StatEvidence) stream.MeasureEvidence {
	out := stream.MeasureEvidence{
		Measure: stat.String(), Log: wire.Finite(s.Log),
		Observed: s.Observed, Low: s.Observed, High: s.Observed, Expected: s.Expected, Mode: s.Mode,
		Dispersion: wire.Finite(s.K), Ratio: wire.Finite(s.Ratio), Allowed: wire.Finite(s.Allowed),
	}
	drifts := score.Rates
	if stat == score.DayShare {
		drifts = score.Shares
	}
	out.Rates = make([]stream.RateEvidence, 0, len(drifts))
	for i, rate := range drifts {
		out.Rates = append(out.Rates, stream.RateEvidence{Rate: rate, Log: wire.Finite(s.Rates[i])})
	}
	return out
}
