package fact

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/weirhq/weir/detectors/exposure"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/sketches"
)

// notice is one fact that was noticed of one identity, and what the identity has
// exposed since.
type notice struct {
	fact   Name
	time   int64 // of the fact, Unix ms
	began  int64 // tick in which it was noticed
	last   int64 // latest tick in which the identity acted
	detail map[string]string
	exposure.Exposure
}

// noticeList holds the notices of all identities.
type noticeList struct {
	byKey map[string][]*notice // by Act.Key
	count int
}

// How long a notice is kept after the identity's last act, and how long a fact is
// told that is about a moment, such as an awakening, not about a state that lasts,
// such as a revoked key. In ms of event time.
const (
	keepNotice    = 2 * eventtime.Day
	keepOverage   = 90 * eventtime.Day // a key over age would be news again
	tellMomentFor = eventtime.Day
)

// alive reports whether a notice still stands at a tick.
func (r *Register) alive(n *notice, tick int64) bool {
	keep := keepNotice
	if n.fact == OverageKey {
		keep = keepOverage
	}
	return (tick-n.last)*r.cfg.Grid.Tick <= keep
}

// isMoment reports whether a fact is about a moment.
func isMoment(name Name) bool {
	switch name {
	case DormantWoke, OrphanAccountUsed, KeyBackFromSleep, OverageKey:
		return true
	default:
		return false
	}
}

// isReported reports whether what a notice says is still told at a tick.
func (r *Register) isReported(n *notice, tick int64) bool {
	return !isMoment(n.fact) || (tick-n.began)*r.cfg.Grid.Tick <= tellMomentFor
}

// isEnough reports whether what a notice exposes is worth telling.
func (r *Register) isEnough(n *notice) bool {
	if n.fact != DormantWoke {
		return true
	}
	least := r.cfg.Rules.DormantRecords
	return float64(n.Rows) >= least || n.Records.Estimate().N+0.5 >= least
}

// notice notes that a fact holds for an identity since a time (Unix ms), unless
// that is known. detail is pairs of name and value.
func (r *Register) notice(a *Act, name Name, since int64, detail ...string) *notice {
	list := r.notices.byKey[a.Key]
	at := slices.IndexFunc(list, func(n *notice) bool { return n.fact == name })
	if at >= 0 && r.alive(list[at], a.Tick) {
		return list[at]
	}
	n := &notice{fact: name, time: since, began: a.Tick, last: a.Tick, detail: map[string]string{}}
	for i := 0; i+1 < len(detail); i += 2 {
		n.detail[detail[i]] = detail[i+1]
	}
	n.Since = since
	n.AddSince(a.Known)
	if at >= 0 {
		list[at] = n
	} else {
		r.notices.byKey[a.Key] = append(list, n)
		r.notices.count++
	}
	return n
}

// Finding is a fact that holds for an identity in a tick, and what the identity has
// exposed since.
type Finding struct {
	Fact     Name
	Time     int64 // of what is known, Unix ms: the leave, the revocation, the first read by a token that nobody issued
	Detail   map[string]string
	Exposure *exposure.Exposure // changes with the next act
	Noticed  int64              // tick in which it was noticed: the accesses of Exposure are those since
	// Unissued is how many distinct records were read through unissued tokens since
	// Time; only of UnissuedToken.
	Unissued sketches.Estimate
}

// findings returns the facts that hold for the identity of an act, which was
// judged, and adds the act to what they expose. unissued tells whether the act's
// unissued tokens are a fact: beside those of a case that is over some go on
// missing.
func (r *Register) findings(a *Act, unissued bool) (out []Finding) {
	list := r.notices.byKey[a.Key]
	slices.SortFunc(list, func(a, b *notice) int { return cmp.Compare(a.fact, b.fact) })
	for _, n := range list {
		if !r.alive(n, a.Tick) || n.fact == UnissuedToken && !unissued {
			continue
		}
		if f, ok := r.finding(n, a); ok {
			out = append(out, f)
		}
	}
	return out
}

// finding adds an act to what a notice exposes, and returns the fact if it is to
// be told.
func (r *Register) finding(n *notice, a *Act) (f Finding, reported bool) {
	if !r.isReported(n, a.Tick) {
		if r.day(n.last) != r.day(a.Tick) { // it is enough to know the day
			n.last = a.Tick
			r.changed[noticeRecord+a.Key] = true
		}
		return f, false
	}
	n.last = a.Tick
	r.changed[noticeRecord+a.Key] = true
	a.Of.AddTo(&n.Exposure)
	n.AddSince(a.Known) // ticks in which nothing was told are known there alone
	f = Finding{Fact: n.fact, Time: n.time, Detail: n.detail, Exposure: &n.Exposure, Noticed: n.began}
	if u := r.unissued[a.Key]; u != nil && n.fact == UnissuedToken {
		from := eventtime.MinuteOf(max(n.Since, 0))
		f.Unissued = u.records.Count(from)
		f.Detail = maps.Clone(n.detail)
		f.Detail["tokens"] = roundly(u.tokens.Count(from))
	}
	return f, r.isEnough(n)
}

// roundly writes a count, with "about" where it is an estimate.
func roundly(e sketches.Estimate) string {
	if e.Low < e.High {
		return fmt.Sprintf("about %.0f", e.N)
	}
	return fmt.Sprintf("%.0f", e.N)
}

// pruneNotices drops the notices that no longer stand at a tick.
func (r *Register) pruneNotices(tick int64) {
	for key, list := range r.notices.byKey {
		kept := slices.DeleteFunc(list, func(n *notice) bool { return !r.alive(n, tick) })
		if len(kept) == len(list) {
			continue
		}
		r.notices.count -= len(list) - len(kept)
		r.changed[noticeRecord+key] = true
		if r.notices.byKey[key] = kept; len(kept) == 0 {
			delete(r.notices.byKey, key)
		}
	}
}

// limitNotices gives up the notices of those identities that have not acted for
// longest, until nine tenths of maxNotices are left.
func (r *Register) limitNotices() {
	last := map[string]int64{}
	keys := make([]string, 0, len(r.notices.byKey))
	for key, list := range r.notices.byKey {
		keys = append(keys, key)
		for i, n := range list {
			if i == 0 || n.last > last[key] {
				last[key] = n.last
			}
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(last[a], last[b]), cmp.Compare(a, b)) })
	for _, key := range keys {
		if r.notices.count <= maxNotices*9/10 {
			break
		}
		gone := len(r.notices.byKey[key])
		r.notices.count -= gone
		r.capped += int64(gone)
		delete(r.notices.byKey, key)
		r.changed[noticeRecord+key] = true
	}
}
