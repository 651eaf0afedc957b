package correlate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// Config is what the correlate task needs to know.
type Config struct {
	Grid       eventtime.Grid
	Dimensions []string
	Engine     *score.Engine
	Partitions int32 // of weir.partials: how many detect tasks report
	Budget     float64
	Location   *time.Location // of the times in summaries and of weekly windows; nil: UTC
	Expected   []Expectation  // what is declared to be expected
}

// Correlate sees what stands out of the whole fleet. It works tick by tick,
// once every detect partition has closed the tick, in sorted order; at the end
// of each bin it publishes the parameters that detect uses in the next.
//
// What it does with a tick: verdicts take effect; candidates and facts are held
// against the episodes of their identities; episodes are gathered into
// campaigns; and of what there is to say, what is expected or stands in a
// campaign's message already is held back.
type Task struct {
	cfg        Config
	dims       map[string]int
	done       []int64 // per detect partition
	closed     int64   // last tick worked through
	bin        int64   // last bin whose parameters were published
	candidates map[int64][]stream.Candidate
	facts      map[int64][]stream.FactCandidate
	sums       map[int64]*binTotals // by bin, of reports not worked through
	fleet      *score.Fleet         // as of the last bin in which anyone was scored
	params     *score.Parameters
	crowd      *campaign.Crowd
	crowded    bool // the crowd has changed since the last Take
	episodes   episode.Episodes
	files      map[episodeID]*episodeRecord
	keys       map[string]episodeID // by dedup key, of files and of the past
	members    map[string]map[episodeID]bool
	past       past
	verdicts   verdicts
	commands   commands
	opened     openings
	changed    map[episodeID]bool // since the last Snapshot
	first      map[int64]int64    // tick: first offset of a report that told of it
	offset     int64
}

// binTotals is what all partitions told of one bin.
type binTotals struct {
	sums   *score.Sums
	traits campaign.TraitSums
}

// episodeID names an episode's identity.
type episodeID struct{ dimension, identity string }

// New returns a correlate task that knows nothing.
func New(cfg Config) *Task {
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	c := &Task{
		cfg:        cfg,
		dims:       map[string]int{stream.SourceDimensionName: stream.SourceDimension},
		done:       make([]int64, cfg.Partitions),
		closed:     eventtime.Never,
		bin:        eventtime.Never,
		candidates: map[int64][]stream.Candidate{},
		facts:      map[int64][]stream.FactCandidate{},
		sums:       map[int64]*binTotals{},
		fleet:      cfg.Engine.NewFleet(),
		params:     cfg.Engine.DefaultParameters(),
		crowd:      &campaign.Crowd{},
		files:      map[episodeID]*episodeRecord{},
		keys:       map[string]episodeID{},
		members:    map[string]map[episodeID]bool{},
		past:       newPast(),
		verdicts:   newVerdicts(),
		changed:    map[episodeID]bool{},
		first:      map[int64]int64{},
	}
	for i, name := range cfg.Dimensions {
		c.dims[name] = i
	}
	for i := range c.done {
		c.done[i] = eventtime.Never
	}
	return c
}

// Apply takes in one record of weir.evidence at its offset.
func (c *Task) Apply(offset int64, r *stream.EvidenceReport) error {
	if r.Partition < 0 || r.Partition >= c.cfg.Partitions {
		return fmt.Errorf("a report of partition %d, where weir.partials has %d: %w", r.Partition, c.cfg.Partitions, wire.ErrCorrupt)
	}
	for i := range r.Candidates {
		cand := &r.Candidates[i]
		if cand.Dimension < 0 || cand.Dimension >= len(c.cfg.Dimensions) || len(cand.Measures) == 0 {
			return fmt.Errorf("a candidate of dimension %d: %w", cand.Dimension, wire.ErrCorrupt)
		}
		if cand.Tick > c.closed {
			c.candidates[cand.Tick] = append(c.candidates[cand.Tick], *cand)
			c.saw(cand.Tick, offset)
		}
	}
	for i := range r.Facts {
		f := &r.Facts[i]
		if f.Dimension < stream.SourceDimension || f.Dimension >= len(c.cfg.Dimensions) || f.Fact == "" {
			return fmt.Errorf("a fact of dimension %d: %w", f.Dimension, wire.ErrCorrupt)
		}
		if f.Tick > c.closed {
			c.facts[f.Tick] = append(c.facts[f.Tick], *f)
			c.saw(f.Tick, offset)
		}
	}
	for i := range r.Bins {
		if err := c.addBin(&r.Bins[i], offset); err != nil {
			return err
		}
	}
	c.done[r.Partition] = max(c.done[r.Partition], r.Done)
	c.offset = offset + 1
	return nil
}

func (c *Task) addBin(b *stream.BinSums, offset int64) error {
	if b.Bin <= c.bin {
		return nil
	}
	sums, _, err := score.DecodeSums(b.Sums)
	if err != nil {
		return fmt.Errorf("reading a report: %w", err)
	}
	have := c.sums[b.Bin]
	if have == nil {
		have = &binTotals{sums: &score.Sums{}}
		c.sums[b.Bin] = have
	}
	have.sums.Add(sums)
	if len(b.Traits) > 0 {
		traits, err := campaign.DecodeTraitSums(b.Traits)
		if err != nil {
			return fmt.Errorf("reading a report: %w", err)
		}
		have.traits.Merge(traits)
	}
	c.saw(c.cfg.Grid.LastTick(b.Bin), offset)
	return nil
}

func (c *Task) saw(tick, offset int64) {
	if _, ok := c.first[tick]; !ok {
		c.first[tick] = offset
	}
}

// Advance works through every tick that all partitions have closed.
func (c *Task) Advance() Findings {
	limit := slices.Min(c.done)
	if limit == eventtime.Never || limit <= c.closed {
		return Findings{}
	}
	var found Findings
	for {
		tick := c.next()
		if tick > limit {
			break
		}
		c.judge(tick, &found)
		if bin := c.cfg.Grid.BinOfTick(tick); c.sums[bin] != nil && tick == c.cfg.Grid.LastTick(bin) {
			c.params = c.cfg.Engine.CloseBin(c.fleet, bin, c.sums[bin].sums)
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
		return found
	}
	if c.fleet.Bin() < bin {
		// Nobody was scored in it. What the empty bins change is worked out on
		// a copy, so that in how many steps time has passed cannot show.
		c.params = c.cfg.Engine.CloseBin(c.copyFleet(), bin, &score.Sums{})
	}
	c.bin = bin
	found.Parameters = &stream.ParameterRecord{Parameters: c.params, Commands: c.commands.publish(bin)}
	return found
}

// next returns the next tick in which something happens: there are candidates,
// facts or verdicts, a bin ends in which anyone was scored, or an episode has
// been quiet for long. The ticks between change nothing.
func (c *Task) next() int64 {
	tick := min(firstTick(c.candidates), firstTick(c.facts))
	for bin := range c.sums {
		tick = min(tick, c.cfg.Grid.LastTick(bin))
	}
	for i := range c.verdicts.due {
		tick = min(tick, c.verdicts.due[i].Tick)
	}
	for _, ep := range c.episodes.All() {
		if ep.Closed == 0 {
			tick = min(tick, max(c.cfg.Grid.TickOf(ep.Ends()-1), c.closed+1))
		}
	}
	return tick
}

func (c *Task) copyFleet() *score.Fleet {
	f, _, err := c.cfg.Engine.DecodeFleet(c.fleet.AppendBinary(nil))
	if err != nil {
		panic(fmt.Sprintf("stream: a fleet does not read back: %v", err)) // a mistake in package detectors
	}
	return f
}

// Status is what the task holds, for metrics.
type Status struct {
	Open       int // episodes, campaigns among them
	Campaigns  int // open
	Suppressed int // open episodes that are held back
	Realised   float64
	Thresholds []float64 // by dimension
	Waiting    int       // verdicts on what is not known (yet)
}

// Status tells what the task holds.
func (c *Task) Status() Status {
	s := Status{Realised: c.opened.perDay(c.cfg.Grid.TickEnd(max(c.closed, 0))), Waiting: len(c.verdicts.waiting)}
	for _, ep := range c.episodes.All() {
		if ep.Closed != 0 {
			continue
		}
		s.Open++
		if ep.Dimension == alerting.CampaignDimension {
			s.Campaigns++
		}
		if f := c.files[episodeID{ep.Dimension, ep.Identity}]; !f.Told {
			s.Suppressed++
		}
	}
	for i := range c.cfg.Dimensions {
		s.Thresholds = append(s.Thresholds, c.params.Threshold(i))
	}
	return s
}

// firstTick returns the smallest key of what waits by tick, the largest number
// there is if nothing does.
func firstTick[V any](waiting map[int64]V) int64 {
	first := int64(math.MaxInt64)
	for tick := range waiting {
		first = min(first, tick)
	}
	return first
}
