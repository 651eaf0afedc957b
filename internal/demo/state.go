package demo

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
)

// phase says where the demonstration is.
type phase int

const (
	inHistory phase = iota // two quiet weeks, as fast as they can be read
	inLastDay              // the last day, at a pace
	isOver                 // the day is over
)

// state is all that is shown. It belongs to one goroutine; truth alone is
// shared.
type state struct {
	page    string // where the messages are shown; empty: nowhere
	console string // where the console is; empty: nowhere
	phase   phase
	start   time.Time // of the company
	speed   float64   // 0: no pace
	truth   *truth
	grid    eventtime.Grid
	bin     int64 // last bin that the pipeline is done with

	events     int64   // taken in
	perSecond  float64 // by the wall clock, over the last second or so
	watermark  int64   // event time, Unix ms; 0: none yet
	identities int64

	alerts     []*alerting.Alert
	episodes   map[string]*alerting.Alert // last alert of each, by key
	candidates map[candidateID]*stream.Candidate
	dimensions []string // names
	tick       int64    // last tick of any candidate

	samples []sample
}

type candidateID struct {
	dimension int
	identity  string
}

// sample is how many events had been taken in at a moment.
type sample struct {
	at     time.Time
	events int64
}

func newState(t simulate.Truth) *state {
	return &state{
		start: t.Start, truth: newTruth(t), bin: -1 << 62,
		episodes: map[string]*alerting.Alert{}, candidates: map[candidateID]*stream.Candidate{},
	}
}

// done returns the event time, Unix ms, up to which everything has been judged;
// 0 before the first bin.
func (s *state) done() int64 {
	if s.bin < 0 {
		return 0
	}
	return (s.bin + 1) * s.grid.Bin
}

// take takes in what the pipeline wrote.
func (s *state) take(n output) {
	for _, a := range n.alerts {
		s.alerts = append(s.alerts, a)
		s.episodes[a.DedupKey] = a
	}
	for i := range n.candidates {
		c := &n.candidates[i]
		id := candidateID{c.Dimension, c.Identity}
		if old := s.candidates[id]; old == nil || old.Tick <= c.Tick {
			s.candidates[id] = c
		}
		s.tick = max(s.tick, c.Tick)
	}
	if n.params != nil {
		s.bin = n.params.Bin
	}
}

// rateOver is the span of the events a second that are shown.
const rateOver = 2 * time.Second

// measure reads the process's own metrics.
func (s *state) measure(reg prometheus.Gatherer, now time.Time) {
	families, err := reg.Gather()
	if err != nil {
		return // the picture is a moment old
	}
	s.events, s.identities, s.watermark = 0, 0, 0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			switch f.GetName() {
			case "weir_events_total":
				s.events += int64(m.GetCounter().GetValue())
			case "weir_identities":
				s.identities += int64(m.GetGauge().GetValue())
			case "weir_watermark_seconds": // of each partition
				if ms := int64(m.GetGauge().GetValue() * 1000); s.watermark == 0 || ms < s.watermark {
					s.watermark = ms
				}
			}
		}
	}
	s.events = max(0, s.events-s.truth.marked())
	s.samples = append(s.samples, sample{now, s.events})
	for len(s.samples) > 2 && now.Sub(s.samples[1].at) >= rateOver {
		s.samples = s.samples[1:]
	}
	if first := s.samples[0]; now.After(first.at) {
		s.perSecond = float64(s.events-first.events) / now.Sub(first.at).Seconds()
	}
}

// openEpisodes returns the last alert of each open episode, with what is
// exposed by now: the gravest first, then those that exposed most.
func (s *state) openEpisodes() (open []*alerting.Alert) {
	for _, a := range s.episodes {
		if a.Status == alerting.Close {
			continue
		}
		id := candidateID{slices.Index(s.dimensions, a.Dimension), a.Identity}
		if c := s.candidates[id]; c != nil && c.Exposed.Records > a.Exposed.Records {
			now := *a
			now.Exposed.Records = c.Exposed.Records
			a = &now
		}
		open = append(open, a)
	}
	slices.SortFunc(open, func(a, b *alerting.Alert) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Excess.Records, a.Excess.Records),
			cmp.Compare(b.Exposed.Records, a.Exposed.Records),
			cmp.Compare(a.DedupKey, b.DedupKey))
	})
	return open
}

// standout is an identity whose evidence stands out now.
type standout struct {
	*stream.Candidate
	share float64 // of its log evidence in what opens an episode
	place int     // among those of its dimension, 0 the strongest
}

// standingOut returns at most so many of the identities that stood out in the
// last ticks, by dimension and strength. Each dimension's strongest come first
// when not all have room.
func (s *state) standingOut(ticks int64, most int) (out []standout) {
	for _, c := range s.candidates {
		if c.Tick <= s.tick-ticks || c.Log <= 0 || c.Threshold <= 0 {
			continue
		}
		share := c.Log / c.Threshold
		if m := c.Measures[0]; share < 1 && m.Observed <= m.Expected {
			continue // it stood out earlier, and fades
		}
		out = append(out, standout{Candidate: c, share: share})
	}
	byDimension := func(a, b standout) int {
		return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(b.share, a.share), cmp.Compare(a.Identity, b.Identity))
	}
	slices.SortFunc(out, byDimension)
	for i := 1; i < len(out); i++ {
		if out[i].Dimension == out[i-1].Dimension {
			out[i].place = out[i-1].place + 1
		}
	}
	slices.SortStableFunc(out, func(a, b standout) int { return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(b.share, a.share)) })
	out = out[:min(len(out), most)]
	slices.SortFunc(out, byDimension)
	return out
}
