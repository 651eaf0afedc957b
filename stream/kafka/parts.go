package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir/stream/kafka/cluster"
)

// afterGrace is how long a stop waits, once the grace is over, for parts to
// notice that.
const afterGrace = time.Second

// partSet is what runs in a process, by name.
type partSet struct {
	all   sync.WaitGroup
	mu    sync.Mutex
	names map[string]bool // of those that run
}

// start runs a part beside the others.
func (p *partSet) start(name string, run func()) {
	p.mark(name, true)
	p.all.Go(func() {
		defer p.mark(name, false)
		run()
	})
}

func (p *partSet) mark(name string, runs bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if runs {
		p.names[name] = true
	} else {
		delete(p.names, name)
	}
}

// wait returns when all parts have ended, or a moment after the grace of ctx is
// over, with an error that names the parts that have not. Leaving them is safe:
// what is not committed did not happen.
func (p *partSet) wait(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		p.all.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-cluster.Finishing(ctx).Done():
	}
	select {
	case <-ended:
		return nil
	case <-time.After(afterGrace):
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("stopping: these parts did not end within the grace and are cut off: %s", strings.Join(slices.Sorted(maps.Keys(p.names)), ", "))
}
