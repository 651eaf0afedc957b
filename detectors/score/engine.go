package score

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/weirhq/weir/detectors/fleet"
)

// Config says what an Engine is built for. All of it is part of what alerts are
// a function of.
type Config struct {
	Bin        time.Duration  // width of a bin; 0 is one hour; at least a minute, whole milliseconds
	Budget     float64        // opened statistical episodes a day, whole fleet; 0 is 2
	Dimensions []string       // names, in the order of the dim index
	Location   *time.Location // time zone of the hour of week; nil is UTC
}

// DefaultBudget is the alert budget where none is given, in opened episodes a
// day over the whole fleet.
const DefaultBudget = 2.0

// Validate says what is wrong with the configuration, all of it at once.
func (c Config) Validate() error {
	var faults []error
	if c.Bin != 0 && (c.Bin < time.Minute || c.Bin > 24*time.Hour || c.Bin%time.Millisecond != 0) {
		faults = append(faults, fmt.Errorf("bin %v: want a whole number of milliseconds from 1m to 24h", c.Bin))
	}
	if math.IsNaN(c.Budget) || c.Budget < 0 || c.Budget > 1e6 {
		faults = append(faults, fmt.Errorf("budget %v: want alerts a day, above 0 and at most 1e6", c.Budget))
	}
	if len(c.Dimensions) == 0 {
		faults = append(faults, errors.New("dimensions: want at least one"))
	}
	if len(c.Dimensions) > fleet.MaxDimensions {
		faults = append(faults, fmt.Errorf("dimensions: %d are more than the %d that are supported", len(c.Dimensions), fleet.MaxDimensions))
	}
	return errors.Join(faults...)
}

// Horizons of learning, in days. Slow enough that a leak of a few days hardly
// moves what is expected, fast enough that last month's work is forgotten.
const (
	levelDays      = 7.0  // memory of the level of distinct
	noveltyDays    = 7.0  // of the share of first touch, which falls as an identity gets to know its records
	laggingDays    = 28.0 // of what those have forgotten
	dispersionDays = 28.0 // of the over-dispersion
	youthDays      = 3.0  // how long a newcomer's growth is taken for normal
	absenceDays    = 3.0  // silence after which nothing more is learned of it
	catchUpDays    = 7.0  // silence that is scored bin by bin; longer silence is summed up
)

// Engine scores counts. It is built once from a Config and never changes; all
// methods may be called from several goroutines as long as each State, Sums and
// Fleet is used by one at a time.
type Engine struct {
	fleet.Model

	level      [fleet.NumCore]float64 // horizons, in bins
	pastLevel  float64
	dispersion float64
	keep       float64 // share of a statistic that outlives a bin
	spend      float64 // and of one that was enough
	rowsFade   float64 // how far the evidence of rows falls in a bin without, nats
	youth      float64
	absence    uint32
	catchUp    uint32
	peakFall   float64 // how far the remembered peak falls in a bin, nats
	highFall   float64 // and the one that counts in the tail
}

// NewEngine builds an Engine. It panics on a Config that Validate refuses:
// whoever reads the configuration validates it first.
func NewEngine(c Config) *Engine {
	if err := c.Validate(); err != nil {
		panic(fmt.Errorf("detectors: building the engine: %w", err))
	}
	if c.Bin == 0 {
		c.Bin = time.Hour
	}
	if c.Budget == 0 {
		c.Budget = DefaultBudget
	}
	if c.Location == nil {
		c.Location = time.UTC
	}
	day := float64(24*time.Hour) / float64(c.Bin)
	return &Engine{
		Model:      fleet.NewModel(len(c.Dimensions), c.Budget, c.Location, c.Bin),
		level:      [fleet.NumCore]float64{levelDays * day, noveltyDays * day},
		pastLevel:  laggingDays * day,
		dispersion: dispersionDays * day,
		keep:       1 - 1/(laggingDays*day),
		spend:      math.Exp(-4 / day),
		rowsFade:   1 / day,
		youth:      youthDays * day,
		absence:    uint32(math.Ceil(absenceDays * day)),
		catchUp:    uint32(math.Ceil(catchUpDays * day)),
		peakFall:   6 / day, // a quarter of a nat an hour
		highFall:   1 / day,
	}
}
