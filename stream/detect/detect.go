package detect

import (
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
}

// Task keeps the state of one partition of identities. It holds partials
// until the watermark passes their tick, unites all of one identity and tick,
// and only then counts and scores: what comes out is a function of the
// partition's log.
type Task struct {
	cfg       Config
	dims      map[string]int
	watermark *stream.Watermark
	ids       map[string]*identity
	asleep    map[string]string           // encoded, by the same key as ids; see sleep.go
	most      int                         // in ids since it was last shrunk
	parameter map[int64]*score.Parameters // by bin
	orders    []pendingCommand            // not carried out yet, by Seq
	ordered   int64                       // Seq of the latest that was read
	pending   stream.ByTick[*cell]        // by tick of application
	held      int                         // cells in pending
	active    map[int64][]*identity       // by bin that is still open
	hot       []*identity                 // watched although they may be silent
	done      int64                       // last closed tick
	offset    int64                       // next offset of weir.partials
	report    stream.EvidenceReport       // since the last Take
	changes   []stream.Change             // since the last Take
	buffer    []byte                      // scratch: an encoded identity
	dirty     []changed                   // identities not written since they changed, oldest first
	credit    int64                       // bytes of state that may be written
	unsent    int                         // bytes of changes
	more      bool                        // save stopped because unsent had grown
	draining  bool                        // Advance went on with what save had left
	swept     int64                       // day of the last sweep
	first     map[int64]int64             // tick: first offset that brought something for it
	history   stream.Advances             // the closes that a restore would repeat
	replay    *Checkpoint                 // while catching up after a restore
	reported  int64                       // ticks up to this one were reported before a restore
	facts     *facts                      // nil: facts are not told
	looks     *binQuery                   // nil: nobody asks
	stats     Stats
}

// Stats counts what a detect task did. Unknown counts partials of
// dimensions that the configuration no longer has, Overdue those that came
// after their tick had closed, from a source that was declared idle too early.
type Stats struct {
	Identities, Partials, Unknown, Overdue int64
	WatermarkMS                            int64 // event time up to which input is complete
	ClosedMS                               int64 // event time up to which it has been judged
	Holder                                 stream.Source
	Inputs                                 fact.Inputs
}

// changed is an identity whose state has changed in a tick, and not been
// written since.
type changed struct {
	id   *identity
	tick int64
}

// New returns a detect task without state.
func New(cfg Config) *Task {
	d := &Task{
		cfg:       cfg,
		dims:      map[string]int{},
		watermark: stream.NewWatermark(cfg.Lateness, cfg.Grid),
		ids:       map[string]*identity{},
		asleep:    map[string]string{},
		parameter: map[int64]*score.Parameters{},
		active:    map[int64][]*identity{},
		done:      eventtime.Never,
		reported:  eventtime.Never,
		first:     map[int64]int64{},
	}
	for i, name := range cfg.Dimensions {
		d.dims[name] = i
	}
	d.report.Done = eventtime.Never
	if cfg.Facts != nil {
		d.facts = newFacts(cfg.Facts, cfg.Grid, cfg.Partition)
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

// SetParameters takes in the parameters that correlate published at the end of
// a bin; they are used in the next one.
func (d *Task) SetParameters(p *stream.ParameterRecord) {
	d.parameter[p.Bin] = p.Parameters
	d.order(p)
}

// Take hands out what was found and changed since the last call: a report for
// weir.evidence and changes of the state, to be committed together with the
// Checkpoint; nothing as long as no tick was closed since.
func (d *Task) Take() (*stream.EvidenceReport, []stream.Change) {
	if d.replay != nil || d.done <= d.report.Done && !d.draining {
		return nil, nil
	}
	d.unsent, d.draining = 0, false
	r, changes := d.report, d.changes
	if d.facts != nil {
		d.facts.register.Changes(func(key string, value []byte) {
			changes = append(changes, stream.Change{Key: []byte(factsPrefix + key), Value: value})
		})
	}
	r.Partition, r.Done = d.cfg.Partition, d.done
	d.report, d.changes = stream.EvidenceReport{Done: d.done}, nil
	return &r, changes
}

// Held returns how many identities wait, each once for each of its ticks: the
// bulk of the memory while a backlog is worked through.
func (d *Task) Held() int { return d.held }

// Unfinished reports that Advance stopped because enough has to be committed
// before it goes on.
func (d *Task) Unfinished() bool { return d.more }

// Offset returns the next offset of weir.partials that the task expects.
func (d *Task) Offset() int64 { return d.offset }

// Stats returns what the task did so far.
func (d *Task) Stats() Stats {
	s := d.stats
	if d.done != eventtime.Never {
		s.ClosedMS = d.cfg.Grid.TickEnd(d.done)
	}
	s.Identities = int64(len(d.ids) + len(d.asleep))
	if d.facts != nil {
		s.Inputs = d.facts.register.Inputs()
	}
	return s
}
