package sources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/metrics"
	"github.com/weirhq/weir/stream/kafka/supervise"
)

// refreshTopics is how often the partitions of the source topics are listed.
const refreshTopics = 10 * time.Second

// Bounds of what an ingest worker holds before it commits early.
const (
	mostEntries    = 2_000_000
	mostIdentities = 300_000
	pollRecords    = 5_000
)

// Topic is one source.
type Topic struct {
	Topic  string
	Format *fieldmap.Format
	Start  Start
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
	MaxAhead time.Duration // of event time, of one partition before the slowest
	Created  int64         // when the deployment began, Unix ms
}

// Worker is one member of the ingest group.
type Worker struct {
	supervise.Env
	ID      string // stable name of this worker
	Config  ingest.Config
	Options Options

	session  *kgo.GroupTransactSession
	adm      *kadm.Client
	in       *ingest.Worker
	decoders map[string]*fieldmap.Decoder
	sources  []stream.Topic
	listed   time.Time
	rejects  rejects
	quiet    map[stream.Source]time.Time // since when nothing came
	held     map[stream.Source]bool      // paused because far ahead
	from     map[stream.Source]int64     // where it was taken over
	open     bool                        // a transaction has begun
	loaded   map[stream.Source]bool      // the client has begun with it
	told     []stream.Progress           // as of the last commit
	toldOf   []stream.Topic              // likewise

	mu      sync.Mutex
	changes []assignment // what the group did since the last look
}

// assignment is one change that the group made, in the order it was made.
type assignment struct {
	gained bool
	parts  map[string][]int32
}

// Run works until ctx ends or something fails.
func (w *Worker) Run(ctx context.Context) error {
	w.in = ingest.New(w.Config)
	w.decoders = map[string]*fieldmap.Decoder{}
	w.rejects = rejects{}
	w.quiet, w.held, w.from = map[stream.Source]time.Time{}, map[stream.Source]bool{}, map[stream.Source]int64{}
	w.changes, w.open, w.listed, w.told, w.loaded = nil, false, time.Time{}, nil, map[stream.Source]bool{}
	admin, err := w.Conn.Client()
	if err != nil {
		return err
	}
	defer admin.Close()
	w.adm = kadm.NewClient(admin) // its own: the session's callbacks use it from the start
	var names []string
	for _, s := range w.Options.Sources {
		w.decoders[s.Topic] = s.Format.NewDecoder()
		names = append(names, s.Topic)
	}
	opts := slices.Concat(w.Conn.Options(), cluster.GroupOptions(w.Group+"-ingest"), []kgo.Opt{
		kgo.ConsumeTopics(names...),
		kgo.TransactionalID(w.Group + "-ingest-" + w.ID),
		kgo.TransactionTimeout(cluster.TransactionLimit),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // so that a position reaches the end of its log
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AdjustFetchOffsetsFn(w.startOffsets),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { w.changed(true, p) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { w.changed(false, p) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { w.changed(false, p) }),
		kgo.FetchMaxPartitionBytes(2 << 20),
	})
	session, err := kgo.NewGroupTransactSession(opts...)
	if err != nil {
		return fmt.Errorf("making a Kafka client: %w", err)
	}
	defer session.Close()
	w.session = session
	if err := cluster.TakeOver(ctx, session.Client()); err != nil {
		return err
	}
	return w.loop(ctx)
}

func (w *Worker) changed(gained bool, parts map[string][]int32) {
	if len(parts) == 0 {
		return // a rebalance that changed nothing here
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes = append(w.changes, assignment{gained: gained, parts: parts})
}

func (w *Worker) loop(ctx context.Context) error {
	// What came is taken in and committed before a stop, and a stop in the midst
	// of a commit waits for its end: cut off, it would leave a transaction open.
	finish := context.WithoutCancel(ctx)
	next := time.Now().Add(w.Options.Interval)
	for {
		poll, cancel := context.WithDeadline(ctx, next)
		fetches := w.session.PollRecords(poll, pollRecords)
		cancel()
		stopping := ctx.Err() != nil
		if err := cluster.FetchError(ctx, fetches); err != nil && !stopping {
			return err
		}
		again, err := w.settle(finish)
		if err != nil {
			return err
		}
		w.note(fetches)
		if !again {
			w.fold(fetches)
		}
		if stopping {
			return w.commit(finish)
		}
		entries, identities := w.in.Pending()
		w.Metrics.Pending.WithLabelValues("entries").Set(float64(entries))
		w.Metrics.Pending.WithLabelValues("identities").Set(float64(identities))
		if time.Now().Before(next) && entries < mostEntries && identities < mostIdentities {
			continue
		}
		if err := w.commit(finish); err != nil {
			return err
		}
		next = time.Now().Add(w.Options.Interval)
	}
}

// settle follows what the group has changed. A partition that was taken away
// costs everything read since the last commit, also what was just polled: it
// is read again, by whoever has the partition now.
func (w *Worker) settle(ctx context.Context) (again bool, err error) {
	w.mu.Lock()
	changes := w.changes
	w.changes = nil
	w.mu.Unlock()
	for _, c := range changes {
		if c.gained {
			if err := w.gain(ctx, c.parts); err != nil {
				return again, err
			}
			continue
		}
		if err := w.abort(ctx); err != nil {
			return again, err
		}
		again = true
		for topic, parts := range c.parts {
			for _, p := range parts {
				w.lose(stream.Source{Topic: topic, Partition: p})
			}
		}
	}
	if len(changes) > 0 {
		w.prune()
	}
	return again, nil
}

// prune drops sources that the client has no longer. Of two partitions that are
// taken away between two transactions the session tells of the first only.
func (w *Worker) prune() {
	assigned := w.session.Client().CommittedOffsets()
	for _, p := range w.in.Progress() {
		if _, ok := assigned[p.Topic][p.Partition]; !ok && w.loaded[p.Source] {
			w.lose(p.Source)
		}
	}
}

// load notes which partitions the client has begun with: that is some time
// after the callback that tells of them, and until then it does not know them.
func (w *Worker) load() {
	for topic, parts := range w.session.Client().CommittedOffsets() {
		for p := range parts {
			w.loaded[stream.Source{Topic: topic, Partition: p}] = true
		}
	}
}

func (w *Worker) lose(s stream.Source) {
	w.in.Revoke(s)
	delete(w.quiet, s)
	delete(w.held, s)
	delete(w.from, s)
	delete(w.loaded, s)
	w.session.Client().ResumeFetchPartitions(map[string][]int32{s.Topic: {s.Partition}})
	for _, g := range []*prometheus.GaugeVec{w.Metrics.LagOffsets, w.Metrics.LagSeconds, w.Metrics.Paused} {
		g.DeleteLabelValues(s.Topic, metrics.Label(s.Partition))
	}
}

// note counts what was lost before it could be read.
func (w *Worker) note(fetches kgo.Fetches) {
	for _, e := range fetches.Errors() {
		var loss *kgo.ErrDataLoss
		if errors.As(e.Err, &loss) {
			w.gone(e.Topic, e.Partition, loss.ConsumedTo, loss.ResetTo)
		}
	}
}

// gone counts offsets that were deleted before they were read.
func (w *Worker) gone(topic string, partition int32, from, to int64) {
	w.Metrics.LostOffsets.WithLabelValues(topic, metrics.Label(partition)).Add(float64(max(to-from, 0)))
	w.Log.Error("source offsets are gone: deleted by retention, or the topic was made anew",
		"topic", topic, "partition", partition, "from", from, "to", to)
}

func (w *Worker) fold(fetches kgo.Fetches) {
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) == 0 {
			return
		}
		src := stream.Source{Topic: p.Topic, Partition: p.Partition}
		f := folder{w: w, src: src}
		decoder := w.decoders[p.Topic]
		before := w.in.At(src)
		if gone := min(p.Records[0].Offset, p.LogStartOffset) - before.Offset; gone > 0 {
			w.gone(p.Topic, p.Partition, before.Offset, before.Offset+gone)
		}
		size := 0
		for _, rec := range p.Records {
			if !rec.Attrs.IsControl() {
				f.offset, f.stamp = rec.Offset, rec.Timestamp.UnixMilli()
				size += len(rec.Value)
				decoder.Decode(rec.Value, f.yield)
			}
			w.in.Read(src, rec.Offset+1)
		}
		if w.in.At(src).MaxTime != before.MaxTime {
			w.quiet[src] = time.Now()
		}
		f.count(size)
		w.Metrics.LagOffsets.WithLabelValues(p.Topic, metrics.Label(p.Partition)).Set(float64(p.HighWatermark - 1 - p.Records[len(p.Records)-1].Offset))
	})
}

// folder counts what becomes of the events of one partition in one poll.
type folder struct {
	w        *Worker
	src      stream.Source
	offset   int64
	stamp    int64
	outcomes [ingest.NumOutcomes]int
	facts    map[event.Action]int
	chosen   int
	notes    map[event.Notes]int
}

func (f *folder) yield(ev *event.Event, rej *event.Reject) {
	if rej != nil {
		if rej.Reason.Chosen() {
			f.chosen++ // left out by the format's own choice
			return
		}
		f.w.rejects.add(f.src, f.offset, rej.Reason.String(), rej.Path)
		return
	}
	if ev.Notes != 0 {
		if f.notes == nil {
			f.notes = map[event.Notes]int{}
		}
		f.notes[ev.Notes]++
	}
	outcome := f.w.in.Fold(f.src, f.stamp, ev)
	f.outcomes[outcome]++
	if outcome == ingest.Fact {
		if f.facts == nil {
			f.facts = map[event.Action]int{}
		}
		f.facts[ev.Action]++
	}
	if outcome == ingest.Future || outcome == ingest.Expired {
		f.w.rejects.add(f.src, f.offset, outcome.String(), "time")
	}
}

func (f *folder) count(size int) {
	m := f.w.Metrics
	for o, n := range f.outcomes {
		if n > 0 {
			m.Events.WithLabelValues(f.src.Topic, ingest.Outcome(o).String()).Add(float64(n))
		}
	}
	for action, n := range f.facts {
		m.Facts.WithLabelValues(action.String()).Add(float64(n))
	}
	if f.chosen > 0 {
		m.Events.WithLabelValues(f.src.Topic, "left_out").Add(float64(f.chosen))
	}
	for set, n := range f.notes {
		for _, name := range strings.Split(set.String(), ",") {
			m.Notes.WithLabelValues(f.src.Topic, name).Add(float64(n))
		}
	}
	m.Bytes.WithLabelValues("ingest", "read").Add(float64(size))
}

// begin opens the transaction, if none is open.
func (w *Worker) begin() error {
	if w.open {
		return nil
	}
	if err := w.session.Begin(); err != nil {
		return fmt.Errorf("beginning a transaction: %w", cluster.Explain(err))
	}
	w.open = true
	return nil
}

// commit writes what was counted, with the offsets, in one transaction. When
// the group has changed meanwhile nothing is written, and the events are read
// again.
func (w *Worker) commit(ctx context.Context) error {
	if err := w.refresh(ctx); err != nil {
		return err
	}
	w.load()
	progress := w.in.Progress()
	if slices.Equal(progress, w.told) && slices.Equal(w.sources, w.toldOf) && len(w.rejects) == 0 {
		w.Metrics.Heartbeat.WithLabelValues("ingest").SetToCurrentTime()
		return w.balance(ctx, progress) // nothing new
	}
	began := time.Now()
	if err := w.begin(); err != nil {
		return err
	}
	var failed error
	var mu sync.Mutex
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			mu.Lock()
			failed = err
			mu.Unlock()
		}
	}
	size := 0
	produceTo := func(topic string) ingest.Emit {
		return func(partition int32, value []byte) {
			size += len(value)
			w.session.Produce(ctx, &kgo.Record{Topic: topic, Partition: partition, Value: value}, promise)
		}
	}
	w.in.Flush(w.sources, produceTo(w.Topics.Sessions), produceTo(w.Topics.Partials))
	for _, value := range w.rejects.encode() {
		w.session.Produce(ctx, &kgo.Record{Topic: w.Topics.Rejects, Value: value}, promise)
	}
	// End would commit the offsets although a record has failed.
	err := w.session.Client().Flush(ctx)
	mu.Lock()
	err = errors.Join(err, failed)
	mu.Unlock()
	committed, endErr := w.session.End(withProgress(ctx, progress), kgo.TransactionEndTry(err == nil))
	w.open = false
	err = errors.Join(err, endErr)
	if err != nil {
		w.Metrics.Commits.WithLabelValues("ingest", "failed").Inc()
		return fmt.Errorf("committing: %w", cluster.Explain(err))
	}
	if !committed {
		w.Metrics.Commits.WithLabelValues("ingest", "aborted").Inc()
		w.undo()
		return nil
	}
	w.in.Commit()
	w.rejects.count(w.Metrics)
	w.rejects = rejects{}
	w.told, w.toldOf = progress, w.sources
	w.Metrics.Committed("ingest", began)
	w.Metrics.Bytes.WithLabelValues("ingest", "written").Add(float64(size))
	w.Metrics.Heartbeat.WithLabelValues("ingest").SetToCurrentTime()
	return w.balance(ctx, progress)
}

// abort drops what was read since the last commit; the client goes back there.
func (w *Worker) abort(ctx context.Context) error {
	if err := w.begin(); err != nil {
		return err
	}
	_, err := w.session.End(ctx, kgo.TryAbort)
	w.open = false
	if err != nil {
		return fmt.Errorf("aborting a transaction: %w", cluster.Explain(err))
	}
	w.undo()
	w.Metrics.Commits.WithLabelValues("ingest", "aborted").Inc()
	return nil
}

// undo forgets what was read since the last commit.
func (w *Worker) undo() {
	w.in.Abort()
	w.rejects = rejects{}
	w.told = nil
}
