package sources

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
)

// changes gathers what the group's callbacks tell, until the worker follows. The
// lock is a channel, since it is held while a transaction ends.
type changes struct {
	lock chan struct{} // of size 1; full while held
	list []change
}

func newChanges() changes { return changes{lock: make(chan struct{}, 1)} }

// change is one change that the group made to what a worker has.
type change struct {
	gained     bool // else lost
	partitions map[string][]int32
}

func (c *changes) add(gained bool, partitions map[string][]int32) {
	if len(partitions) == 0 {
		return // a rebalance that changed nothing here
	}
	c.lock <- struct{}{}
	defer func() { <-c.lock }()
	c.list = append(c.list, change{gained: gained, partitions: partitions})
}

// take returns the changes in the order in which the group made them.
func (c *changes) take() []change {
	c.lock <- struct{}{}
	defer func() { <-c.lock }()
	list := c.list
	c.list = nil
	return list
}

// whileKept calls end, unless a partition was taken away since the worker has
// followed. The group can take none away before end returns.
func (c *changes) whileKept(end func() error) (kept bool, err error) {
	c.lock <- struct{}{}
	defer func() { <-c.lock }()
	if slices.ContainsFunc(c.list, func(c change) bool { return !c.gained }) {
		return false, nil
	}
	return true, end()
}

// followGroup follows what the group has changed. A partition that was taken
// away costs everything that was read since the last commit, also what was just
// polled: that is read again, by whichever worker has the partition now.
func (r *run) followGroup(ctx context.Context) (again bool, err error) {
	list := r.changes.take()
	for _, c := range list {
		if c.gained {
			if err := r.gain(ctx, c.partitions); err != nil {
				return again, err
			}
			continue
		}
		if err := r.abort(ctx); err != nil {
			return again, err
		}
		again = true
		for topic, parts := range c.partitions {
			for _, p := range parts {
				r.lose(stream.Source{Topic: topic, Partition: p})
			}
		}
	}
	if len(list) > 0 {
		r.prune()
	}
	return again, nil
}

// gain takes over partitions at the progress of their last commit.
func (r *run) gain(ctx context.Context, parts map[string][]int32) error {
	known, err := r.groupProgress(ctx)
	if err != nil {
		return err
	}
	starts, err := r.starts(ctx, parts)
	if err != nil {
		return err
	}
	for topic, list := range parts {
		for _, p := range list {
			s := stream.Source{Topic: topic, Partition: p}
			progress, has := known[s]
			if !has {
				progress = ingest.NoProgress(s, starts[s])
			}
			r.ingest.Assign(progress)
			r.partitions[s] = &partition{from: progress.Offset, written: progress.Offset, quiet: time.Now(), gained: time.Now()}
		}
	}
	return nil
}

// lose forgets a partition that this worker has no longer.
func (r *run) lose(s stream.Source) {
	r.ingest.Revoke(s)
	delete(r.partitions, s)
	r.session.Client().ResumeFetchPartitions(map[string][]int32{s.Topic: {s.Partition}})
	r.Metrics.ForgetSource(s.Topic, s.Partition)
}

// prune drops partitions that the client has no longer. Of two partitions that
// are taken away between two transactions the session reports only the first.
func (r *run) prune() {
	assigned := r.session.Client().CommittedOffsets()
	for s, p := range r.partitions {
		if _, ok := assigned[s.Topic][s.Partition]; !ok && p.loaded {
			r.lose(s)
		}
	}
}

// mostLoading is how long the client may take to begin with a partition: it asks the group
// for its offset, and the brokers for its leader.
const mostLoading = 30 * time.Second

// markLoaded marks the partitions that the client has begun with. The client
// begins some time after the callback that brings a partition, and until then
// it does not know the partition.
//
// A partition that another worker takes over before the client has begun with it is not
// always reported as lost. It would stay here for ever, with an event time that does not
// move, and the others would wait for it: then the worker begins anew. The client does not
// list partitions of which nothing was ever read; nobody waits for those.
func (r *run) markLoaded(now time.Time) error {
	for topic, parts := range r.session.Client().CommittedOffsets() {
		for p := range parts {
			if known := r.partitions[stream.Source{Topic: topic, Partition: p}]; known != nil {
				known.loaded = true
			}
		}
	}
	for s, p := range r.partitions {
		if p.neverBegan(now) {
			return fmt.Errorf("partition %d of %s was assigned %v ago and is not begun with: beginning anew", s.Partition, s.Topic, mostLoading)
		}
	}
	return nil
}

// neverBegan reports whether the client should long have begun with a partition.
func (p *partition) neverBegan(now time.Time) bool {
	return !p.loaded && p.from > 0 && now.Sub(p.gained) > mostLoading
}
