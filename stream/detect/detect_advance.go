package detect

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// Advance closes all ticks that the watermark has passed, as far as the
// parameters they need are here. Take hands out what came of it. It reports
// whether it stopped for want of parameters.
func (d *Task) Advance() (waiting bool) {
	mark, holder := d.watermark.Now()
	d.stats.WatermarkMS, d.stats.Holder = mark, holder
	if mark == eventtime.Never || d.replay != nil {
		return false
	}
	limit := d.cfg.Grid.TickOf(mark) - 1
	if d.more && d.unsent == 0 {
		d.more, d.draining = false, true
		d.save(d.done)
	}
	for bin := range d.parameter { // those of bins that are over are not needed again
		if d.done != eventtime.Never && bin < d.cfg.Grid.BinOfTick(d.done+1)-1 {
			delete(d.parameter, bin)
		}
	}
	if d.done == eventtime.Never {
		d.done = min(d.earliest(), limit+1) - 1
		d.history = append(d.history, stream.Advance{Offset: d.offset, Done: d.done})
	}
	before := d.done
	waiting = d.closeTo(limit)
	if d.done > before {
		d.history = append(d.history, stream.Advance{Offset: d.offset, Done: d.done})
	}
	return waiting
}

// closeTo closes the ticks up to limit, or to the first for which the
// parameters are not here yet.
func (d *Task) closeTo(limit int64) (waiting bool) {
	for {
		tick := d.next()
		if tick > limit {
			d.skip(limit)
			return false
		}
		if d.more {
			return false // commit first
		}
		far := tick-1-d.done >= d.cfg.Grid.Bin/d.cfg.Grid.Tick
		d.skip(tick - 1)
		if far && d.replay == nil {
			// A restore must not begin before a gap: the parameters that were
			// used there may be gone.
			d.history = append(d.history, stream.Advance{Offset: d.offset, Done: d.done})
		}
		if d.parameter[d.cfg.Grid.BinOfTick(tick)-1] == nil {
			return true
		}
		d.close(tick)
	}
}

// earliest returns the first tick that holds partials or facts.
func (d *Task) earliest() int64 {
	tick := d.pending.First()
	if d.facts != nil {
		tick = min(tick, d.facts.first())
	}
	return tick
}

// next returns the first tick after the last closed one in which something
// happens: partials wait for it, or it ends a bin in which identities were
// active or are watched.
func (d *Task) next() int64 {
	tick := d.earliest()
	for bin := range d.active {
		tick = min(tick, d.cfg.Grid.LastTick(bin))
	}
	if l := d.looks; l != nil && l.found == nil && d.cfg.Grid.LastTick(l.bin) > d.done {
		tick = min(tick, d.cfg.Grid.LastTick(l.bin))
	}
	for _, id := range d.hot {
		from := max(d.done, id.saved) // saved is ahead only while catching up
		tick = min(tick, d.cfg.Grid.LastTick(d.cfg.Grid.BinOfTick(from+1)))
	}
	return tick
}

// skip closes ticks in which nothing happens.
func (d *Task) skip(to int64) {
	if to <= d.done {
		return
	}
	d.obey(to, d.cfg.Grid.BinOfTick(to+1))
	d.save(to)
	d.sweep(to)
	d.done = to
}

// close applies, counts and scores everything of one tick.
func (d *Task) close(tick int64) {
	bin := d.cfg.Grid.BinOfTick(tick)
	params := d.parameter[bin-1]
	ends := tick == d.cfg.Grid.LastTick(bin)
	from, facts := len(d.report.Candidates), len(d.report.Facts)
	if d.facts != nil {
		d.report.Facts = append(d.report.Facts, d.facts.close(tick, tick <= d.reported)...)
	}
	d.obey(tick, bin)
	cells := d.pending.Take(tick)
	d.held -= len(cells)
	for _, c := range cells {
		c.id.earliest() // which is c
		if tick <= c.id.saved {
			continue // a restore: the state has it already
		}
		d.count(c, bin, params)
		if !ends {
			d.scoreEarly(c.id, tick, bin, params)
		}
	}
	d.judgeSignIns(tick)
	if ends {
		d.closeBin(tick, bin, params)
	}
	slices.SortFunc(d.report.Candidates[from:], func(a, b stream.Candidate) int {
		return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Identity, b.Identity))
	})
	sortFacts(d.report.Facts[facts:])
	d.save(tick)
	d.sweep(tick)
	d.done = tick
}
