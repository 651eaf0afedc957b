package detect

import (
	"cmp"
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
)

// count unites the parts of a cell with the identity's state.
func (d *Task) count(c *cell, bin int64, params *score.Parameters) {
	id, grid := c.id, d.cfg.Grid
	id.forget(grid, c.apply)
	if !id.open || id.bin != bin {
		id.bin, id.open, id.tally = bin, true, nil
		d.bins.open(bin, id)
		if oldest := grid.BinStart(bin) - d.cfg.Retention; oldest > 0 {
			id.window.Expire(eventtime.MinuteOf(oldest))
		}
	}
	if id.tally == nil {
		id.tally = &tally{}
		d.cfg.Engine.Unions(&id.state, bin, func(from int64) float64 { return id.window.Count(grid.BinMinute(from)).N })
	}
	slices.SortFunc(c.parts, func(a, b part) int { return cmp.Compare(a.tick, b.tick) })
	for i := range c.parts {
		d.countPart(id, &c.parts[i], c.apply, bin, params)
	}
	id.show()
	d.assignGroup(id)
	before := id.last
	if id.last == eventtime.Never {
		id.first = c.apply
	}
	if id.last == eventtime.Never || c.acts() {
		id.last = c.apply
	}
	d.snapshots.touch(id, c.apply)
	d.judgeFacts(c, before, params)
}

// countPart unites one part with the state. What came late for a closed bin is
// judged in that bin, and told of if it stands out there.
func (d *Task) countPart(id *identity, p *part, apply, bin int64, params *score.Parameters) {
	grid := d.cfg.Grid
	records := &p.records
	if !id.window.Exact() {
		records = records.Coarser() // once, for what follows
	}
	fresh := math.Round(id.window.Missing(records, 0)*freshUnit) / freshUnit
	was := grid.BinOfTick(p.tick)
	var late score.Counts
	if was == bin {
		id.fresh += fresh
		id.tally.add(p)
	} else {
		late = d.lateCounts(id, p, was, fresh)
	}
	id.tally.unissue(p)
	id.window.Merge(records)
	if id.followed != nil {
		p.addTo(&id.followed.Exposure)
	}
	if was == bin {
		return
	}
	if id.followed != nil {
		id.followed.past.add(leakedOf(&late))
	}
	var ev score.Evidence
	if d.cfg.Engine.Late(&id.state, id.dimension(), was, &late, params, &ev) && ev.Candidate() {
		open := d.counts(id)
		d.candidate(id, apply, was, &ev, &open, params)
	}
}

// lateCounts returns what a part of a closed bin adds to it, before the part is
// united with the window.
func (d *Task) lateCounts(id *identity, p *part, was int64, fresh float64) score.Counts {
	missing := func(minute uint32) float64 { return math.Round(id.window.CountMissing(&p.records, minute).N) }
	late := id.tally.late(p, was)
	late[score.Distinct] = missing(d.cfg.Grid.BinMinute(was))
	late[score.FirstTouch] = min(math.Round(fresh), late[score.Distinct])
	late[score.Again] = max(0, late[score.Distinct]-missing(d.dayMinute(was)))
	return late
}

// dayMinute returns the minute at which the local day of a bin begins.
func (d *Task) dayMinute(bin int64) uint32 { return d.cfg.Grid.BinMinute(d.cfg.Engine.DayStart(bin)) }

// counts returns the measures of the identity's open bin so far. The first touches of a
// sketch are an estimate, which may be more than the bin has records.
func (d *Task) counts(id *identity) (c score.Counts) {
	if id.tally != nil {
		id.tally.count(&c)
	}
	grid := d.cfg.Grid
	if today := id.state.Today(d.cfg.Engine.Day(id.bin)); today == 0 {
		c[score.Distinct] = math.Round(id.window.Numbers(grid.BinMinute(id.bin))[0])
	} else {
		since := id.window.Numbers(grid.BinMinute(id.bin), d.dayMinute(id.bin))
		c[score.Distinct] = math.Round(since[0])
		c[score.Again] = max(0, min(c[score.Distinct], today+c[score.Distinct]-math.Round(since[1])))
	}
	c[score.FirstTouch] = math.Floor(min(id.fresh, c[score.Distinct]))
	return c
}

// counted takes the first touches of a bin that ends from the estimate. What is left is
// told with the next bin, so that the sum of the bins is right in the mean; but not more
// than this bin has records, since a single record of a large sketch may stand for many.
func (id *identity) counted(c *score.Counts) {
	id.fresh = min(id.fresh-c[score.FirstTouch], c[score.Distinct])
}

func (d *Task) scoreEarly(id *identity, tick, bin int64, params *score.Parameters) {
	counts := d.counts(id)
	var ev score.Evidence
	if d.openEpisode(id, bin) {
		d.cfg.Engine.Explain(&id.state, id.dimension(), bin, &counts, params, &ev)
	} else if d.cfg.Engine.MayOpen(&id.state, id.dimension(), bin, &counts, params) {
		d.cfg.Engine.Early(&id.state, id.dimension(), bin, &counts, params, &ev)
	}
	if ev.Explained {
		d.candidate(id, tick, bin, &ev, &counts, params)
	}
}
