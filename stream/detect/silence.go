package detect

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// sourceActivity is how one source topic speaks, and since when it has been silent while
// others spoke.
type sourceActivity struct {
	last     int64   // latest tick in which it brought anything
	surprise float64 // of the silence since then, in nats
	longest  float64 // of the silences that ended by themselves, decayed
	told     int64   // tick in which its silence was last told; never while it speaks
	hour     int64   // Unix hour that the two counts are of
	active   float32
	rhythm   fact.Rhythm
}

const (
	// silentFor is how long a silence is never a fact.
	silentFor = eventtime.Hour / 2
	// tellSilence is how often a silence is told again.
	tellSilence = eventtime.Hour
	// longestKeeps is what the longest silence keeps an hour later: half of it
	// after four weeks.
	longestKeeps = 0.99897
)

// listen takes in which sources spoke in a tick. Ticks in which none did pass
// without it, so only a silence while others speak can be noticed.
func (f *factRegister) listen(tick int64, spoke []stream.Spoke) {
	var topics []string
	for _, s := range spoke {
		switch {
		case s.Topic == stream.TokensSpoke:
			f.hear(&f.heard.tokens, f.grid.TickStart(tick))
		case s.Topic == stream.AccessSpoke:
			f.hear(&f.heard.accesses, f.grid.TickStart(tick))
		case !slices.Contains(topics, s.Topic):
			topics = append(topics, s.Topic)
		}
	}
	if !f.listens || len(topics) == 0 {
		return
	}
	for _, topic := range topics {
		if f.voices[topic] == nil {
			f.voices[topic] = &sourceActivity{last: tick, told: eventtime.Never, hour: f.hour(tick)}
		}
	}
	for topic, v := range f.voices {
		f.follow(v, tick, slices.Contains(topics, topic))
		f.changed[voiceRecord+topic] = true
	}
}

func (f *factRegister) hour(tick int64) int64 { return eventtime.HourOf(f.grid.TickStart(tick)) }

// hourOfWeek returns the local hour of the week of a Unix hour.
func (f *factRegister) hourOfWeek(hour int64) int {
	t := time.UnixMilli(hour * eventtime.Hour).In(f.cfg.Location)
	return int(t.Weekday())*24 + t.Hour()
}

// follow brings a voice up to a tick in which it spoke, or others did.
func (f *factRegister) follow(v *sourceActivity, tick int64, spoke bool) {
	hour := f.hour(tick)
	perHour := float32(max(eventtime.Hour/f.grid.Tick, 1))
	if v.hour < hour {
		v.rhythm.Learn(f.hourOfWeek(v.hour), v.active, perHour)
		for h := max(v.hour+1, hour-7*24); h < hour; h++ { // in which nobody spoke
			v.rhythm.Learn(f.hourOfWeek(h), 0, perHour)
		}
		v.longest *= math.Pow(longestKeeps, float64(hour-v.hour))
		v.hour, v.active = hour, 0
	}
	if !spoke {
		v.surprise += v.rhythm.Surprise(f.hourOfWeek(hour))
		return
	}
	v.active++
	if v.told == eventtime.Never {
		v.longest = max(v.longest, v.surprise)
	}
	v.last, v.surprise, v.told = max(v.last, tick), 0, eventtime.Never
}

// tellSilences reports the sources that are too silent at a tick.
func (d *Task) tellSilences(tick int64) {
	f := d.facts
	if f == nil || !f.listens || tick <= d.reported {
		return
	}
	for _, topic := range slices.Sorted(maps.Keys(f.voices)) {
		v := f.voices[topic]
		if (tick-v.last)*f.grid.Tick < silentFor || !fact.TooSilent(v.surprise, v.longest) {
			continue
		}
		if v.told != eventtime.Never && (tick-v.told)*f.grid.Tick < tellSilence {
			continue
		}
		v.told = tick
		f.changed[voiceRecord+topic] = true
		since := f.grid.TickEnd(v.last)
		d.report.Facts = append(d.report.Facts, stream.FactCandidate{
			Tick: tick, Dimension: stream.SourceDimension, Identity: topic, Fact: fact.SourceSilent, Time: since,
			Detail:  map[string]string{"silent_since": eventtime.Text(since), "silent_hours": hours(f.grid.TickEnd(tick) - since)},
			Exposed: episode.Exposed{Since: since},
		})
	}
}

// sortFacts puts what was told of a tick in order.
func sortFacts(facts []stream.FactCandidate) {
	slices.SortFunc(facts, func(a, b stream.FactCandidate) int {
		return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Identity, b.Identity), cmp.Compare(a.Fact, b.Fact))
	})
}
