package detect

import (
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// Config is what a detect task needs to know. Times are in ms.
type Config struct {
	Grid       eventtime.Grid
	Dimensions []string
	// Persons tells of each dimension whether it names the actor. What its
	// identities have in common is added up; nil: none does.
	Persons []bool
	// Peers tells of each dimension the one whose identities say who is like whom
	// in it, NoPeers where none does; nil: none. See DefaultPeers.
	Peers     []int
	Engine    *score.Engine
	Partition int32
	Lateness  int64
	Retention int64 // of the windows
	// SnapshotTicks is within how many ticks a changed identity is written to
	// the state at the latest, and so the most that a restore replays. Zero
	// writes none.
	SnapshotTicks int64
	Facts         *FactsConfig // nil: facts are not told
	Heirs         *HeirsConfig // nil: no name becomes a person's
	// Identities is how many identities of a dimension the whole fleet keeps, 0: all.
	// Partitions is how many such tasks there are, 0: one.
	Identities, Partitions int
}

// Task keeps the state of one partition of identities. It holds partials
// until the watermark passes their tick, unites all of one identity and tick,
// and only then counts and scores: what comes out is a function of the
// partition's log.
type Task struct {
	cfg       Config
	dims      map[string]int
	watermark *stream.Watermark
	people    population
	tails     map[place]*tightShard
	room      int // for identities, in a shard
	params    fleetParameters
	waiting   waitingPartials
	cells     cells  // of the tick that closes
	facts     *facts // nil: facts are not told
	heirs     *heirs // nil: no name becomes a person's
	bins      openBins
	snapshots snapshots
	log       stream.ReplayLog
	replay    *Checkpoint           // what is caught up with after a restore; nil: nothing
	reported  int64                 // ticks up to this one were reported before a restore
	done      int64                 // last closed tick
	offset    int64                 // next offset of weir.partials
	swept     int64                 // day of the last sweep
	report    stream.EvidenceReport // since the last Take
	query     *binQuery             // nil: nobody asks
	buffer    []byte                // scratch: an encoded identity
	stats     Stats
}

// Stats counts what a detect task did. Unknown counts partials of
// dimensions that the configuration no longer has, Overdue those that came
// after their tick had closed, from a source that was declared idle too early.
// NotKept counts what was done by identities that are not kept: one in a tick is one.
type Stats struct {
	Identities, Partials, Unknown, Overdue, NotKept int64
	HeldBytes                                       int64 // of memory, of partials that wait for their tick to close
	WatermarkMS                                     int64 // event time up to which input is complete
	ClosedMS                                        int64 // event time up to which it has been judged
	Holder                                          stream.Source
	Inputs                                          fact.Inputs
}

// New returns a detect task without state.
func New(cfg Config) *Task {
	d := &Task{
		cfg:       cfg,
		dims:      map[string]int{},
		watermark: stream.NewWatermark(cfg.Lateness, cfg.Grid),
		people:    newPopulation(cfg.Grid),
		tails:     map[place]*tightShard{},
		room:      roomOf(&cfg),
		params:    fleetParameters{byBin: map[int64]*score.Parameters{}},
		bins:      openBins{grid: cfg.Grid, active: map[int64][]*identity{}},
		snapshots: snapshots{within: cfg.SnapshotTicks},
		done:      eventtime.Never,
		reported:  eventtime.Never,
	}
	for i, name := range cfg.Dimensions {
		d.dims[name] = i
	}
	d.dims[stream.NameTrait] = len(cfg.Dimensions)
	d.report.Done = eventtime.Never
	if cfg.Facts != nil {
		d.facts = newFacts(cfg.Facts, cfg.Grid, cfg.Partition)
	}
	if cfg.Heirs != nil {
		d.heirs = newHeirs(cfg.Heirs, cfg.Grid, cfg.Partition)
	}
	return d
}

// Persons tells of each dimension whether it names the actor.
func Persons(dims []event.Dimension) []bool {
	out := make([]bool, len(dims))
	for i, d := range dims {
		out[i] = slices.Contains(d.Fields, "actor")
	}
	return out
}

func (d *Task) person(dim int) bool { return dim < len(d.cfg.Persons) && d.cfg.Persons[dim] }

// SetParameters takes in what correlate published at the end of a bin: parameters
// that are used in the next one, and commands.
func (d *Task) SetParameters(p *stream.ParameterRecord) { d.params.add(p) }

// Take hands out what was found and changed since the last call: a report for
// weir.evidence and changes of the state, to be committed together with the
// Checkpoint and with what TakeHandovers hands out; nothing as long as there is nothing
// to commit.
func (d *Task) Take() (*stream.EvidenceReport, []stream.Change) {
	if d.replay != nil || d.done <= d.report.Done && len(d.snapshots.out) == 0 && (d.heirs == nil || len(d.heirs.out) == 0) {
		return nil, nil
	}
	r, changes := d.report, d.snapshots.take()
	if d.facts != nil {
		d.facts.register.Changes(func(key string, value []byte) {
			changes = append(changes, stream.Change{Key: []byte(factsPrefix + key), Value: value})
		})
	}
	r.Partition, r.Done = d.cfg.Partition, d.done
	d.report = stream.EvidenceReport{Done: d.done}
	return &r, changes
}

// TakeHandovers hands out what is written to weir.partials together with what Take
// hands out.
func (d *Task) TakeHandovers() (out []stream.Routed) {
	if d.heirs != nil {
		out, d.heirs.out = d.heirs.out, nil
	}
	return out
}

// Held returns how many bytes of memory the partials take that wait for their tick to
// close.
func (d *Task) Held() int64 { return d.waiting.bytes }

// Judged returns the event time up to which the task has judged, Unix ms; before it
// has judged anything, where what waits begins. It is false if nothing is known yet.
func (d *Task) Judged() (ms int64, ok bool) {
	if d.done != eventtime.Never {
		return d.cfg.Grid.TickEnd(d.done), true
	}
	tick := d.firstWaiting()
	if tick == math.MaxInt64 {
		return 0, false
	}
	return d.cfg.Grid.TickStart(tick), true
}

// Unfinished reports that Advance stopped because enough has to be committed
// before it goes on.
func (d *Task) Unfinished() bool { return d.snapshots.full }

// Settle has Advance write everything that has changed. It is for times in which
// nothing comes any more.
func (d *Task) Settle() {
	if d.replay == nil {
		d.snapshots.settle()
	}
}

// Offset returns the next offset of weir.partials that the task expects.
func (d *Task) Offset() int64 { return d.offset }

// Sizes returns how many identities there are of each dimension. It looks at each
// of them.
func (d *Task) Sizes() []int64 { return d.people.sizes(len(d.cfg.Dimensions)) }

// Stats returns what the task did so far.
func (d *Task) Stats() Stats {
	s := d.stats
	if d.done != eventtime.Never {
		s.ClosedMS = d.cfg.Grid.TickEnd(d.done)
	}
	s.Identities, s.HeldBytes = int64(d.people.size()), d.waiting.bytes
	if d.facts != nil {
		s.Inputs = d.facts.register.Inputs()
	}
	return s
}
