package episode

import (
	"encoding/binary"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
)

// Openings counts what the alert budget is about: statistical episodes, and
// campaigns of them, that people were told of, by day of event time. Facts are
// outside the budget.
type Openings struct {
	Began int64 // day of the first tick (UTC, since 1970), 0: none yet
	days  []dayCount
}

// dayCount is how many episodes people were told of on a day (UTC, since 1970).
type dayCount struct{ day, count int64 }

// budgetDays is over how many days the realised rate is a mean.
const budgetDays = 28

// Count counts an episode that people are told of at the end of a tick.
func (o *Openings) Count(ep *Episode, end int64) {
	day := eventtime.DayOf(end - 1)
	if o.Began == 0 {
		o.Began = day
	}
	if ep.Facts != "" {
		return
	}
	if last := len(o.days) - 1; last >= 0 && o.days[last].day == day {
		o.days[last].count++
	} else {
		o.days = append(o.days, dayCount{day, 1})
	}
	for o.days[0].day <= day-budgetDays {
		o.days = o.days[1:]
	}
}

// Start keeps the day of the first tick, at whose end it is called.
func (o *Openings) Start(end int64) {
	if o.Began == 0 {
		o.Began = eventtime.DayOf(end - 1)
	}
}

// Watched returns for how long before a time weir has seen events, ms: since the end of
// the day of the first tick, at least.
func (o *Openings) Watched(at int64) int64 { return max(0, at-(o.Began+1)*eventtime.Day) }

// PerDay returns how many episodes people were told of in a day of event time, as
// the mean of the last budgetDays days, or of all since the first tick.
func (o *Openings) PerDay(end int64) float64 {
	if o.Began == 0 {
		return 0
	}
	day := eventtime.DayOf(end - 1)
	var n int64
	for _, d := range o.days {
		if d.day > day-budgetDays && d.day <= day {
			n += d.count
		}
	}
	return float64(n) / float64(min(max(day-o.Began+1, 1), budgetDays))
}

// AppendBinary appends the openings.
func (o *Openings) AppendBinary(b []byte) []byte {
	b = binary.AppendVarint(b, o.Began)
	return wire.AppendList(b, o.days, func(b []byte, d *dayCount) []byte { return wire.AppendVarints(b, d.day, d.count) })
}

// ReadOpenings reads what AppendBinary wrote.
func ReadOpenings(r *wire.Reader) (o Openings) {
	o.Began = r.Varint()
	o.days = wire.List(r, func() dayCount { return dayCount{r.Varint(), r.Varint()} })
	return o
}
