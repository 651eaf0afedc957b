package detect

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/exposure"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// followed follows what an identity has touched since the onset of what made it a
// candidate, and keeps what is usual of it, which must not depend on that.
type followed struct {
	exposure.Exposure        // records since the start of the bin of onset; accesses since from
	seen              int64  // last bin in which the identity was a candidate; once opened, in which its evidence was high
	opened            bool   // the evidence has reached the threshold: there is an episode
	over              int64  // bin before which the episode before this one closed; 0: there was none
	earliest, latest  int64  // bins between which the onset lies, see score.Onset
	from              int64  // tick since whose start accesses are counted
	past              leaked // of closed bins since the onset
	odd, oddPast      int64  // records at unusual hours: as the engine counts them, and before it began anew
	usual             score.Usual
}

// leaked are counts of what was exposed that nothing else keeps: those that add up
// over bins.
type leaked struct{ fresh, rows, destructive, unissued float64 }

func leakedOf(c *score.Counts) leaked {
	return leaked{c[score.FirstTouch], c[score.Rows], c[score.Destructive], c[score.Unissued]}
}

// numbers lists them in a fixed order.
func (l *leaked) numbers() [4]*float64 {
	return [...]*float64{&l.fresh, &l.rows, &l.destructive, &l.unissued}
}

func (l *leaked) add(o leaked) {
	for i, v := range o.numbers() {
		*l.numbers()[i] += *v
	}
}

// followFor is how long after its last candidacy an identity is followed: as long as
// its episode, unless it is confirmed, may still be open, or open again.
const followFor = episode.Quiet + episode.Grace

func (e *followed) append(b []byte) []byte {
	b = wire.AppendVarints(b, e.seen, e.over, e.earliest, e.latest, e.from, e.odd, e.oddPast)
	for _, v := range e.past.numbers() {
		b = binary.AppendUvarint(b, uint64(*v))
	}
	return e.Exposure.AppendBinary(e.usual.AppendBinary(b))
}

func readFollowed(r *wire.Reader) *followed {
	e := &followed{seen: r.Varint(), over: r.Varint(), earliest: r.Varint(), latest: r.Varint(), from: r.Varint(), odd: r.Varint(), oddPast: r.Varint()}
	for _, v := range e.past.numbers() {
		*v = float64(r.Uvarint())
	}
	e.usual = score.ReadUsual(r)
	e.Exposure = exposure.Read(r)
	return e
}

// openEpisode reports whether an episode of the identity may be open in a bin: then
// what it exposes is reported though its evidence has gone, until the episode ends.
func (d *Task) openEpisode(id *identity, bin int64) bool {
	e := id.followed
	return e != nil && e.opened && (bin-e.seen)*d.cfg.Grid.Bin <= followFor
}

// ended returns the first bin after the close of what was followed, or of what came before
// it if that came to nothing; 0: there was nothing.
func (e *followed) ended(grid eventtime.Grid) int64 {
	switch {
	case e == nil:
		return 0
	case !e.opened:
		return e.over
	}
	return e.seen + episode.Quiet/grid.Bin + 1
}

// expose begins to follow an identity, or goes on. As long as nobody was told of it,
// its onset is the latest estimate. Once somebody was, it moves only out of the
// interval that was told, and only back. What was followed before and came to nothing,
// or is over, is left behind. What keeps it going is what sustains an episode, so that
// one that is always a candidate is not followed for ever.
func (d *Task) expose(id *identity, tick, bin int64, ev *score.Evidence, open *score.Counts, params *score.Parameters) *followed {
	e := id.followed
	if e == nil || (bin-e.seen)*d.cfg.Grid.Bin > followFor || !e.opened && ev.Onset > e.seen {
		over := e.ended(d.cfg.Grid)
		if over != 0 {
			id.state.EndOdd()
			ev.OddBefore = 0
		}
		e = &followed{usual: d.cfg.Engine.Usual(&id.state, id.dimension(), params), over: over}
		e.Since, e.from = eventtime.Never, d.cfg.Grid.LastTick(bin-1)+1
		if t := id.tally; t != nil {
			e.Events, e.Traits = t.events, slices.Clone(t.traits)
		} else {
			e.from = tick + 1
		}
		id.followed = e
	}
	onset := d.cfg.Engine.Onset(&id.state, &e.usual, id.dimension(), params, e.over, bin, open, ev)
	switch since := d.cfg.Grid.BinStart(onset.Bin); {
	case !e.opened:
		e.earliest, e.latest = onset.Low, onset.High
		if since != e.Since {
			e.Since = since
			d.reach(id, onset.Bin)
		}
	case onset.Bin < e.earliest:
		e.earliest, e.latest, e.Since = onset.Low, onset.High, since
		d.reach(id, onset.Bin)
	default:
		at := d.cfg.Grid.BinOf(e.Since)
		e.earliest = min(max(e.earliest, onset.Low), at)
		e.latest = max(min(e.latest, onset.High), at)
	}
	e.countOdd(int64(ev.OddBefore + ev.Stats[score.DayOff].Observed))
	keeps, adds := keepsOpen(ev)
	if closed := (bin-e.seen)*d.cfg.Grid.Bin > episode.Quiet; closed {
		keeps = adds && ev.Margin() >= 0 // what was enough before opens nothing again
	}
	if !e.opened || keeps {
		e.seen = max(e.seen, bin)
	}
	e.opened = e.opened || ev.Margin() >= 0
	return e
}

// countOdd takes in the engine's count of records at unusual hours, which begins anew when
// the evidence has been calm; that of an episode goes on.
func (e *followed) countOdd(n int64) {
	switch {
	case !e.opened:
		e.oddPast = 0
	case n < e.odd:
		e.oddPast += e.odd
	}
	e.odd = n
}

// keepsOpen reports whether evidence keeps an episode open: that of a group which has
// reached its threshold; and whether the bin, or its day so far, adds to it.
func keepsOpen(ev *score.Evidence) (keeps, adds bool) {
	keeps = ev.Reached[ev.Group] && episode.Sustains(ev.Log, ev.Threshold)
	for i := range ev.Stats {
		s := &ev.Stats[i]
		adds = adds || s.Judged && s.Allowed > 0 && score.Stat(i).Group() == ev.Group && episode.Sustains(s.Log, ev.Threshold)
	}
	return keeps, keeps && adds
}

// reach takes in what the identity's state knows from the bin of onset on. What nobody
// was told of begins anew.
func (d *Task) reach(id *identity, bin int64) {
	e := id.followed
	var past leaked
	id.state.Since(bin, func(c *score.Counts) { past.add(leakedOf(c)) })
	if e.opened {
		for i, v := range past.numbers() {
			*v = max(*v, *e.past.numbers()[i])
		}
	} else {
		e.Records = sketches.Exposure{}
	}
	e.past = past
	e.Records.AddWindow(&id.window, d.cfg.Grid.BinMinute(bin))
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
	out := episode.Exposed{Since: e.Since, Rows: e.Rows}
	out.Records, out.Low, out.High = whole(est)
	return out
}

// whole returns an estimate in whole records, and its interval rounded outwards.
func whole(e sketches.Estimate) (records, low, high int64) {
	return int64(e.N + 0.5), int64(e.Low), int64(e.High + 0.999)
}

// contextSince says what a followed identity did since the onset. open is what
// was counted in a bin that is still open.
func (d *Task) contextSince(id *identity, e *followed, exposed int64, open *score.Counts) stream.Context {
	c := d.context(id)
	c.Traits, c.TraitsSince = shares(e.Traits, e.Events), d.cfg.Grid.TickStart(e.from)
	all := e.past
	all.add(leakedOf(open))
	doubted := d.cfg.Engine.Day(id.bin) < int64(id.state.TrustedDay())
	if exposed > 0 && !doubted && id.tellsFresh(all.fresh, float64(exposed)) {
		share := min(all.fresh/float64(exposed), 1)
		c.ShareNew = &share
	}
	return c
}

// tellsFresh reports whether the error of an estimate of first touches is small beside
// what is exposed. A sketch shows few of the first touches of an identity that knows
// most records: one that shows none may hide as many as stand behind one that shows.
func (id *identity) tellsFresh(fresh, exposed float64) bool {
	_, high := id.firstTouches(fresh)
	return high-fresh <= 0.1*exposed
}

// firstTouches returns the 95 % interval of an estimate of first touches: a point while
// the records of the identity are kept exactly. None that shows may hide as many as stand
// behind one that shows.
func (id *identity) firstTouches(n float64) (low, high float64) {
	shown := id.window.Shown()
	wide := 1.96 * math.Sqrt(max(n, 1/shown)*(1-shown)/shown)
	return max(0, math.Round(n-wide)), math.Round(n + wide)
}

// courseOf returns what an identity has done since the onset, beside what is usual of
// it in such a time.
func (d *Task) courseOf(id *identity, e *followed, tick int64, x *episode.Exposed, ev *score.Evidence, open *score.Counts, params *score.Parameters) (list []stream.Course) {
	grid := d.cfg.Grid
	bin := grid.BinOfTick(tick)
	part := float64(grid.TickEnd(tick)-grid.BinStart(bin)) / float64(grid.Bin)
	usual := d.cfg.Engine.Span(&id.state, &e.usual, id.dimension(), params, grid.BinOf(e.Since), bin, part)
	all := e.past
	all.add(leakedOf(open))
	odd := float64(e.oddPast + e.odd)
	fresh := min(all.fresh, float64(x.Records)) // both are estimates
	freshLow, freshHigh := id.firstTouches(fresh)
	freshHigh = max(fresh, min(freshHigh, float64(x.High)))
	usual.Expected[score.DayShare], usual.Spread[score.DayShare] = d.cfg.Engine.Fresh(&usual, float64(x.Records))
	for _, c := range []struct {
		stat               score.Stat
		count, least, most float64
	}{
		{score.DayDistinct, float64(x.Records), float64(x.Low), float64(x.High)},
		{score.DayFirst, fresh, freshLow, freshHigh},
		{score.DayShare, fresh, freshLow, freshHigh},
		{score.DayRows, all.rows, all.rows, all.rows},
		{score.DayDestructive, all.destructive, all.destructive, all.destructive},
		{score.DayUnissued, all.unissued, all.unissued, all.unissued},
		{score.DayOff, odd, odd, odd},
	} {
		if c.count == 0 {
			continue
		}
		excess := episode.ExcessOf(c.count, c.least, c.most, usual.Expected[c.stat], usual.Spread[c.stat])
		if c.stat != score.DayRows { // what is counted anew in each bin is at most all that is exposed
			excess.Records, excess.Low, excess.High = min(excess.Records, x.Records), min(excess.Low, x.Records), min(excess.High, x.High)
		}
		list = append(list, stream.Course{Measure: c.stat.String(), Observed: c.count, Expected: usual.Expected[c.stat], Excess: excess})
	}
	return list
}
