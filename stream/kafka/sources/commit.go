package sources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// commit writes what was counted, with the offsets, in one transaction, if there
// is anything new. When the group has changed meanwhile nothing is written, and
// the events are read again.
func (r *run) commit(ctx context.Context) error {
	if err := r.refresh(ctx); err != nil {
		return err
	}
	if err := r.markLoaded(time.Now()); err != nil {
		return err
	}
	progress := r.ingest.Progress()
	if r.joining.now.Load() && len(r.session.Client().UncommittedOffsets()) == 0 && len(r.ingest.Moved()) > 0 {
		return nil // offsets to commit and nothing read: that can wait until the group stands
	}
	if !slices.Equal(progress, r.last.progress) || !slices.Equal(r.topics, r.last.topics) || len(r.rejects) > 0 {
		if done, err := r.write(ctx, progress); err != nil || !done {
			return err
		}
	}
	r.Metrics.Heartbeat.WithLabelValues("ingest").SetToCurrentTime()
	if err := r.look(ctx); err != nil {
		return err
	}
	r.hold()
	r.showSpeed()
	return nil
}

// write is the transaction of a commit. It reports whether it was committed.
func (r *run) write(ctx context.Context, progress []stream.Progress) (committed bool, err error) {
	began := time.Now()
	if err := r.begin(); err != nil {
		return false, err
	}
	out := cluster.NewWriter(r.session.Client())
	writeTo := func(topic string) ingest.Emit {
		return func(partition int32, value []byte) {
			out.Write(ctx, &kgo.Record{Topic: topic, Partition: partition, Value: value})
		}
	}
	moved := r.ingest.Moved()
	r.ingest.Flush(r.topics, writeTo(r.Topics.Sessions), writeTo(r.Topics.Partials))
	size := out.Bytes()
	for _, value := range r.rejects.encode() {
		out.Write(ctx, &kgo.Record{Topic: r.Topics.Rejects, Value: value})
	}
	// The session would commit the offsets although a record has failed.
	err = out.Flush(ctx)
	committed, endErr := r.end(ctx, progress, moved, err == nil)
	r.open = false
	if err = errors.Join(err, endErr); err != nil {
		r.Metrics.Commits.WithLabelValues("ingest", "failed").Inc()
		return false, fmt.Errorf("committing: %w", cluster.Explain(err))
	}
	if !committed {
		r.forget()
		return false, nil
	}
	r.ingest.Commit()
	r.wrote(size)
	r.rejects.count(r.Metrics)
	r.rejects = rejects{}
	r.last.progress, r.last.topics = progress, r.topics
	r.Metrics.Committed("ingest", began)
	r.Metrics.Bytes.WithLabelValues("ingest", "written").Add(float64(size))
	return true, nil
}

// end ends the transaction. It reports whether it was committed: not when the
// group has taken a partition away meanwhile.
func (r *run) end(ctx context.Context, progress, moved []stream.Progress, commit bool) (committed bool, err error) {
	if commit && len(r.session.Client().UncommittedOffsets()) == 0 {
		// The session would hold the group up for half a second after a commit
		// without offsets, such as one that tells of an idle partition. Offsets that
		// moved although nothing more was read are committed by the session.
		kept, err := r.changes.whileKept(func() error {
			if len(moved) > 0 {
				return nil
			}
			return r.session.Client().EndTransaction(ctx, kgo.TryCommit)
		})
		if err != nil || kept && len(moved) == 0 {
			return kept && err == nil, err
		}
		commit = kept
	}
	return r.session.End(withProgress(ctx, progress, moved), kgo.TransactionEndTry(commit))
}

// begin opens the transaction, if none is open.
func (r *run) begin() error {
	if r.open {
		return nil
	}
	if err := r.session.Begin(); err != nil {
		return fmt.Errorf("beginning a transaction: %w", cluster.Explain(err))
	}
	r.open = true
	return nil
}

// abort drops what was read since the last commit; the client goes back there.
func (r *run) abort(ctx context.Context) error {
	if err := r.begin(); err != nil {
		return err
	}
	_, err := r.session.End(ctx, kgo.TryAbort)
	r.open = false
	if err != nil {
		return fmt.Errorf("aborting a transaction: %w", cluster.Explain(err))
	}
	r.forget()
	return nil
}

// forget drops what was read since the last commit, which was aborted.
func (r *run) forget() {
	r.ingest.Abort()
	r.rejects = rejects{}
	r.last.progress = nil
	r.Metrics.Commits.WithLabelValues("ingest", "aborted").Inc()
}
