package detect

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/exposure"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// followed follows the records that an identity has touched since the onset
// of what made it a candidate.
type followed struct {
	exposure.Exposure        // since the start of the bin of onset; rows and accesses since it is followed, and in the open bin before
	seen              int64  // last bin in which the identity was a candidate; once opened, in which its evidence was high
	opened            bool   // the evidence has reached the threshold: there is an episode
	past              leaked // of closed bins since the onset
}

// leaked are counts of what was exposed that nothing else keeps.
type leaked struct{ fresh, destructive, unissued float64 }

func leakedOf(c *score.Counts) leaked {
	return leaked{c[score.FirstTouch], c[score.Destructive], c[score.Unissued]}
}

func (l *leaked) add(c *score.Counts) {
	o := leakedOf(c)
	l.fresh += o.fresh
	l.destructive += o.destructive
	l.unissued += o.unissued
}

// followFor is how long after its last candidacy an identity is followed: as long as
// its episode, unless it is confirmed, may still be open, or open again.
const followFor = episode.Quiet + episode.Grace

func (e *followed) append(b []byte) []byte {
	b = binary.AppendVarint(b, e.seen)
	for _, v := range []float64{e.past.fresh, e.past.destructive, e.past.unissued} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	return e.Exposure.AppendBinary(b)
}

func readFollowed(r *wire.Reader) *followed {
	e := &followed{seen: r.Varint()}
	e.past = leaked{float64(r.Uvarint()), float64(r.Uvarint()), float64(r.Uvarint())}
	e.Exposure = exposure.Read(r)
	return e
}

// openEpisode reports whether an episode of the identity may be open in a bin: then
// what it exposes is reported though its evidence has gone, until the episode ends.
func (d *Task) openEpisode(id *identity, bin int64) bool {
	e := id.followed
	return e != nil && e.opened && (bin-e.seen)*d.cfg.Grid.Bin <= followFor
}

// expose begins to follow an identity, or reaches further back when the onset
// has moved. What was followed before and came to nothing, or is over, is left
// behind. What keeps it going is what sustains an episode, so that one that is always
// a candidate is not followed for ever.
func (d *Task) expose(id *identity, onset, bin int64, ev *score.Evidence) *followed {
	since := onset * d.cfg.Grid.Bin
	e := id.followed
	over := e == nil || (bin-e.seen)*d.cfg.Grid.Bin > followFor || !e.opened && onset > e.seen
	switch {
	case over:
		e = &followed{Exposure: exposure.Exposure{Since: since}}
		e.reach(id, d.cfg.Grid.BinMinute(onset), onset)
		if t := id.tally; t != nil {
			e.Events, e.Traits, e.Rows = t.events, slices.Clone(t.traits), t.rows
		}
		id.followed = e
	case since < e.Since:
		e.Since = since
		e.reach(id, d.cfg.Grid.BinMinute(onset), onset)
	}
	if !e.opened || episode.Sustains(ev.Log, ev.Threshold) {
		e.seen = max(e.seen, bin)
	}
	e.opened = e.opened || ev.Margin() >= 0
	return e
}

// reach takes in what the identity's state knows from a bin on.
func (e *followed) reach(id *identity, minute uint32, bin int64) {
	e.Records.AddWindow(&id.window, minute)
	c := id.state.Since(bin)
	known := leakedOf(&c)
	e.past.fresh = max(e.past.fresh, known.fresh)
	e.past.destructive = max(e.past.destructive, known.destructive)
	e.past.unissued = max(e.past.unissued, known.unissued)
}

// exposedSince returns what the identity has exposed: exact as long as the window
// knows every record since, else the union's estimate.
func (d *Task) exposedSince(id *identity, e *exposure.Exposure, tick int64) episode.Exposed {
	var est sketches.Estimate
	if id.window.Exact() && d.cfg.Grid.TickEnd(tick)-e.Since <= d.cfg.Retention {
		est = id.window.Count(eventtime.MinuteOf(e.Since))
	} else {
		est = e.Records.Estimate()
	}
	return episode.Exposed{
		Records: int64(est.N + 0.5), Low: int64(est.Low), High: int64(est.High + 0.999),
		Since: e.Since, Rows: e.Rows,
	}
}

// topTraits is how many traits of one dimension a candidate names.
const topTraits = 5

// shares returns the traits with the largest shares of so many events, by
// dimension and largest share first.
func shares(list []trait.Count, events int64) (out []campaign.TraitShare) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b trait.Count) int {
		return cmp.Or(cmp.Compare(a.Dimension(), b.Dimension()), cmp.Compare(b.Events(), a.Events()), cmp.Compare(a.Name(), b.Name()))
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
	c := stream.Context{FirstSeen: d.cfg.Grid.TickStart(id.first), LastSeen: d.cfg.Grid.TickEnd(id.last)}
	if t := id.tally; t != nil {
		c.Traits = shares(t.traits, t.events)
	}
	return c
}

// contextSince says what a followed identity did since the onset. open is what
// was counted in a bin that is still open.
func (d *Task) contextSince(id *identity, e *followed, exposed int64, open *score.Counts) stream.Context {
	c := d.context(id)
	c.Traits = shares(e.Traits, e.Events)
	all := e.past
	all.add(open)
	if exposed > 0 {
		share := min(all.fresh/float64(exposed), 1)
		c.ShareNew = &share
	}
	c.Destructive, c.Unissued = int64(all.destructive), int64(all.unissued)
	return c
}

// candidate reports an identity whose evidence stands out, or did. open is what
// was counted in a bin that is still open.
func (d *Task) candidate(id *identity, tick, bin int64, ev *score.Evidence, open *score.Counts) {
	e := d.expose(id, min(ev.Onset, bin), bin, ev)
	if tick <= d.reported {
		return // a restore: reported before
	}
	measures := d.measuresOf(id, bin, ev)
	if len(measures) == 0 {
		return // nothing can be judged yet
	}
	exposed := d.exposedSince(id, &e.Exposure, tick)
	c := stream.Candidate{
		Tick:      tick,
		Dimension: id.dimension(),
		Identity:  id.name(),
		Group:     ev.Group.String(),
		Log:       wire.Finite(ev.Log),
		Threshold: ev.Threshold,
		Bin:       bin,
		Onset:     e.Since,
		Peers:     d.peersOf(id, ev),
		Measures:  measures,
		Exposed:   exposed,
		Context:   d.contextSince(id, e, exposed.Records, open),
	}
	d.report.Candidates = append(d.report.Candidates, c)
}

// measuresOf returns what each judged statistic adds to the evidence, the strongest
// first.
func (d *Task) measuresOf(id *identity, bin int64, ev *score.Evidence) (out []stream.MeasureEvidence) {
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
		}
		out = append(out, m)
	}
	slices.SortStableFunc(out, func(a, b stream.MeasureEvidence) int {
		return cmp.Or(cmp.Compare(group(b.Measure, ev), group(a.Measure, ev)), -cmp.Compare(a.Log, b.Log))
	})
	return out
}

// group is 1 for the statistics of the group that stands out most, which go first.
func group(measure string, ev *score.Evidence) int {
	if stat, ok := score.ParseStat(measure); ok && stat.Group() == ev.Group {
		return 1
	}
	return 0
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
	for i, rate := range drifts {
		out.Rates = append(out.Rates, stream.RateEvidence{Rate: rate, Log: wire.Finite(s.Rates[i])})
	}
	return out
}
