package task

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/sources"
	"github.com/weirhq/weir/stream/kafka/supervise"
)

// Aliases is the one writer of weir.aliases: an alias.Register that reads a topic or a
// file, and grants ingest the event times that it asks for.
type Aliases struct {
	supervise.Env
	Grid  eventtime.Grid
	Topic string // topic from which aliases come; empty: none
	File  string // file from which aliases come; empty: none
}

// How far ahead of the furthest source partition events may be counted. An alias that
// comes later counts only from that event time on.
const (
	// leastGrant suffices for what sources bring until the next grant.
	leastGrant = eventtime.Hour
	// mostGrant spares a backlog to wait for each hour.
	mostGrant = eventtime.Day
)

// How often the task looks around, by the wall clock.
const (
	lookAliases = 200 * time.Millisecond // what has come, and what ingest asks for
	lookFile    = 10 * time.Second       // whether the file has changed, the topic has grown
)

// Run restores the register, and then takes in aliases and grants event times until ctx
// ends or something fails.
func (t *Aliases) Run(ctx context.Context, partition int32, at func(int64)) error {
	cl, err := t.TaskClient(ctx, "aliases")
	if err != nil {
		return err
	}
	defer cl.Close()
	r := &aliasRun{Aliases: t, client: cl, admin: kadm.NewClient(cl), register: alias.NewRegister(t.Grid)}
	next, err := t.Conn.ReadAll(ctx, t.Topics.Aliases, partition, func(rec *kgo.Record) error { return r.register.Load(rec.Key, rec.Value) })
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	t.Ready.Done(supervise.TaskName(t.Topics.Aliases, partition))
	at(next)
	return r.loop(ctx)
}

// Forget does nothing: the task shows nothing that another process would not.
func (t *Aliases) Forget(int32) {}

// aliasRun is one run of the task.
type aliasRun struct {
	*Aliases
	client     *kgo.Client
	admin      *kadm.Client
	register   *alias.Register
	partitions int       // number of the topic's partitions; 0: not looked at yet
	changed    time.Time // last change of the file, as it was when the file was read last
	looked     time.Time // wall clock at which file and topic were looked at last
}

// begin reads the topic to the end that it has now, and the file, before anything is
// granted: what is known before the first event counts for it.
func (r *aliasRun) begin(ctx context.Context) error {
	if err := r.look(ctx); err != nil || r.Topic == "" {
		return err
	}
	left := map[int32]int64{} // end of each partition that is not read yet
	from := map[int32]kgo.Offset{}
	for p := range int32(r.partitions) {
		start, end, err := r.Conn.Bounds(ctx, r.Topic, p)
		if err != nil {
			return err
		}
		next := max(start, r.register.Input(r.Topic, p))
		from[p] = kgo.NewOffset().At(next)
		if next < end {
			left[p] = end
		}
	}
	r.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{r.Topic: from})
	for len(left) > 0 {
		if err := r.poll(ctx, func(p int32, next int64) {
			if next >= left[p] {
				delete(left, p)
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

func (r *aliasRun) loop(ctx context.Context) error {
	for {
		if err := r.poll(ctx, func(int32, int64) {}); err != nil {
			return err
		}
		if time.Since(r.looked) >= lookFile {
			if err := r.look(ctx); err != nil {
				return err
			}
		}
		if err := r.grant(ctx); err != nil {
			return err
		}
		if err := r.commit(ctx); err != nil {
			return err
		}
	}
}

// look reads the file if it has changed, and ends the run if the topic has more
// partitions than it had: the next run reads them.
func (r *aliasRun) look(ctx context.Context) error {
	r.looked = time.Now()
	if r.File != "" {
		return r.readFile()
	}
	have, err := r.admin.ListTopics(ctx, r.Topic)
	if err == nil {
		err = have[r.Topic].Err
	}
	if err != nil {
		return fmt.Errorf("looking at the topic of aliases %s: %w", r.Topic, cluster.Explain(err))
	}
	n := len(have[r.Topic].Partitions)
	if r.partitions != 0 && n != r.partitions {
		return fmt.Errorf("topic %s has %d partitions instead of %d", r.Topic, n, r.partitions)
	}
	r.partitions = n
	return nil
}

// readFile takes in the file if it has changed. At the start it must be readable; later
// what was read before goes on to count.
func (r *aliasRun) readFile() error {
	first := r.changed.IsZero()
	info, err := os.Stat(r.File)
	var list []alias.Alias
	if err == nil {
		if info.ModTime().Equal(r.changed) {
			return nil
		}
		list, err = alias.LoadList(r.File)
		r.changed = info.ModTime()
	}
	switch {
	case err != nil && first:
		return fmt.Errorf("reading the aliases: %w", err)
	case err != nil:
		r.Log.Warn("the file of aliases cannot be read; those of before go on to count", "file", r.File, "error", err)
		return nil
	}
	changed, refused := r.register.TakeFile(list)
	for _, why := range refused {
		r.refuse(why, "file", r.File)
	}
	r.Log.Info("aliases read", "file", r.File, "lines", len(list), "changed", changed, "count_from", r.countFrom())
	return nil
}

// countFrom says from which event time on an alias counts that comes now.
func (r *aliasRun) countFrom() string {
	if r.register.Granted() == alias.Always {
		return "the first event"
	}
	return time.UnixMilli(r.register.Granted()).UTC().Format(time.RFC3339)
}

func (r *aliasRun) refuse(why error, where ...any) {
	r.Metrics.AliasesRefused.Inc()
	r.Log.Warn("an alias is refused", append(where, "why", why)...)
}

// poll takes in the aliases that have come, and calls read with the next offset of each
// partition of which any has.
func (r *aliasRun) poll(ctx context.Context, read func(partition int32, next int64)) error {
	wait, cancel := context.WithTimeout(ctx, lookAliases)
	defer cancel()
	fetches := r.client.PollFetches(wait)
	if err := cluster.TaskError(ctx, fetches); err != nil {
		return err
	}
	for iter := fetches.RecordIter(); !iter.Done(); {
		rec := iter.Next()
		changed, err := r.register.TakeRecord(rec.Topic, rec.Partition, rec.Offset, rec.Key, rec.Value)
		switch {
		case err != nil:
			r.refuse(err, "topic", rec.Topic, "partition", rec.Partition, "offset", rec.Offset)
		case changed:
			r.Log.Info("an alias", "topic", rec.Topic, "partition", rec.Partition, "offset", rec.Offset, "counts_from", r.countFrom())
		}
		read(rec.Partition, rec.Offset+1)
	}
	return nil
}

// grant lets ingest count what it is about to: so much ahead of the furthest source
// partition, as the offsets of its group tell.
func (r *aliasRun) grant(ctx context.Context) error {
	offsets, err := r.admin.FetchOffsets(ctx, r.Group+"-ingest")
	if err != nil {
		return fmt.Errorf("reading how far ingest is: %w", cluster.Explain(err))
	}
	furthest := int64(eventtime.Never)
	offsets.Each(func(o kadm.OffsetResponse) {
		p := stream.Progress{MaxTime: eventtime.Never}
		sources.ReadMetadata(o.Metadata, &p)
		if furthest = max(furthest, p.MaxTime); p.Wants != 0 {
			furthest = max(furthest, p.Wants)
		}
	})
	if furthest != eventtime.Never {
		r.register.Grant(granted(furthest, time.Now().UnixMilli(), r.Grid))
	}
	return nil
}

// granted returns the event time before which events may be counted when the furthest
// source partition has come to an event time: a day more in a backlog, an hour more
// where that is now by the wall clock. All are Unix ms.
func granted(furthest, wall int64, grid eventtime.Grid) int64 {
	until := max(furthest+leastGrant, min(furthest+mostGrant, wall+leastGrant))
	return grid.TickEnd(grid.TickOf(until))
}

// commit writes what there is to write.
func (r *aliasRun) commit(ctx context.Context) error {
	records := r.register.Take()
	r.Metrics.Heartbeat.WithLabelValues("aliases").SetToCurrentTime()
	if len(records) == 0 {
		return nil
	}
	began := time.Now()
	tx := cluster.Transaction{Client: r.client}
	for _, rec := range records {
		tx.Add(r.Topics.Aliases, 0, rec.Key, rec.Value)
	}
	if err := tx.Commit(ctx); err != nil {
		r.Metrics.Commits.WithLabelValues("aliases", "failed").Inc()
		return err
	}
	r.Metrics.Committed("aliases", began)
	return nil
}
