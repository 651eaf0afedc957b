package detect

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// notice is one fact that was noticed of one identity, and what it has exposed
// since.
type notice struct {
	fact   fact.Name
	time   int64 // of the fact, Unix ms
	began  int64 // tick in which it was noticed
	last   int64 // latest tick in which the identity acted
	detail map[string]string
	exposure
}

// How long a notice is kept after the identity's last act, and how long one is
// told that is about a moment, such as an awakening, not about a state that
// lasts, such as a revoked key.
const (
	keepNotice     = 2 * eventtime.Day
	keepOverage    = 90 * eventtime.Day // it would be news again
	momentIsNewFor = eventtime.Day
)

func (f *factRegister) alive(n *notice, tick int64) bool {
	keep := int64(keepNotice)
	if n.fact == fact.OverageKey {
		keep = keepOverage
	}
	return (tick-n.last)*f.grid.Tick <= keep
}

// moment reports whether a fact is about a moment.
func moment(name fact.Name) bool {
	switch name {
	case fact.DormantWoke, fact.OrphanAccountUsed, fact.KeyBackFromSleep, fact.OverageKey:
		return true
	default:
		return false
	}
}

// fresh reports whether a notice is still followed at a tick.
func (f *factRegister) fresh(n *notice, tick int64) bool {
	return !moment(n.fact) || (tick-n.began)*f.grid.Tick <= momentIsNewFor
}

// enough reports whether what a notice exposes is worth telling.
func (f *factRegister) enough(n *notice) bool {
	if n.fact != fact.DormantWoke {
		return true
	}
	least := f.cfg.Rules.DormantRecords
	return float64(n.rows) >= least || n.union.Estimate().N+0.5 >= least
}

// notice notes that a fact holds for an identity in a tick. detail is pairs of
// name and value. What was exposed is counted from the time of the fact on.
func (f *factRegister) notice(id *identity, tick int64, name fact.Name, since int64, detail ...string) *notice {
	list := f.notices[id.key]
	at := slices.IndexFunc(list, func(n *notice) bool { return n.fact == name })
	if at >= 0 && f.alive(list[at], tick) {
		return list[at]
	}
	n := &notice{fact: name, time: since, began: tick, last: tick, detail: map[string]string{}}
	for i := 0; i+1 < len(detail); i += 2 {
		n.detail[detail[i]] = detail[i+1]
	}
	n.since = since
	n.union.AddWindow(&id.window, eventtime.MinuteOf(max(since, 0)))
	if at >= 0 {
		list[at] = n
	} else {
		f.notices[id.key] = append(list, n)
		f.noticed++
	}
	return n
}

// tellFacts reports the facts that hold for the identity of a cell, which was
// judged, and counts what the cell exposes. unissued tells whether its tokens are
// a fact: beside those of a case that is over some go on missing.
func (d *Task) tellFacts(c *cell, unissued bool) {
	f, id := d.facts, c.id
	list := f.notices[id.key]
	slices.SortFunc(list, func(a, b *notice) int { return cmp.Compare(a.fact, b.fact) })
	for _, n := range list {
		if !f.alive(n, c.apply) || n.fact == fact.UnissuedToken && !unissued {
			continue
		}
		d.tellNotice(n, c)
	}
	f.limitNotices()
}

// tellNotice reports one fact that holds for the identity of a cell.
func (d *Task) tellNotice(n *notice, c *cell) {
	f, id := d.facts, c.id
	if !f.fresh(n, c.apply) {
		if f.day(n.last) != f.day(c.apply) { // it is enough to know the day
			n.last = c.apply
			f.changed[noticeRecord+id.key] = true
		}
		return
	}
	n.last = c.apply
	f.changed[noticeRecord+id.key] = true
	for i := range c.parts {
		n.add(&c.parts[i])
	}
	// Ticks in which nothing was told are in the window alone.
	n.union.AddWindow(&id.window, eventtime.MinuteOf(max(n.since, 0)))
	if !f.enough(n) {
		return
	}
	context := d.context(id)
	if m := f.missing[id.key]; m != nil && n.fact == fact.UnissuedToken {
		context.Unissued = int64(m.records.Count(eventtime.MinuteOf(max(n.since, 0))).N + 0.5)
	}
	if len(n.traits) > 0 {
		context.Traits = shares(n.traits, n.events)
	}
	d.report.Facts = append(d.report.Facts, stream.FactCandidate{
		Tick: c.apply, Dimension: id.dimension(), Identity: id.name(), Fact: n.fact, Time: n.time,
		Detail: n.detail, Exposed: d.exposedSince(id, &n.exposure, c.apply), Context: context,
	})
}

func (f *factRegister) day(tick int64) int64 { return eventtime.DayOf(f.grid.TickStart(tick)) }

// prune drops, once a day, what is no longer alive.
func (f *factRegister) prune(tick int64) {
	if f.pruned == f.day(tick) {
		return
	}
	f.pruned = f.day(tick)
	f.changed[heardRecord] = true
	for key, list := range f.notices {
		kept := slices.DeleteFunc(list, func(n *notice) bool { return !f.alive(n, tick) })
		if len(kept) == len(list) {
			continue
		}
		f.noticed -= len(list) - len(kept)
		f.changed[noticeRecord+key] = true
		if f.notices[key] = kept; len(kept) == 0 {
			delete(f.notices, key)
		}
	}
	for key, m := range f.missing {
		if f.stale(m, tick) {
			delete(f.missing, key)
			f.changed[missingRecord+key] = true
		}
	}
}

// limitNotices gives up the notices of identities that have long not acted, once
// there are too many of them.
func (f *factRegister) limitNotices() {
	if f.noticed <= maxNotices {
		return
	}
	type entry struct {
		key  string
		last int64
	}
	var all []entry
	for key, list := range f.notices {
		last := int64(eventtime.Never)
		for _, n := range list {
			last = max(last, n.last)
		}
		all = append(all, entry{key, last})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Or(cmp.Compare(a.last, b.last), cmp.Compare(a.key, b.key)) })
	for _, e := range all {
		if f.noticed <= maxNotices*9/10 {
			break
		}
		list := f.notices[e.key]
		f.noticed -= len(list)
		f.capped += int64(len(list))
		delete(f.notices, e.key)
		f.changed[noticeRecord+e.key] = true
	}
}
