package detect

import (
	"cmp"
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/sketches"
)

// count unites the parts of a cell with the identity's state.
func (d *Task) count(c *cell, bin int64, params *fleet.Parameters) {
	id, grid := c.id, d.cfg.Grid
	id.forget(grid, c.apply)
	if !id.open || id.bin != bin {
		id.bin, id.fresh, id.open, id.tally = bin, 0, true, nil
		d.bins.open(bin, id)
		if oldest := grid.BinStart(bin) - d.cfg.Retention; oldest > 0 {
			id.window.Expire(eventtime.MinuteOf(oldest))
		}
	}
	if id.tally == nil {
		id.tally = &tally{}
	}
	slices.SortFunc(c.parts, func(a, b part) int { return cmp.Compare(a.tick, b.tick) })
	for i := range c.parts {
		d.countPart(id, &c.parts[i], bin, params)
	}
	d.assignGroup(id)
	d.cfg.Engine.Advance(&id.state, id.dimension(), bin, params)
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

func (d *Task) countPart(id *identity, p *part, bin int64, params *fleet.Parameters) {
	grid := d.cfg.Grid
	fresh := math.Round(id.window.FirstTouch(&p.records).N)
	if was := grid.BinOfTick(p.tick); was == bin {
		id.fresh += fresh
		id.tally.add(p)
	} else {
		late := id.tally.late(p, was, id.state.Counted(was))
		late[fleet.Distinct] = math.Round(id.window.CountMissing(&p.records, grid.BinMinute(was)).N)
		late[fleet.FirstTouch] = fresh
		d.cfg.Engine.Late(&id.state, id.dimension(), was, late, params)
		if id.followed != nil {
			id.followed.past.add(&late)
		}
	}
	id.tally.unissue(p)
	id.window.Merge(&p.records)
	if id.followed != nil {
		p.addTo(&id.followed.Exposure)
	}
}

// counts returns the measures of the identity's open bin so far.
func (d *Task) counts(id *identity) (c fleet.Counts, distinct sketches.Estimate) {
	distinct = id.window.Count(d.cfg.Grid.BinMinute(id.bin))
	if id.tally != nil {
		id.tally.count(&c)
	}
	c[fleet.Distinct] = math.Round(distinct.N)
	c[fleet.FirstTouch] = id.fresh
	return c, distinct
}

func (d *Task) scoreEarly(id *identity, tick, bin int64, params *fleet.Parameters) {
	counts, distinct := d.counts(id)
	ev := d.cfg.Engine.Early(&id.state, id.dimension(), bin, counts, params)
	if ev.Log >= fleet.CandidateCut {
		d.candidate(id, tick, bin, &ev, &counts, distinct)
	}
}
