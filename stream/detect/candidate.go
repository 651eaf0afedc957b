package detect

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/exposure"
	"github.com/weirhq/weir/detectors/fleet"
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

func leakedOf(c *fleet.Counts) leaked {
	return leaked{c[fleet.FirstTouch], c[fleet.Destructive], c[fleet.Unissued]}
}

func (l *leaked) add(c *fleet.Counts) {
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

// expose begins to follow an identity, or reaches further back when the onset
// has moved. What was followed before and came to nothing, or is over, is left
// behind. log is the evidence: as in an episode, what keeps it going is evidence
// near the threshold, so that one that is always a candidate is not followed
// for ever.
func (d *Task) expose(id *identity, onset, bin int64, log float64) *followed {
	threshold := d.params.of(bin).Threshold(id.dimension())
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
	if !e.opened || log >= threshold-episode.Margin {
		e.seen = bin
	}
	e.opened = e.opened || log >= threshold
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
	est := e.Records.Estimate()
	if id.window.Exact() && d.cfg.Grid.TickEnd(tick)-e.Since <= d.cfg.Retention {
		est = id.window.Count(eventtime.MinuteOf(e.Since))
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
func (d *Task) contextSince(id *identity, e *followed, exposed int64, open *fleet.Counts) stream.Context {
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
func (d *Task) candidate(id *identity, tick, bin int64, ev *fleet.Evidence, open *fleet.Counts, distinct sketches.Estimate) {
	e := d.expose(id, min(ev.Onset, bin), bin, ev.Log)
	if tick <= d.reported {
		return // a restore: reported before
	}
	exposed := d.exposedSince(id, &e.Exposure, tick)
	c := stream.Candidate{
		Tick:      tick,
		Dimension: id.dimension(),
		Identity:  id.name(),
		Log:       wire.Finite(ev.Log),
		Bin:       bin,
		Onset:     e.Since,
		Peers:     d.peersOf(id, ev),
		Exposed:   exposed,
		Context:   d.contextSince(id, e, exposed.Records, open),
	}
	c.Measures = measuresOf(ev, distinct)
	d.report.Candidates = append(d.report.Candidates, c)
}

// measuresOf returns what each judged measure adds to the evidence, strongest
// first.
func measuresOf(ev *fleet.Evidence, distinct sketches.Estimate) (out []stream.MeasureEvidence) {
	for m := range ev.Measures {
		if !ev.Measures[m].Judged {
			continue
		}
		me := explain(fleet.Measure(m), &ev.Measures[m])
		if fleet.Measure(m) == fleet.Distinct {
			me.Low, me.High = min(distinct.Low, me.Observed), max(distinct.High, me.Observed)
		}
		out = append(out, me)
	}
	slices.SortStableFunc(out, func(a, b stream.MeasureEvidence) int {
		return -cmp.Compare(a.Log, b.Log)
	})
	return out
}

// explain returns what one measure adds to the evidence, with every number fit to
// be written down.
func explain(m fleet.Measure, ev *fleet.MeasureEvidence) stream.MeasureEvidence {
	out := stream.MeasureEvidence{
		Measure: m.String(), Log: wire.Finite(ev.Log),
		Observed: ev.Observed, Low: ev.Observed, High: ev.Observed,
		Expected: ev.Expected, Level: ev.Level, Shape: ev.Shape, Mode: ev.Mode,
		Dispersion: wire.Finite(ev.K), PeerWeight: ev.PeerWeight,
	}
	for i, rate := range fleet.Rates {
		out.Rates = append(out.Rates, stream.RateEvidence{Rate: rate, Log: wire.Finite(ev.Rates[i])})
	}
	return out
}
