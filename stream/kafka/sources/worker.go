package sources

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/message"
	"github.com/weirhq/weir/stream/kafka/supervise"
)

// Bounds of what a worker holds before it commits early.
const (
	mostEntries    = 2_000_000
	mostIdentities = 300_000
	pollRecords    = 1_000
	lookAliases    = 100 * time.Millisecond // how often a worker looks whether the aliases are complete that it wants
)

// Topic is one source topic.
type Topic struct {
	message.Source
	Topic string
	Start Start
}

// Start says where to begin a source partition for which nothing was committed.
type Start struct {
	Latest bool
	Millis int64 // a time, Unix ms; 0: the earliest
}

// Options are the settings of ingest that concern Kafka.
type Options struct {
	Sources  []Topic
	Interval time.Duration // between commits
	Idle     time.Duration // how long a partition must be quiet to be idle
	MaxAhead time.Duration // of event time, of one partition past what detect has judged; 0: any
	MaxHeld  int64         // bytes that a worker writes before detect has judged them
	Created  int64         // when the deployment began, Unix ms
}

// names lists the source topics.
func (o *Options) names() []string {
	out := make([]string, len(o.Sources))
	for i, s := range o.Sources {
		out[i] = s.Topic
	}
	return out
}

// Worker is one member of the ingest group. It holds settings only; what a
// worker knows lives in a run.
type Worker struct {
	supervise.Env
	ID      string // stable name of this worker
	Config  ingest.Config
	Options Options
}

// Run works until ctx ends or something fails. Each run is a member of its own
// and begins with what was committed.
func (w *Worker) Run(ctx context.Context) error {
	admin, err := w.Conn.LastingClient(ctx) // its own: the session's callbacks use it from the start
	if err != nil {
		return err
	}
	defer admin.Close()
	r := newRun(w, kadm.NewClient(admin))
	r.session, err = kgo.NewGroupTransactSession(r.clientOptions(ctx)...)
	if err != nil {
		return fmt.Errorf("making a Kafka client: %w", err)
	}
	defer r.close()
	if err := cluster.TakeOver(ctx, r.session.Client()); err != nil {
		return err
	}
	return r.loop(ctx)
}

// run is what a worker knows from its start to its first fault.
type run struct {
	*Worker
	session    *kgo.GroupTransactSession
	admin      *kadm.Client
	ingest     *ingest.Worker
	decoders   map[string]*message.Decoder  // by topic
	partitions map[stream.Source]*partition // those that this worker has
	changes    changes
	joining    joining
	rejects    rejects
	open       bool           // a transaction has begun
	topics     []stream.Topic // the source topics and how many partitions they have
	listed     time.Time      // wall clock when topics was listed last
	last       lastCommit
	pace       ingest.Pace
	looked     time.Time // wall clock when it was last asked how far detect is
	compared   time.Time // wall clock when the partitions were last compared with each other
	held       int       // partitions that are paused
	reported   time.Time // wall clock when the log last said that it catches up
}

// partition is what a run knows of one source partition beside its progress.
type partition struct {
	quiet   time.Time // wall clock since when no event moved its event time
	trails  time.Time // wall clock since when it is far behind the others; zero: it is not
	from    int64     // offset at which it was taken over
	written int64     // next offset as of the last commit
	gained  time.Time // wall clock when it was taken over
	paused  bool      // it is too far past what detect has judged
	loaded  bool      // the client has begun with it
	lag     int64     // records that wait to be read, when any were read last
	speed   speed

	warned     time.Time // wall clock when the log last told of events dated far ahead
	ahead      int       // such events since then
	warnedLate time.Time // wall clock when the log last told of mostly late events
}

// lastCommit is what the last commit of a run said of the sources; the zero value
// says nothing.
type lastCommit struct {
	progress []stream.Progress
	topics   []stream.Topic
}

func newRun(w *Worker, admin *kadm.Client) *run {
	bounds := ingest.NewPaceConfig(w.Config.Grid, w.Config.Lateness, w.Options.MaxAhead.Milliseconds(), w.Options.MaxHeld)
	r := &run{
		Worker: w, admin: admin, ingest: ingest.New(w.Config), pace: ingest.NewPace(bounds),
		decoders: map[string]*message.Decoder{}, partitions: map[stream.Source]*partition{}, changes: newChanges(), rejects: rejects{},
	}
	r.ingest.Decided = r.decided
	for _, s := range w.Options.Sources {
		r.decoders[s.Topic] = s.NewDecoder()
	}
	return r
}

func (r *run) clientOptions(ctx context.Context) []kgo.Opt {
	return slices.Concat(r.Conn.Options(cluster.Finishing(ctx)), cluster.GroupOptions(r.group()), []kgo.Opt{
		kgo.WithHooks(&r.joining),
		kgo.ConsumeTopics(r.Options.names()...),
		kgo.TransactionalID(r.group() + "-" + r.ID),
		kgo.TransactionTimeout(cluster.TransactionLimit),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // so that a position reaches the end of its log
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AdjustFetchOffsetsFn(r.startOffsets),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { r.changes.add(true, p) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { r.changes.add(false, p) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { r.changes.add(false, p) }),
		kgo.FetchMaxPartitionBytes(2 << 20),
	})
}

func (r *run) group() string { return r.Group + "-ingest" }

// close leaves the group and drops what the run shows of its partitions.
func (r *run) close() {
	r.session.Close()
	for s := range r.partitions {
		r.Metrics.ForgetSource(s.Topic, s.Partition)
	}
	r.Metrics.Unjudged.DeleteLabelValues(r.ID)
}

// loop reads and commits in turn.
func (r *run) loop(ctx context.Context) error {
	// What came is taken in and committed before a stop, and a stop in the midst
	// of a commit waits for its end: cut off, it would leave a transaction open.
	finish := cluster.Finishing(ctx)
	next := time.Now().Add(r.Options.Interval)
	for {
		again, err := r.poll(ctx, finish, next)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return r.commit(finish)
		}
		entries, identities := r.ingest.Pending()
		r.Metrics.Pending.WithLabelValues("entries").Set(float64(entries))
		r.Metrics.Pending.WithLabelValues("identities").Set(float64(identities))
		r.ingest.Retry()
		all := !again && r.hold()
		// What all wait for may stand in what was not committed yet.
		full := entries >= mostEntries || identities >= mostIdentities || all && entries+identities > 0 || r.ingest.Asks() && !r.joining.now.Load()
		if !full && time.Now().Before(next) {
			if r.held > 0 && time.Since(r.looked) >= lookAgain {
				if err := r.look(finish); err != nil {
					return err
				}
				r.hold()
			}
			continue
		}
		if err := r.commit(finish); err != nil {
			return err
		}
		next = time.Now().Add(r.Options.Interval)
	}
}

// poll takes in what comes before next, or before it is time to look how far detect
// is. It reports whether what was read since the last commit has to be read again.
func (r *run) poll(ctx, finish context.Context, next time.Time) (again bool, err error) {
	if look := r.looked.Add(lookAgain); r.held > 0 && look.Before(next) {
		next = look
	}
	if look := time.Now().Add(lookAliases); r.ingest.Wants() && look.Before(next) {
		next = look
	}
	wait, cancel := context.WithDeadline(ctx, next)
	fetches := r.session.PollRecords(wait, pollRecords)
	cancel()
	if err := cluster.FetchError(ctx, fetches); err != nil && ctx.Err() == nil {
		return false, err
	}
	if again, err = r.followGroup(finish); err != nil {
		return again, err
	}
	r.countLosses(fetches)
	if !again {
		err = r.fold(finish, fetches)
	}
	return again, err
}
