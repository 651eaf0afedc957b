package supervise

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/metrics"
)

// CommitPositions is how often the positions of tasks are shown in their group, and
// lookPositions how often where others wait for them.
const (
	CommitPositions = 5 * time.Second
	lookPositions   = time.Second
)

// Task runs one partition until ctx ends or something fails. As it goes it calls
// at with the next offset of the partition that it is placed by.
type Task func(ctx context.Context, partition int32, at func(offset int64)) error

// Placement spreads the tasks of a topic's partitions over the processes of a
// consumer group. The group says who runs what and shows the lag; what makes a
// task safe is its own transactional id.
type Placement struct {
	Env
	GroupSuffix string // of the consumer group
	Topic       string
	Name        string // of a task, where the topic has one partition and several read it; empty: by topic and partition
	Task        Task
	Positions   *Positions            // what the tasks say of themselves; nil: nothing
	Forget      func(partition int32) // called when a partition has moved away
}

// member is one run of a Placement: its membership in the group, and the tasks
// that it has been given.
type member struct {
	*Placement
	ctx     context.Context // of the run; tasks that the group's callbacks start end with it
	client  *kgo.Client
	topicID kadm.TopicID // of the topic; zero: not known

	mu        sync.Mutex
	running   map[int32]*placed
	positions map[int32]int64 // by partition: the next offset
}

// placed is a task that runs here.
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
	group := p.groupName()
	p.Ready.Begin(group) // until the group has said what runs here
	defer p.Ready.Forget(group)
	m := &member{Placement: p, ctx: ctx, running: map[int32]*placed{}, positions: map[int32]int64{}}
	var err error
	m.client, err = p.Conn.LastingClient(ctx, append(cluster.GroupOptions(group),
		kgo.ConsumeTopics(p.Topic),
		kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, got map[string][]int32) { m.start(got[p.Topic]) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { m.stop(lost[p.Topic]) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { m.stop(lost[p.Topic]) }),
	)...)
	if err != nil {
		return err
	}
	m.client.PauseFetchTopics(p.Topic) // tasks read for themselves
	defer func() {
		m.stopAll()
		m.client.Close()
	}()
	shown := time.Now()
	for {
		// Nothing is read here; what comes are faults of the group.
		wait, cancel := context.WithTimeout(ctx, lookPositions)
		fetches := m.client.PollFetches(wait)
		cancel()
		if ctx.Err() != nil {
			return nil
		}
		if err := cluster.FetchError(ctx, fetches); err != nil {
			return err
		}
		if m.Positions.hurried() || time.Since(shown) >= CommitPositions {
			m.showPositions()
			shown = time.Now()
		}
	}
}

// showPositions commits where the tasks stand, for people who look at the lag
// of the group; nothing reads it back, so a fault is passed over.
func (m *member) showPositions() {
	id, generation := m.client.GroupMetadata()
	if generation < 0 {
		return
	}
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic, topic.TopicID = m.Topic, m.idOfTopic()
	m.mu.Lock()
	for partition, offset := range m.positions {
		part := kmsg.NewOffsetCommitRequestTopicPartition()
		part.Partition, part.Offset = partition, offset
		if text := m.Positions.of(partition); text != "" {
			part.Metadata = &text
		}
		topic.Partitions = append(topic.Partitions, part)
	}
	m.mu.Unlock()
	if len(topic.Partitions) == 0 {
		return
	}
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.MemberID, req.Generation = m.groupName(), id, generation
	req.Topics = append(req.Topics, topic)
	if err := m.commit(req); err != nil {
		m.topicID = kadm.TopicID{} // the topic may have been made anew
		m.Log.Debug("showing positions", "group", m.groupName(), "error", err)
	}
}

// commit makes one commit of positions.
func (m *member) commit(req *kmsg.OffsetCommitRequest) error {
	resp, err := req.RequestWith(m.ctx, m.client)
	if err != nil {
		return err
	}
	var faults []error
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			faults = append(faults, kerr.ErrorForCode(resp.Topics[i].Partitions[j].ErrorCode))
		}
	}
	return errors.Join(faults...)
}

// idOfTopic returns the id of the topic, by which brokers since Kafka 4.1 know it in
// commits. It returns zero as long as it cannot be found out.
func (m *member) idOfTopic() kadm.TopicID {
	if m.topicID == (kadm.TopicID{}) {
		details, err := kadm.NewClient(m.client).ListTopics(m.ctx, m.Topic)
		if err == nil {
			m.topicID = details[m.Topic].ID
		}
	}
	return m.topicID
}

// start runs the tasks of partitions that the group has given.
func (m *member) start(partitions []int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, partition := range partitions {
		m.Ready.Begin(m.taskName(partition))
	}
	m.Ready.Done(m.groupName())
	for _, partition := range partitions {
		if m.running[partition] != nil {
			continue
		}
		ctx, cancel := context.WithCancel(m.ctx)
		t := &placed{stop: cancel, done: make(chan struct{})}
		m.running[partition] = t
		go func() {
			defer close(t.done)
			defer m.forget(partition)
			m.Keep(ctx, m.taskName(partition), func(ctx context.Context) error { return m.once(ctx, partition) })
		}()
	}
}

// forget tells that a partition does not run here any longer.
func (m *member) forget(partition int32) {
	m.Ready.Forget(m.taskName(partition))
	m.Positions.forget(partition)
	m.Forget(partition)
}

// stopAll ends all tasks.
func (m *member) stopAll() {
	m.mu.Lock()
	all := slices.Collect(maps.Keys(m.running))
	m.mu.Unlock()
	m.stop(all)
}

// stop ends tasks and waits for them: each finishes the transaction it is in.
func (m *member) stop(partitions []int32) {
	m.mu.Lock()
	var stopping []*placed
	for _, partition := range partitions {
		if t := m.running[partition]; t != nil {
			t.stop()
			stopping = append(stopping, t)
			delete(m.running, partition)
			delete(m.positions, partition)
		}
	}
	m.mu.Unlock()
	for _, t := range stopping {
		<-t.done
	}
}

// once runs a task and, when it fails, leaves it marked as not restored.
func (m *member) once(ctx context.Context, partition int32) error {
	name := m.taskName(partition)
	err := m.Task(ctx, partition, func(offset int64) {
		m.mu.Lock()
		m.positions[partition] = offset
		m.mu.Unlock()
	})
	if ctx.Err() == nil {
		m.Ready.Begin(name)
	}
	return err
}

// TaskName is the name of a partition's task in logs, metrics and readiness.
func TaskName(topic string, partition int32) string { return topic + "/" + metrics.Label(partition) }
