// Package eventtime holds what weir means by event time: Unix milliseconds as
// the source stamped them, and the grid of ticks and bins that they are put on.
//
// Ticks, bins, hours and days are counted from 1970-01-01 00:00 UTC and carry
// the number that they have in that count.
package eventtime

import (
	"fmt"
	"math"
	"time"
)

// Spans of event time, in milliseconds.
const (
	Minute int64 = 60_000
	Hour         = 60 * Minute
	Day          = 24 * Hour
)

// HoursOfWeek is the number of hours in a week.
const HoursOfWeek = 7 * 24

// Never is before every event time, and before every tick and bin: the progress
// of a partition that has delivered nothing, the watermark when nothing is
// known.
const Never = math.MinInt64

// Layout is the layout, for package time, in which event times are written: RFC
// 3339 in UTC with milliseconds.
const Layout = "2006-01-02T15:04:05.000Z"

// Text returns a time (Unix ms) in Layout.
func Text(ms int64) string { return time.UnixMilli(ms).UTC().Format(Layout) }

// MinuteOf returns the Unix minute of a time (Unix ms) that is not before 1970.
func MinuteOf(ms int64) uint32 { return uint32(ms / Minute) }

// HourOf returns the number of the hour that contains a time (Unix ms).
func HourOf(ms int64) int64 { return floorDiv(ms, Hour) }

// DayOf returns the number of the day (UTC) that contains a time (Unix ms).
func DayOf(ms int64) int64 { return floorDiv(ms, Day) }

// Grid divides event time into ticks and bins. A tick is the step at which
// partials are united, applied and scored early; a bin, a whole number of
// ticks, is what detectors score.
type Grid struct {
	Tick int64 // milliseconds
	Bin  int64 // milliseconds, a multiple of Tick
}

// NewGrid returns a grid, or an error when the bin is not a whole number of
// whole-minute ticks.
func NewGrid(tick, bin time.Duration) (Grid, error) {
	g := Grid{tick.Milliseconds(), bin.Milliseconds()}
	if tick < time.Minute || tick%time.Minute != 0 {
		return g, fmt.Errorf("tick %v: want a whole number of minutes, at least one", tick)
	}
	if g.Bin < g.Tick || g.Bin%g.Tick != 0 {
		return g, fmt.Errorf("bin %v: want a whole number of ticks of %v", bin, tick)
	}
	return g, nil
}

// TickOf returns the number of the tick that contains a time (Unix ms).
func (g Grid) TickOf(ms int64) int64 { return floorDiv(ms, g.Tick) }

// TickStart returns the beginning of a tick in Unix ms.
func (g Grid) TickStart(tick int64) int64 { return tick * g.Tick }

// TickEnd returns the end of a tick, exclusive, in Unix ms.
func (g Grid) TickEnd(tick int64) int64 { return (tick + 1) * g.Tick }

// BinOf returns the number of the bin that contains a time (Unix ms).
func (g Grid) BinOf(ms int64) int64 { return floorDiv(ms, g.Bin) }

// BinOfTick returns the bin that a tick lies in.
func (g Grid) BinOfTick(tick int64) int64 { return floorDiv(tick, g.Bin/g.Tick) }

// BinStart returns the beginning of a bin in Unix ms.
func (g Grid) BinStart(bin int64) int64 { return bin * g.Bin }

// BinMinute returns the Unix minute at which a bin begins.
func (g Grid) BinMinute(bin int64) uint32 { return MinuteOf(g.BinStart(bin)) }

// LastTick returns the last tick of a bin.
func (g Grid) LastTick(bin int64) int64 { return (bin+1)*(g.Bin/g.Tick) - 1 }

// TickMinutes returns how many minutes a tick lasts.
func (g Grid) TickMinutes() uint32 { return MinuteOf(g.Tick) }

// floorDiv divides and rounds down, for times before 1970 too.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
