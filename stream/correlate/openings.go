package correlate

import (
	"encoding/binary"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
)

// openings counts what the alert budget is about: statistical episodes, and
// campaigns of them, that people were told of, by day of event time. Facts are
// outside the budget.
type openings struct {
	began int64 // day of the first tick, 0: none yet
	days  []dayCount
}

// dayCount is how many episodes people were told of on a day (UTC, since 1970).
type dayCount struct{ day, count int64 }

// budgetDays is over how many days the realised rate is a mean.
const budgetDays = 28

// count counts an episode that people are told of at the end of a tick.
func (o *openings) count(ep *episode.Episode, end int64) {
	day := eventtime.DayOf(end - 1)
	if o.began == 0 {
		o.began = day
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

// start keeps the day of the first tick, at whose end it is called.
func (o *openings) start(end int64) {
	if o.began == 0 {
		o.began = eventtime.DayOf(end - 1)
	}
}

// perDay returns how many episodes people were told of in a day of event time, as
// the mean of the last budgetDays days, or of all since the first tick.
func (o *openings) perDay(end int64) float64 {
	if o.began == 0 {
		return 0
	}
	day := eventtime.DayOf(end - 1)
	var n int64
	for _, d := range o.days {
		if d.day > day-budgetDays && d.day <= day {
			n += d.count
		}
	}
	return float64(n) / float64(min(max(day-o.began+1, 1), budgetDays))
}

func (o *openings) appendBinary(b []byte) []byte {
	b = binary.AppendVarint(b, o.began)
	return wire.AppendList(b, o.days, func(b []byte, d *dayCount) []byte { return wire.AppendVarints(b, d.day, d.count) })
}

func readOpenings(r *wire.Reader) (o openings) {
	o.began = r.Varint()
	o.days = wire.List(r, func() dayCount { return dayCount{r.Varint(), r.Varint()} })
	return o
}
