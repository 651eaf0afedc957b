// Package stream is the topology: the operators between an access event and an
// alert, and what flows between them.
//
//	Ingest ─ Batch (weir.partials) ─► Detect ─ Report (weir.evidence) ─► Correlate ─► alerts
//	                                    ▲                                    │
//	                                    └──── Parameters (weir.parameters) ◄─┘
//
// Beside it, Ingest ─ SessionBatch (weir.sessions) ─► Join ─ Batch (weir.partials)
// finds what was read through tokens that nobody issued.
//
// Each operator is plain Go: it takes values in, gives values out, and knows no
// clock, no Kafka and no goroutine. Kafka (package stream/kafka), files and the
// embedded broker are sources and sinks around the same operators. What comes
// out is a function of the set of events that went in: everything is united on
// a grid of event time before it is counted, so neither the partitioning nor
// the order of arrival can show.
package stream

import (
	"fmt"
	"math"
	"time"
)

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

// TickOf returns the index of the tick that contains a time (Unix ms).
func (g Grid) TickOf(ms int64) int64 { return floorDiv(ms, g.Tick) }

// BinOf returns the index of the bin that contains a time (Unix ms).
func (g Grid) BinOf(ms int64) int64 { return floorDiv(ms, g.Bin) }

// TickEnd returns the end of a tick, exclusive, in Unix ms.
func (g Grid) TickEnd(tick int64) int64 { return (tick + 1) * g.Tick }

// BinOfTick returns the bin that a tick lies in.
func (g Grid) BinOfTick(tick int64) int64 { return floorDiv(tick, g.Bin/g.Tick) }

// LastTick returns the last tick of a bin.
func (g Grid) LastTick(bin int64) int64 { return (bin+1)*(g.Bin/g.Tick) - 1 }

// BinMinute returns the Unix minute at which a bin begins.
func (g Grid) BinMinute(bin int64) uint32 { return uint32(bin * g.Bin / 60_000) }

// firstTick returns the smallest key of what waits by tick, the largest number
// there is if nothing does.
func firstTick[V any](waiting map[int64]V) int64 {
	first := int64(math.MaxInt64)
	for tick := range waiting {
		first = min(first, tick)
	}
	return first
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// never is before every event time: the progress of a partition that has
// delivered nothing, the watermark when nothing is known.
const never = math.MinInt64
