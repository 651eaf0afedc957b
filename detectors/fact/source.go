package fact

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/weirhq/weir/internal/eventtime"
)

// Names that stand in for sources in Register.Close: in that tick tokens were
// issued, or records touched.
const (
	TokensIssued   = "\x00tokens"
	RecordsTouched = "\x00access"
)

// sourceActivity is in which ticks one source is active, and how long it has been
// silent while others were active.
type sourceActivity struct {
	last     int64   // latest tick in which it was active
	surprise float64 // of the silence since then, in nats
	longest  float64 // of the silences that ended by themselves, in nats, decayed
	reported int64   // tick in which its silence was last told; eventtime.Never while it is active
	hour     int64   // Unix hour that active counts
	active   float32 // ticks of the hour in which it was active
	rhythm   Rhythm
}

const (
	// silentFor is for how long a silence is never a fact, in ms.
	silentFor = eventtime.Hour / 2
	// tellSilence is how often a silence is told again, in ms.
	tellSilence = eventtime.Hour
	// longestKeeps is what the longest silence keeps an hour later: half of it
	// after four weeks.
	longestKeeps = 0.99897
)

// followSources takes in which sources were active in a tick. Ticks in which none
// was pass without it, so only a silence while others are active can be noticed.
func (r *Register) followSources(tick int64, active []string) {
	var names []string
	for _, name := range active {
		switch {
		case name == TokensIssued:
			r.noteInput(&r.inputs.tokens, r.cfg.Grid.TickStart(tick))
		case name == RecordsTouched:
			r.noteInput(&r.inputs.accesses, r.cfg.Grid.TickStart(tick))
		case !slices.Contains(names, name):
			names = append(names, name)
		}
	}
	if !r.cfg.Sources || len(names) == 0 {
		return
	}
	for _, name := range names {
		if r.sources[name] == nil {
			r.sources[name] = &sourceActivity{last: tick, reported: eventtime.Never, hour: r.hour(tick)}
		}
	}
	for name, s := range r.sources {
		r.followSource(s, tick, slices.Contains(names, name))
		r.changed[sourceRecord+name] = true
	}
}

func (r *Register) hour(tick int64) int64 { return eventtime.HourOf(r.cfg.Grid.TickStart(tick)) }

// hourOfWeek returns the local hour of the week of a Unix hour.
func (r *Register) hourOfWeek(hour int64) int {
	t := time.UnixMilli(hour * eventtime.Hour).In(r.cfg.Location)
	return int(t.Weekday())*24 + t.Hour()
}

// followSource brings a source up to a tick in which it was active, or others were.
func (r *Register) followSource(s *sourceActivity, tick int64, active bool) {
	hour := r.hour(tick)
	perHour := float32(max(eventtime.Hour/r.cfg.Grid.Tick, 1))
	if s.hour < hour {
		s.rhythm.Learn(r.hourOfWeek(s.hour), s.active, perHour)
		for h := max(s.hour+1, hour-7*24); h < hour; h++ { // in which no source was active
			s.rhythm.Learn(r.hourOfWeek(h), 0, perHour)
		}
		s.longest *= math.Pow(longestKeeps, float64(hour-s.hour))
		s.hour, s.active = hour, 0
	}
	if !active {
		s.surprise += s.rhythm.Surprise(r.hourOfWeek(hour))
		return
	}
	s.active++
	if s.reported == eventtime.Never {
		s.longest = max(s.longest, s.surprise)
	}
	s.last, s.surprise, s.reported = max(s.last, tick), 0, eventtime.Never
}

// Silence is a source that is too silent.
type Silence struct {
	Source string
	Since  int64 // Unix ms
	Detail map[string]string
}

// Silences returns the sources whose silence is to be told at a tick, by name.
func (r *Register) Silences(tick int64) (out []Silence) {
	grid := r.cfg.Grid
	for _, name := range slices.Sorted(maps.Keys(r.sources)) {
		s := r.sources[name]
		if (tick-s.last)*grid.Tick < silentFor || !TooSilent(s.surprise, s.longest) {
			continue
		}
		if s.reported != eventtime.Never && (tick-s.reported)*grid.Tick < tellSilence {
			continue
		}
		s.reported = tick
		r.changed[sourceRecord+name] = true
		since := grid.TickEnd(s.last)
		out = append(out, Silence{name, since, map[string]string{
			"silent_since": eventtime.Text(since), "silent_hours": hours(grid.TickEnd(tick) - since),
		}})
	}
	return out
}
