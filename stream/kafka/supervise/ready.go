package supervise

import (
	"sync"

	"github.com/weirhq/weir/stream/kafka/metrics"
)

// Readiness knows which tasks of this process are being restored. The zero
// value is that of a process that has not started.
type Readiness struct {
	mu        sync.Mutex
	started   bool // every role has begun
	restoring map[string]bool
	metrics   *metrics.Metrics
}

// Start tells that every role has begun.
func (r *Readiness) Start(m *metrics.Metrics) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started, r.metrics = true, m
	m.Restoring.Set(float64(len(r.restoring)))
}

// Begin tells that a task is being restored.
func (r *Readiness) Begin(task string) { r.set(task, true) }

// Done tells that a task is restored, and reports whether it was not before.
func (r *Readiness) Done(task string) bool { return r.set(task, false) }

// Forget tells that a task does not run here any longer.
func (r *Readiness) Forget(task string) { r.set(task, false) }

func (r *Readiness) set(task string, restoring bool) (was bool) {
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
		r.metrics.Restoring.Set(float64(len(r.restoring)))
	}
	return was
}

// Ready reports whether everything that this process runs is restored.
func (r *Readiness) Ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.started && len(r.restoring) == 0
}
