package fact

import (
	"math"

	"github.com/weirhq/weir/internal/eventtime"
)

// Rhythm is how reliably a source is active: for each hour of the local week, in
// how many of the ticks it brought anything, decayed over four weeks. The zero
// value knows nothing.
type Rhythm struct {
	Active, Ticks [eventtime.HoursOfWeek]float32
}

// rhythmKeep is what one hour's numbers keep a week later.
const rhythmKeep = 0.75

// Learn adds one finished hour of the week: in how many ticks the source was active,
// of how many there were.
func (r *Rhythm) Learn(hour int, active, ticks float32) {
	r.Active[hour] = rhythmKeep*r.Active[hour] + active
	r.Ticks[hour] = rhythmKeep*r.Ticks[hour] + ticks
}

// Surprise returns what one silent tick at the hour of the week is worth, in
// nats: minus the log of its probability. An hour that was never watched, or
// in which the source keeps silent, is worth nothing or little.
func (r *Rhythm) Surprise(hour int) float64 {
	p := float64(r.Active[hour]) / (float64(r.Ticks[hour]) + 2)
	return -math.Log1p(-p)
}

// SilenceCut is how surprising a silence must be, in nats, to be a fact; and
// it must be half more surprising than any that the source has come back from.
const SilenceCut = 30

// TooSilent reports whether a silence of the given surprise is a fact, after
// silences of at most longest that ended by themselves.
func TooSilent(surprise, longest float64) bool {
	return surprise >= SilenceCut && surprise > 1.5*longest
}
