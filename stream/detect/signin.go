package detect

import (
	"maps"
	"slices"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/eventtime"
)

// tellSignIns reports, after everybody who read in a tick was judged, the
// accounts that only signed in and whose owners have left.
func (d *Task) tellSignIns(tick int64) {
	f := d.facts
	if f == nil {
		return
	}
	signed := f.signed.Take(tick)
	if tick <= d.reported {
		return // a restore: told before, and part of the state
	}
	latest := map[string]int64{}
	for i := range signed {
		s := &signed[i]
		a := f.accounts[s.Account]
		if f.cfg.Rules.Left(&a, &fact.Use{At: s.Tick * f.grid.Tick}) {
			latest[s.Account] = max(latest[s.Account], s.Tick)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(latest)) {
		key := append([]byte{byte(f.cfg.Account)}, name...)
		id := d.known(key)
		if id == nil {
			id = newIdentity(key) // it has never read
		} else if id.last == tick {
			continue // it did more than sign in
		}
		a := f.accounts[name]
		n := f.notice(id, tick, fact.ActedAfterLeave, a.Left+f.cfg.Rules.LeaveGrace, "left_at", eventtime.Text(a.Left))
		d.tellNotice(n, &cell{id: id, apply: tick})
	}
}
