package score

import (
	"math"
	"time"
)

// Engine scores counts. It is built once and never changes; its methods may be
// called from several goroutines as long as each State is used by one at a time.
type Engine struct {
	millis   int64 // width of a bin
	perDay   float64
	loc      *time.Location
	mostBins float64 // most bins that a statistic remembers
	keepBin  float64 // share of a statistic of bins that outlives a bin
	paceBin  float64 // weight of a bin in the mean bin
	Tuning   Tuning
}

// NewEngine returns an engine of bins of a width, whose days and hours are of a
// time zone.
func NewEngine(bin time.Duration, loc *time.Location, t Tuning) *Engine {
	day := float64(24*time.Hour) / float64(bin)
	work := day / 3 // bins of a working day
	return &Engine{
		millis: bin.Milliseconds(), mostBins: t.Memory * work, perDay: day, loc: loc, Tuning: t,
		keepBin: 1 - 1/(t.Memory*work), paceBin: 1 / (t.PaceDays * work),
	}
}

// local returns the day and the hour of the own week (0..23 of working days,
// 24..47 of weekends) in which a bin begins.
func (e *Engine) local(bin int64) (day int64, cell int) {
	sec := bin * e.millis / 1000
	if e.loc != time.UTC {
		_, offset := time.Unix(sec, 0).In(e.loc).Zone()
		sec += int64(offset)
	}
	day, cell = sec/86_400, int(sec/3600%24)
	if (day+3)%7 >= 5 { // the epoch was a Thursday
		cell += 24
	}
	return day, cell
}

// Day returns the number of the local day in which a bin begins.
func (e *Engine) Day(bin int64) int64 {
	day, _ := e.local(bin)
	return day
}

// DayStart returns the bin in which the local day of a bin begins.
func (e *Engine) DayStart(bin int64) int64 {
	day := e.Day(bin)
	from := bin - int64(e.perDay) - 1 // a day is an hour longer when clocks go back
	for from < bin && e.Day(from) < day {
		from++
	}
	return from
}

// Kept returns for how many bins back State.Counted is certain to answer.
func (e *Engine) Kept() int64 { return keptDays * int64(e.perDay) }

// clampBin maps a bin index into what a State can hold.
func clampBin(bin int64) uint32 { return uint32(min(max(bin, 0), math.MaxUint32-1)) }
