package correlate

import (
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate/ask"
	"github.com/weirhq/weir/stream/correlate/command"
	"github.com/weirhq/weir/stream/people"
)

// Config is what the correlate task needs to know.
type Config struct {
	Grid       eventtime.Grid
	Dimensions []string
	Engine     *score.Engine
	Retention  int64          // for how long a touched record is remembered, ms
	Partitions int32          // of weir.partials: how many detect tasks report
	Budget     fleet.Config   // how many episodes may open a day of event time, and how that is shared
	Location   *time.Location // of the times in summaries and of weekly windows; nil: UTC
	Expected   []Expectation  // what is declared to be expected
	// Reaches returns the names of the destinations to which alerts of a class go, sorted;
	// nil: all go everywhere.
	Reaches func(c *alerting.Class) []string
	// DedupSecret is the key under which the keys of episodes are made; nil: none.
	DedupSecret alerting.DedupSecret
	// Authority returns why a verdict does not count, by who gave it; nil: all count.
	Authority func(v *Verdict) error
	// SecondPerson says that somebody else must say too that an episode is expected which
	// is graver than medium.
	SecondPerson bool
	// Ask says who is asked whether what an account did was meant; empty: nobody.
	Ask ask.Whom
	// People is what is known of people; nil: nothing.
	People *people.People
}

// Task sees what stands out of the whole fleet. It works tick by tick, once every
// detect partition has closed the tick, in sorted order; at the end of each bin
// it publishes the parameters that detect uses in the next.
//
// In a tick verdicts take effect; candidates and facts are held against the
// episodes of their identities; episodes are gathered into campaigns; and of what
// there is to tell, what is expected or stands in a campaign's message already is
// held back. Each of these is the work of one part; the task only says who comes
// when.
type Task struct {
	cfg       Config
	closed    int64 // last tick worked through; eventtime.Never: none
	inbox     inbox
	fleet     fleetModel
	store     *episodeStore
	campaigns campaigns
	verdicts  verdicts
	notices   notices
	suppress  suppression
	standing  standing
	commands  *command.Queue
	openings  *episode.Openings
	alerts    alertMaker
}

// New returns a correlate task that knows nothing.
func New(cfg Config) *Task {
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	store, waiting := newEpisodeStore(cfg.DedupSecret), &command.Queue{}
	t := &Task{
		cfg:       cfg,
		closed:    eventtime.Never,
		inbox:     newInbox(&cfg),
		fleet:     newFleetModel(&cfg),
		store:     store,
		campaigns: newCampaigns(&cfg, store),
		verdicts:  newVerdicts(&cfg, store, waiting),
		commands:  waiting,
		openings:  &episode.Openings{},
	}
	t.alerts = alertMaker{cfg: &t.cfg, openings: t.openings}
	t.verdicts.alerts = &t.alerts
	t.standing = standing{store: store, alerts: &t.alerts}
	t.suppress = suppression{rules: cfg.Expected, location: cfg.Location, store: store, verdicts: &t.verdicts, standing: &t.standing}
	return t
}

// Apply takes in one record of weir.evidence at its offset.
func (t *Task) Apply(offset int64, r *stream.EvidenceReport) error {
	return t.inbox.add(offset, r, t.closed, t.fleet.published)
}

// ApplyVerdict takes in one record of weir.verdicts at its offset.
func (t *Task) ApplyVerdict(offset int64, v *Verdict) { t.verdicts.add(offset, v, t.closed) }

// RefuseVerdict takes in a record of weir.verdicts that nobody can read, and why.
func (t *Task) RefuseVerdict(offset int64, why string) {
	t.verdicts.addUnreadable(offset, why, t.closed)
}

// VerdictOffset returns the offset of weir.verdicts to read from.
func (t *Task) VerdictOffset() int64 { return t.verdicts.offset }

// Offset returns the offset of weir.evidence to read from: the next, or after
// a restore the one to begin again at.
func (t *Task) Offset() int64 { return t.inbox.offset }

// StartAt sets the offset of a task that has loaded nothing.
func (t *Task) StartAt(offset int64) { t.inbox.offset = offset }

// Advance works through every tick that all partitions have closed.
func (t *Task) Advance() Findings {
	limit := t.cfg.People.Limit(t.inbox.complete(), t.cfg.Grid)
	if limit == eventtime.Never || limit <= t.closed {
		return Findings{}
	}
	var found Findings
	for tick := t.next(); tick <= limit; tick = t.next() {
		t.workThrough(tick, &found)
		t.closed = tick
	}
	t.closed = limit
	t.inbox.prune(t.closed)
	if bin := t.cfg.Grid.BinOfTick(limit+1) - 1; bin > t.fleet.published { // the last that is over
		found.Parameters = &stream.ParameterRecord{Parameters: t.fleet.publish(bin), Commands: t.commands.Publish(bin)}
	}
	return found
}

// next returns the next tick in which something happens: there are candidates,
// facts or verdicts, a bin ends in which anyone was scored, an episode has been
// quiet for long, or one is to be named. The ticks between change nothing.
func (t *Task) next() int64 {
	return min(t.inbox.next(), t.verdicts.next(), t.notices.next(), t.store.nextDue(t.cfg.Grid, t.closed))
}

// Status is what the task holds, for metrics.
type Status struct {
	Closed     int64 // event time up to which alerts are told, Unix ms; 0: nothing yet
	Since      int64 // start of the first day of the log, Unix ms; 0: nothing yet
	Open       int   // episodes, campaigns among them
	Campaigns  int   // open
	Suppressed int   // open episodes that are held back
	Realised   float64
	Dimensions []score.Dimension                    // as the parameters in force tell of them
	Rare       [][score.NumGroups]fleet.Calibration // by dimension
	Waiting    int                                  // verdicts on what is not known (yet)
}

// Status tells what the task holds.
func (t *Task) Status() Status {
	s := Status{
		Realised: t.openings.PerDay(t.cfg.Grid.TickEnd(max(t.closed, 0))), Waiting: len(t.verdicts.waiting),
		Since: t.openings.Began * eventtime.Day, Dimensions: t.fleet.params.Dimensions, Rare: t.fleet.fleet.Calibrations(),
	}
	if t.closed != eventtime.Never {
		s.Closed = t.cfg.Grid.TickEnd(t.closed)
	}
	for _, ep := range t.store.episodes.All() {
		if ep.Closed != 0 {
			continue
		}
		s.Open++
		if ep.Dimension == alerting.CampaignDimension {
			s.Campaigns++
		}
		if !t.store.records[ep.ID()].announced {
			s.Suppressed++
		}
	}
	return s
}
