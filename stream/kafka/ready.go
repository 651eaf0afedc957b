package kafka

import "sync"

func taskName(topic string, partition int32) string { return topic + "/" + label(partition) }

// readiness knows which tasks of this process are being restored.
type readiness struct {
	mu        sync.Mutex
	started   bool // every role has begun
	restoring map[string]bool
	metrics   *Metrics
}

func (r *readiness) begin(task string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.restoring[task] = true
	r.metrics.restoring.Set(float64(len(r.restoring)))
}

// done tells that a task is restored, and reports whether that is news.
func (r *readiness) done(task string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.restoring[task]
	delete(r.restoring, task)
	r.metrics.restoring.Set(float64(len(r.restoring)))
	return was
}

func (r *readiness) forget(task string) { r.done(task) }

// ready reports whether everything that this process runs is restored.
func (r *readiness) ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.started && len(r.restoring) == 0
}
