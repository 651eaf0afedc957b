package kafka

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// pollTopics is how long to wait before looking again whether topics are there.
const pollTopics = 200 * time.Millisecond

// Pauses before a part that failed is started again.
const (
	firstRestart   = 500 * time.Millisecond
	longestRestart = 15 * time.Second
	calmAfter      = time.Minute // a part that ran this long is started again after firstRestart
)

// commitPositions is how often the positions of tasks are shown in their group.
const commitPositions = 5 * time.Second

// transactionLimit is how long the broker lets a transaction stay open.
const transactionLimit = 15 * time.Second

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// task runs one partition until ctx ends or something fails. It tells at as it
// goes: the next offset of the partition that it is placed by.
type task func(ctx context.Context, partition int32, at func(offset int64)) error

// placement spreads the tasks of a topic's partitions over the processes of a
// consumer group. The group says who runs what and shows the lag; what makes a
// task safe is its own transactional id.
type placement struct {
	shared
	role  string // suffix of the consumer group
	topic string
	name  string // of a task, where the topic has one partition and several read it; empty: by topic and partition
	run   task
	reach func(partition int32) string // metadata of a position, or nil

	mu        sync.Mutex
	running   map[int32]*placed
	positions map[int32]int64
}

type placed struct {
	stop context.CancelFunc
	done chan struct{}
}

func (p *placement) groupName() string { return p.group + "-" + p.role }

func (p *placement) taskName(partition int32) string {
	if p.name != "" {
		return p.name
	}
	return taskName(p.topic, partition)
}

// Run takes part in the group until ctx ends, and then stops its tasks, each
// of which finishes the transaction it is in.
func (p *placement) Run(ctx context.Context) error {
	p.running, p.positions = map[int32]*placed{}, map[int32]int64{}
	group := p.groupName()
	p.ready.begin(group) // until the group has said what runs here
	defer p.ready.forget(group)
	cl, err := p.conn.client(append(groupMember(group),
		kgo.ConsumeTopics(p.topic),
		kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, got map[string][]int32) { p.start(ctx, got[p.topic]) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { p.stop(lost[p.topic]) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { p.stop(lost[p.topic]) }),
	)...)
	if err != nil {
		return err
	}
	cl.PauseFetchTopics(p.topic) // tasks read for themselves
	defer func() {
		p.mu.Lock()
		var all []int32
		for partition := range p.running {
			all = append(all, partition)
		}
		p.mu.Unlock()
		p.stop(all)
		cl.Close()
	}()
	for {
		// Nothing is read here; what comes are faults of the group.
		wait, cancel := context.WithTimeout(ctx, commitPositions)
		fetches := cl.PollFetches(wait)
		cancel()
		if ctx.Err() != nil {
			return nil
		}
		if err := fetchError(ctx, fetches); err != nil {
			return err
		}
		p.showPositions(ctx, cl)
	}
}

// showPositions commits where the tasks stand, for people who look at the lag
// of the group; nothing reads it back, so a fault is passed over.
func (p *placement) showPositions(ctx context.Context, cl *kgo.Client) {
	member, generation := cl.GroupMetadata()
	if generation < 0 {
		return
	}
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic = p.topic
	p.mu.Lock()
	for partition, offset := range p.positions {
		part := kmsg.NewOffsetCommitRequestTopicPartition()
		part.Partition, part.Offset = partition, offset
		if p.reach != nil {
			text := p.reach(partition)
			part.Metadata = &text
		}
		topic.Partitions = append(topic.Partitions, part)
	}
	p.mu.Unlock()
	if len(topic.Partitions) == 0 {
		return
	}
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.MemberID, req.Generation = p.groupName(), member, generation
	req.Topics = append(req.Topics, topic)
	if _, err := req.RequestWith(ctx, cl); err != nil {
		p.log.Debug("showing positions", "group", p.groupName(), "error", err)
	}
}

func (p *placement) start(ctx context.Context, partitions []int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, partition := range partitions {
		p.ready.begin(p.taskName(partition))
	}
	p.ready.done(p.groupName())
	for _, partition := range partitions {
		if p.running[partition] != nil {
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		t := &placed{stop: cancel, done: make(chan struct{})}
		p.running[partition] = t
		go func() {
			defer close(t.done)
			defer p.ready.forget(p.taskName(partition))
			p.keep(ctx, p.taskName(partition), func(ctx context.Context) error { return p.once(ctx, partition) })
		}()
	}
}

// stop ends tasks and waits for them: each finishes the transaction it is in.
func (p *placement) stop(partitions []int32) {
	p.mu.Lock()
	var stopping []*placed
	for _, partition := range partitions {
		if t := p.running[partition]; t != nil {
			t.stop()
			stopping = append(stopping, t)
			delete(p.running, partition)
			delete(p.positions, partition)
		}
	}
	p.mu.Unlock()
	for _, t := range stopping {
		<-t.done
	}
}

// once runs a task and, when it fails, leaves it marked as not restored.
func (p *placement) once(ctx context.Context, partition int32) error {
	name := p.taskName(partition)
	err := p.run(ctx, partition, func(offset int64) {
		p.mu.Lock()
		p.positions[partition] = offset
		p.mu.Unlock()
	})
	if ctx.Err() == nil {
		p.ready.begin(name)
	}
	return err
}
