// Package collector sets how seldom the garbage collector of the process runs, unless
// GOGC says it.
package collector

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Seldom has the collector run when the memory in use is four times what was live, and
// not twice. It is for reading a log: what is known of its identities takes little, and
// what is made for each tick much.
func Seldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(most)
	}
}

// The bounds of what Allow sets, in percent of what is live.
const (
	least = 100 // what Go does by itself
	most  = 300
)

// allowance is how many bytes of garbage a process may hold.
const allowance = 192 << 20

// Allow has the collector run when an allowance of garbage has gathered (192 MiB, but no
// more than three times what is live), and never before there is as much as is live. So a
// small process, of which nobody misses the allowance, collects seldom, and a large one
// takes no more memory than it would by itself. It returns when ctx ends.
func Allow(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	look := time.NewTicker(time.Second)
	defer look.Stop()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for set := 0; ; {
		metrics.Read(live)
		if p := percent(live[0].Value.Uint64()); p != set {
			set = p
			debug.SetGCPercent(p)
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// percent returns how much garbage there may be, in percent of what is live, in steps of
// ten.
func percent(live uint64) int {
	return min(max(int(10*allowance/max(live, 1))*10, least), most)
}
