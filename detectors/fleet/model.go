package fleet

import (
	"math"
	"time"

	"github.com/weirhq/weir/internal/eventtime"
)

// Model is what the fleet and the scoring of one identity have in common: how many
// dimensions there are, the alert budget, and how event time is cut into bins.
type Model struct {
	dims     int
	budget   float64 // opened statistical episodes a day, whole fleet
	loc      *time.Location
	millis   int64   // width of a bin
	PerDay   float64 // bins in a day
	KeptBins uint32  // bins for which late counts are taken
}

// MaxDimensions is how many dimensions there may be.
const MaxDimensions = 64

// keepDays is how far back late counts are taken.
const keepDays = 2.0

// NewModel returns the model of so many dimensions.
func NewModel(dims int, budget float64, loc *time.Location, bin time.Duration) Model {
	day := float64(24*time.Hour) / float64(bin)
	return Model{dims: dims, budget: budget, loc: loc, millis: bin.Milliseconds(), PerDay: day, KeptBins: uint32(math.Ceil(keepDays * day))}
}

// HourOfWeek returns the hour of the week in which the bin starts, in the
// configured time zone: 0 is Monday 00:00, 167 Sunday 23:00.
func (e *Model) HourOfWeek(bin int64) int {
	hour, _ := e.Local(bin)
	return hour
}

// Local returns the hour of the week and the number of the day in which the bin
// starts, in the configured time zone.
func (e *Model) Local(bin int64) (hour int, day uint32) {
	sec := bin * e.millis / 1000
	if e.loc != time.UTC {
		_, offset := time.Unix(sec, 0).In(e.loc).Zone()
		sec += int64(offset)
	}
	hour = int((sec/3600 + 3*24) % eventtime.HoursOfWeek) // the epoch was a Thursday
	if hour < 0 {
		hour += eventtime.HoursOfWeek
	}
	return hour, uint32(sec / 86_400)
}

// Day returns the number of the day of event time (UTC) that the bin starts in.
func (e *Model) Day(bin uint32) int64 { return int64(bin) * e.millis / eventtime.Day }

// BinOf returns the index of the bin that holds a Unix time in milliseconds.
func (e *Model) BinOf(ms int64) int64 { return ms / e.millis }

// BinStart returns the Unix time in milliseconds at which the bin starts.
func (e *Model) BinStart(bin int64) int64 { return bin * e.millis }

// ClampBin maps a bin index into what a State can hold.
func ClampBin(bin int64) uint32 {
	return uint32(min(max(bin, 0), math.MaxUint32-1))
}
