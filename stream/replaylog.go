package stream

import (
	"slices"

	"github.com/weirhq/weir/internal/wire"
)

// Advance says that ticks up to and including Done were closed when all records
// before Offset of an operator's input had been applied.
type Advance struct{ Offset, Done int64 }

// ReplayLog is what an operator remembers for a restore, which repeats the latest
// part of its input: when ticks were closed, and from which record on what counts in
// a tick has come. The zero value is empty.
type ReplayLog struct {
	closes []Advance       // in their order
	first  map[int64]int64 // by tick: the offset of the first record that brought something for it
	kept   int             // of first, after it was last trimmed
}

// Closed notes that ticks up to and including done are closed and all records before
// offset applied.
func (l *ReplayLog) Closed(offset, done int64) { l.closes = append(l.closes, Advance{offset, done}) }

// Came notes that the record at an offset brought something that counts in a tick.
func (l *ReplayLog) Came(tick, offset int64) {
	if l.first == nil {
		l.first = map[int64]int64{}
	}
	if _, known := l.first[tick]; !known {
		l.first[tick] = offset
	}
}

// Closes returns what a restore repeats, in its order.
func (l *ReplayLog) Closes() []Advance { return l.closes }

// Trim drops what no restore repeats that begins at the tick oldest. The last close
// before it stays: it tells what had been closed when the replay begins.
func (l *ReplayLog) Trim(oldest int64) {
	n := 0
	for n+1 < len(l.closes) && l.closes[n+1].Done < oldest {
		n++
	}
	l.closes = slices.Delete(l.closes, 0, n)
	if len(l.first) < 2*l.kept+1000 { // trim when it may be worth it
		return
	}
	for tick := range l.first {
		if tick < oldest {
			delete(l.first, tick)
		}
	}
	l.kept = len(l.first)
}

// From returns the offset from which a restore must read again so that it repeats
// the ticks from oldest on; next is the next offset that would be read.
func (l *ReplayLog) From(oldest, next int64) int64 {
	from := next
	for tick, offset := range l.first {
		if tick >= oldest {
			from = min(from, offset)
		}
	}
	return from
}

// AppendAdvances appends the binary form of closes.
func AppendAdvances(b []byte, closes []Advance) []byte {
	return wire.AppendList(b, closes, func(b []byte, a *Advance) []byte { return wire.AppendVarints(b, a.Offset, a.Done) })
}

// ReadAdvances reads what AppendAdvances wrote.
func ReadAdvances(r *wire.Reader) []Advance {
	return wire.List(r, func() Advance { return Advance{r.Varint(), r.Varint()} })
}

// RestoredLog returns the log of a task that was restored with these closes.
func RestoredLog(closes []Advance) ReplayLog { return ReplayLog{closes: closes} }
