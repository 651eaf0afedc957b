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
	limit, known := d.heirs.limit(d.cfg.Grid.TickOf(mark) - 1)
	if !known {
		return false
	}
	if d.snapshots.resume() {
		d.save(d.done)
	}
	if d.done == eventtime.Never {
		d.done = min(d.firstWaiting(), limit+1) - 1
		d.heirs.begin(d.done)
		d.log.Closed(d.offset, d.done)
	} else {
		d.params.dropBefore(d.cfg.Grid.BinOfTick(d.done + 1))
	}
	before := d.done
	waiting = d.closeTo(limit)
	if d.done > before {
		d.log.Closed(d.offset, d.done)
	}
	return waiting
}

// closeTo closes the ticks up to limit, or to the first for which the
// parameters are not here yet, or what other partitions hand over.
func (d *Task) closeTo(limit int64) (waiting bool) {
	if d.replay == nil { // a replay finds what it needs in what was handed over
		d.heirs.search(d.done, limit)
	}
	for {
		tick := d.next()
		if tick > limit {
			d.skip(limit)
			return false
		}
		if d.snapshots.full {
			return false // commit first
		}
		far := tick-1-d.done >= d.cfg.Grid.Bin/d.cfg.Grid.Tick
		d.skip(tick - 1)
		if far && d.replay == nil {
			// A restore must not begin before a gap: the parameters that were
			// used there may be gone.
			d.log.Closed(d.offset, d.done)
		}
		if d.params.of(d.cfg.Grid.BinOfTick(tick)) == nil {
			return true
		}
		if !d.ready(tick) {
			return false
		}
		d.close(tick)
	}
}

// firstWaiting returns the first tick for which partials or facts wait.
func (d *Task) firstWaiting() int64 {
	tick := d.waiting.first()
	if d.facts != nil {
		tick = min(tick, d.facts.first())
	}
	if d.heirs != nil {
		tick = min(tick, d.heirs.next())
	}
	return tick
}

// next returns the first tick after the last closed one in which something
// happens: partials wait for it, names become people's, or it ends a bin in which identities were
// active or are watched.
func (d *Task) next() int64 {
	tick := min(d.firstWaiting(), d.bins.nextEnd(d.done))
	if q := d.query; q != nil && q.found == nil && d.cfg.Grid.LastTick(q.bin) > d.done {
		tick = min(tick, d.cfg.Grid.LastTick(q.bin))
	}
	return tick
}

// skip closes ticks in which nothing happens.
func (d *Task) skip(to int64) {
	if to <= d.done {
		return
	}
	d.carryOut(to, d.cfg.Grid.BinOfTick(to+1))
	d.save(to)
	d.sweep(to)
	d.done = to
}

// close applies, counts and scores everything of one tick.
func (d *Task) close(tick int64) {
	bin := d.cfg.Grid.BinOfTick(tick)
	params := d.params.of(bin)
	ends := tick == d.cfg.Grid.LastTick(bin)
	from, facts := len(d.report.Candidates), len(d.report.Facts)
	if d.facts != nil {
		d.report.Facts = append(d.report.Facts, d.facts.close(tick, tick <= d.reported)...)
	}
	d.carryOut(tick, bin)
	d.inherit(tick, params)
	for _, c := range d.gather(tick) {
		if tick <= c.id.saved {
			continue // a restore: the state has it already
		}
		d.count(c, bin, params)
		if !ends {
			d.scoreEarly(c.id, tick, bin, params)
		}
	}
	d.cells.drop()
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

// save writes changed identities to the state, as far as the pace goes. The ticks up
// to and including to are closed. A restore that catches up writes nothing.
func (d *Task) save(to int64) {
	if d.replay != nil {
		return
	}
	d.snapshots.write(to, func(r stateRecord) stream.Change {
		id, ok := r.(*identity)
		if !ok {
			return d.writeTail(r.(*tightShard), to)
		}
		id.saved = to
		var value []byte
		value, d.buffer = id.encode(d.cfg.Grid, d.buffer)
		d.people.sleep(id, value)
		return stream.Change{Key: d.stateKey(id.key), Value: value}
	})
	d.people.shrink()
	d.log.Trim(d.snapshots.oldest(to))
}

// sweep frees, once a day of event time, what time has made useless.
func (d *Task) sweep(to int64) {
	day := eventtime.DayOf(d.cfg.Grid.TickEnd(to))
	if day == d.swept {
		return
	}
	d.swept = day
	d.people.sweep(to, d.cfg.Retention,
		func(id *identity) { d.snapshots.touch(id, to) },
		func(key string) { d.snapshots.drop(d.stateKey(key)) })
	for _, s := range d.tails {
		if d.isLoose(s, to) { // as it would be when the next comes
			d.relax(s)
		}
	}
}
