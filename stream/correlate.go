package stream

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors"
)

// CorrelateConfig is what the correlate task needs to know.
type CorrelateConfig struct {
	Grid       Grid
	Dimensions []string
	Engine     *detectors.Engine
	Partitions int32 // of weir.partials: how many detect tasks report
	Budget     float64
	Location   *time.Location // of the times in summaries
}

// detectorName is what alerts call the engine of package detectors.
const detectorName = "drift"

// Correlate sees what stands out of the whole fleet. It works tick by tick,
// once every detect partition has closed the tick, in sorted order; at the end
// of each bin it publishes the parameters that detect uses in the next.
type Correlate struct {
	cfg        CorrelateConfig
	done       []int64 // per detect partition
	closed     int64   // last tick worked through
	bin        int64   // last bin whose parameters were published
	candidates map[int64][]Candidate
	sums       map[int64]*detectors.Sums // by bin, of reports not worked through
	fleet      *detectors.Fleet          // as of the last bin in which anyone was scored
	params     *detectors.Parameters
	episodes   detectors.Episodes
	last       map[episodeID]*alerting.Alert // what is known of each episode
	changed    map[episodeID]bool            // since the last Take
	first      map[int64]int64               // tick: first offset of a report that told of it
	offset     int64
}

// episodeID names an episode's identity.
type episodeID struct{ dimension, identity string }

// NewCorrelate returns a correlate task that knows nothing.
func NewCorrelate(cfg CorrelateConfig) *Correlate {
	c := &Correlate{
		cfg:        cfg,
		done:       make([]int64, cfg.Partitions),
		closed:     never,
		bin:        never,
		candidates: map[int64][]Candidate{},
		sums:       map[int64]*detectors.Sums{},
		fleet:      cfg.Engine.NewFleet(),
		params:     cfg.Engine.DefaultParameters(),
		last:       map[episodeID]*alerting.Alert{},
		changed:    map[episodeID]bool{},
		first:      map[int64]int64{},
	}
	for i := range c.done {
		c.done[i] = never
	}
	return c
}

// Apply takes in one record of weir.evidence at its offset.
func (c *Correlate) Apply(offset int64, r *Report) error {
	if r.Partition < 0 || r.Partition >= c.cfg.Partitions {
		return fmt.Errorf("a report of partition %d, where weir.partials has %d: %w", r.Partition, c.cfg.Partitions, ErrCorrupt)
	}
	for _, cand := range r.Candidates {
		if cand.Dimension < 0 || cand.Dimension >= len(c.cfg.Dimensions) || len(cand.Measures) == 0 {
			return fmt.Errorf("a candidate of dimension %d: %w", cand.Dimension, ErrCorrupt)
		}
		if cand.Tick > c.closed {
			c.candidates[cand.Tick] = append(c.candidates[cand.Tick], cand)
			c.saw(cand.Tick, offset)
		}
	}
	for _, b := range r.Bins {
		if b.Bin <= c.bin {
			continue
		}
		sums, _, err := detectors.DecodeSums(b.Sums)
		if err != nil {
			return fmt.Errorf("reading a report: %w", err)
		}
		if have := c.sums[b.Bin]; have != nil {
			have.Add(sums)
		} else {
			c.sums[b.Bin] = sums
		}
		c.saw(c.cfg.Grid.LastTick(b.Bin), offset)
	}
	c.done[r.Partition] = max(c.done[r.Partition], r.Done)
	c.offset = offset + 1
	return nil
}

func (c *Correlate) saw(tick, offset int64) {
	if _, ok := c.first[tick]; !ok {
		c.first[tick] = offset
	}
}

// Advance works through every tick that all partitions have closed.
func (c *Correlate) Advance() Findings {
	limit := slices.Min(c.done)
	if limit == never || limit <= c.closed {
		return Findings{}
	}
	var alerts []alerting.Alert
	for {
		tick := c.next()
		if tick > limit {
			break
		}
		alerts = append(alerts, c.judge(tick)...)
		if bin := c.cfg.Grid.BinOfTick(tick); c.sums[bin] != nil && tick == c.cfg.Grid.LastTick(bin) {
			c.params = c.cfg.Engine.CloseBin(c.fleet, bin, c.sums[bin])
			delete(c.sums, bin)
		}
		c.closed = tick
	}
	c.closed = limit
	for tick := range c.first {
		if tick <= c.closed {
			delete(c.first, tick)
		}
	}
	bin := c.cfg.Grid.BinOfTick(limit+1) - 1 // the last that is over
	if bin <= c.bin {
		return Findings{Alerts: alerts}
	}
	if c.fleet.Bin() < bin {
		// Nobody was scored in it. What the empty bins change is worked out on
		// a copy, so that in how many steps time has passed cannot show.
		c.params = c.cfg.Engine.CloseBin(c.copyFleet(), bin, &detectors.Sums{})
	}
	c.bin = bin
	return Findings{Alerts: alerts, Parameters: &Parameters{Parameters: c.params}}
}

// next returns the next tick in which something happens: there are candidates,
// a bin ends in which anyone was scored, or an episode has been quiet for long.
// The ticks between change nothing.
func (c *Correlate) next() int64 {
	tick := int64(math.MaxInt64)
	for t := range c.candidates {
		tick = min(tick, t)
	}
	for bin := range c.sums {
		tick = min(tick, c.cfg.Grid.LastTick(bin))
	}
	for _, ep := range c.episodes.All() {
		if ep.Closed == 0 {
			quiet := ep.High + detectors.EpisodeQuiet
			tick = min(tick, max(c.cfg.Grid.TickOf(quiet-1), c.closed+1))
		}
	}
	return tick
}

func (c *Correlate) copyFleet() *detectors.Fleet {
	f, _, err := c.cfg.Engine.DecodeFleet(c.fleet.AppendBinary(nil))
	if err != nil {
		panic(fmt.Sprintf("stream: a fleet does not read back: %v", err)) // a mistake in package detectors
	}
	return f
}

// judge works through the candidates of a tick, in sorted order, and then
// closes the episodes that have been quiet.
func (c *Correlate) judge(tick int64) []alerting.Alert {
	list := c.candidates[tick]
	delete(c.candidates, tick)
	slices.SortFunc(list, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(c.cfg.Dimensions[a.Dimension], c.cfg.Dimensions[b.Dimension]), cmp.Compare(a.Identity, b.Identity))
	})
	end := c.cfg.Grid.TickEnd(tick)
	var alerts []alerting.Alert
	for i := range list {
		cand := &list[i]
		dim := c.cfg.Dimensions[cand.Dimension]
		v := c.episodes.Judge(detectors.Report{
			Dimension: dim, Identity: cand.Identity, Tick: end,
			Log: cand.Log, Threshold: c.params.Threshold(cand.Dimension), Exposed: cand.Exposed.Records,
		})
		if v.Episode.First == 0 {
			continue // below the threshold, and no episode
		}
		id := episodeID{dim, cand.Identity}
		c.learn(id, cand, &v, end)
		alerts = c.tell(alerts, v, end)
	}
	closed, forgotten := c.episodes.Expire(end)
	for _, v := range closed {
		alerts = c.tell(alerts, v, end)
	}
	for _, ep := range forgotten {
		id := episodeID{ep.Dimension, ep.Identity}
		delete(c.last, id)
		c.changed[id] = true
	}
	slices.SortStableFunc(alerts, func(a, b alerting.Alert) int {
		return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Identity, b.Identity))
	})
	return alerts
}

// learn keeps what a candidate shows of its episode: the case where its
// evidence is the strongest so far, and in any case what is exposed.
func (c *Correlate) learn(id episodeID, cand *Candidate, v *detectors.Verdict, end int64) {
	last := c.last[id]
	switch {
	case v.Action == detectors.Open || last != nil && cand.Log >= last.Evidence.LogValue:
		c.last[id] = c.alert(cand, id.dimension, &v.Episode, end)
	case v.Episode.Closed == 0 && last != nil:
		last.Exposed, last.Onset = cand.Exposed, cand.Onset
	}
}

// alert says what a candidate has shown of an episode that is open.
func (c *Correlate) alert(cand *Candidate, dimension string, ep *detectors.Episode, end int64) *alerting.Alert {
	m := cand.Measures[0]
	a := &alerting.Alert{
		Schema:    alerting.Schema,
		DedupKey:  alerting.DedupKey(ep.Dimension, ep.Identity, ep.First),
		Status:    alerting.Open,
		Time:      alerting.Time(end),
		Onset:     cand.Onset,
		Dimension: dimension, Identity: cand.Identity,
		Detector: detectorName, Measure: m.Measure,
		Severity: alerting.Severity(ep.Severity.String()),
		Observed: m.Observed, Expected: m.Expected, Exposed: cand.Exposed,
		Evidence: alerting.Evidence{
			Bin:      alerting.Time(cand.Bin * c.cfg.Grid.Bin),
			BinWidth: (time.Duration(c.cfg.Grid.Bin) * time.Millisecond).String(),
			LogValue: cand.Log, Threshold: c.params.Threshold(cand.Dimension),
			Budget: c.cfg.Budget, Measures: cand.Measures,
		},
	}
	// Kept as it reads back, so that a restore in between cannot show in what
	// is told later.
	read, err := alerting.ParseAlert(a.AppendJSON(nil))
	if err != nil {
		panic(fmt.Sprintf("stream: an alert does not read back: %v", err)) // a mistake in this package
	}
	return read
}

// tell adds the alert that a verdict asks for, if it asks for one.
func (c *Correlate) tell(alerts []alerting.Alert, v detectors.Verdict, end int64) []alerting.Alert {
	ep := v.Episode
	id := episodeID{ep.Dimension, ep.Identity}
	c.changed[id] = true
	if v.Action == detectors.Nothing {
		return alerts
	}
	a := c.last[id]
	a.Status = alerting.Status(v.Action.String())
	a.Severity = alerting.Severity(ep.Severity.String())
	a.Time = alerting.Time(end)
	a.Summary = alerting.Summarize(a, c.cfg.Location)
	return append(alerts, *a)
}
