package supervise

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/metrics"
)

// CommitPositions is how often the positions of tasks are shown in their group.
const CommitPositions = 5 * time.Second

// Task runs one partition until ctx ends or something fails. As it goes it calls
// at with the next offset of the partition that it is placed by.
type Task func(ctx context.Context, partition int32, at func(offset int64)) error

// Placement spreads the tasks of a topic's partitions over the processes of a
// consumer group. The group says who runs what and shows the lag; what makes a
// task safe is its own transactional id.
type Placement struct {
	Env
	GroupSuffix string // suffix of the consumer group
	Topic       string
	Name        string // of a task, where the topic has one partition and several read it; empty: by topic and partition
	Task        Task
	Reach       func(partition int32) string // metadata of a position, or nil

	mu        sync.Mutex
	running   map[int32]*placed
	positions map[int32]int64
}

type placed struct {
	stop context.CancelFunc
	done chan struct{}
}

func (p *Placement) groupName() string { return p.Group + "-" + p.GroupSuffix }

func (p *Placement) taskName(partition int32) string {
	if p.Name != "" {
		return p.Name
	}
	return TaskName(p.Topic, partition)
}

// Run takes part in the group until ctx ends, and then stops its tasks, each
// of which finishes the transaction it is in.
func (p *Placement) Run(ctx context.Context) error {
	p.running, p.positions = map[int32]*placed{}, map[int32]int64{}
	group := p.groupName()
	p.Ready.Begin(group) // until the group has said what runs here
	defer p.Ready.Forget(group)
	cl, err := p.Conn.Client(append(cluster.GroupOptions(group),
		kgo.ConsumeTopics(p.Topic),
		kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, got map[string][]int32) { p.start(ctx, got[p.Topic]) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { p.stop(lost[p.Topic]) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { p.stop(lost[p.Topic]) }),
	)...)
	if err != nil {
		return err
	}
	cl.PauseFetchTopics(p.Topic) // tasks read for themselves
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
		wait, cancel := context.WithTimeout(ctx, CommitPositions)
		fetches := cl.PollFetches(wait)
		cancel()
		if ctx.Err() != nil {
			return nil
		}
		if err := cluster.FetchError(ctx, fetches); err != nil {
			return err
		}
		p.showPositions(ctx, cl)
	}
}

// showPositions commits where the tasks stand, for people who look at the lag
// of the group; nothing reads it back, so a fault is passed over.
func (p *Placement) showPositions(ctx context.Context, cl *kgo.Client) {
	member, generation := cl.GroupMetadata()
	if generation < 0 {
		return
	}
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic = p.Topic
	p.mu.Lock()
	for partition, offset := range p.positions {
		part := kmsg.NewOffsetCommitRequestTopicPartition()
		part.Partition, part.Offset = partition, offset
		if p.Reach != nil {
			text := p.Reach(partition)
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
		p.Log.Debug("showing positions", "group", p.groupName(), "error", err)
	}
}

func (p *Placement) start(ctx context.Context, partitions []int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, partition := range partitions {
		p.Ready.Begin(p.taskName(partition))
	}
	p.Ready.Done(p.groupName())
	for _, partition := range partitions {
		if p.running[partition] != nil {
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		t := &placed{stop: cancel, done: make(chan struct{})}
		p.running[partition] = t
		go func() {
			defer close(t.done)
			defer p.Ready.Forget(p.taskName(partition))
			p.Keep(ctx, p.taskName(partition), func(ctx context.Context) error { return p.once(ctx, partition) })
		}()
	}
}

// stop ends tasks and waits for them: each finishes the transaction it is in.
func (p *Placement) stop(partitions []int32) {
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
func (p *Placement) once(ctx context.Context, partition int32) error {
	name := p.taskName(partition)
	err := p.Task(ctx, partition, func(offset int64) {
		p.mu.Lock()
		p.positions[partition] = offset
		p.mu.Unlock()
	})
	if ctx.Err() == nil {
		p.Ready.Begin(name)
	}
	return err
}

// TaskName is the name of a partition's task in logs, metrics and readiness.
func TaskName(topic string, partition int32) string { return topic + "/" + metrics.Label(partition) }
