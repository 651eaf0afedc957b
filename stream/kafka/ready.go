package kafka

import (
	"sync"
)

func taskName(topic string, partition int32) string { return topic + "/" + label(partition) }

// readiness knows which tasks of this process are being restored. The zero
// value is that of a process that has not started.
type readiness struct {
	mu        sync.Mutex
	started   bool // every role has begun
	restoring map[string]bool
	metrics   *Metrics
}

// start tells that every role has begun.
func (r *readiness) start(m *Metrics) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started, r.metrics = true, m
	m.restoring.Set(float64(len(r.restoring)))
}

func (r *readiness) begin(task string) { r.set(task, true) }

// done tells that a task is restored, and reports whether that is news.
func (r *readiness) done(task string) bool { return r.set(task, false) }

func (r *readiness) forget(task string) { r.set(task, false) }

func (r *readiness) set(task string, restoring bool) (was bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was = r.restoring[task]
	switch {
	case !restoring:
		delete(r.restoring, task)
	case r.restoring == nil:
		r.restoring = map[string]bool{task: true}
	default:
		r.restoring[task] = true
	}
	if r.metrics != nil {
		r.metrics.restoring.Set(float64(len(r.restoring)))
	}
	return was
}

// ready reports whether everything that this process runs is restored.
func (r *readiness) ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.started && len(r.restoring) == 0
}
