package rivals

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/axiomhq/hyperloglog"

	"github.com/weirhq/weir/sketches"
)

// fleet holds the records of many identities.
type fleet interface {
	insert(identity, hash uint64, minute uint32)
}

type windowFleet map[uint64]*sketches.Window

func (f windowFleet) insert(identity, hash uint64, minute uint32) {
	w := f[identity]
	if w == nil {
		w = new(sketches.Window)
		f[identity] = w
	}
	w.Insert(hash, minute)
}

// axiomFleet counts over all time: it is one sketch for each identity, not a ring.
type axiomFleet map[uint64]*hyperloglog.Sketch

func (f axiomFleet) insert(identity, hash uint64, _ uint32) {
	s := f[identity]
	if s == nil {
		s = hyperloglog.New()
		f[identity] = s
	}
	s.InsertHash(hash)
}

// TestMillion prints what a million identities of five records cost, the map
// that holds them included, while they are built and then touched 10 million
// times more, nine of ten touches of records that are known.
func TestMillion(t *testing.T) {
	identities := uint64(20_000)
	if *figures {
		identities = 1_000_000
	}
	fmt.Printf("\n%d identities of five records\n\n| | heap an identity | resident | CPU an insert | collector's share of CPU | longest pause |\n|---|---|---|---|---|---|\n", identities)
	for _, c := range []struct {
		name string
		new  func() fleet
	}{
		{"map of Windows", func() fleet { return windowFleet{} }},
		{"map of axiomhq sketches, without windows", func() fleet { return axiomFleet{} }},
	} {
		per := runFleet(c.name, c.new(), identities)
		if c.name == "map of Windows" && per > 160 {
			t.Errorf("%.0f bytes an identity", per)
		}
	}
}

func runFleet(name string, f fleet, identities uint64) (per float64) {
	debug.FreeOSMemory()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	collector, user, pauses := readMetrics()
	touches := identities * 15
	used := cpu(func() {
		for i := range touches {
			identity := touch(1, uint32(i%identities), 0).hash
			record := i / identities
			if i >= identities*5 { // nine of ten are known
				record = touch(2, uint32(i), 0).hash % 5
				if i%10 == 0 && i < identities*5+identities/100 {
					record = i
				}
			}
			f.insert(identity, touch(identity, uint32(record), 0).hash, day0+uint32(i>>18))
		}
	})
	collected, program, paused := readMetrics()
	share := (collected - collector) / (collected - collector + program - user)
	runtime.GC()
	runtime.ReadMemStats(&after)
	per = float64(after.HeapAlloc-before.HeapAlloc) / float64(identities)
	fmt.Printf("| %s | %.0f B | %s | %.0f ns | %.1f %% | %.2f ms |\n", name, per, resident(), used/float64(touches), 100*share, 1e3*longest(pauses, paused))
	runtime.KeepAlive(f)
	return per
}

// readMetrics returns the seconds that the garbage collector has used, but for
// what it took of idle time, those of the program, both as the runtime counts
// them, and how many pauses of each length it has made.
func readMetrics() (collector, user float64, pauses *metrics.Float64Histogram) {
	samples := []metrics.Sample{
		{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
		{Name: "/cpu/classes/user:cpu-seconds"}, {Name: "/sched/pauses/total/gc:seconds"},
	}
	metrics.Read(samples)
	return samples[0].Value.Float64() - samples[1].Value.Float64(), samples[2].Value.Float64(), samples[3].Value.Float64Histogram()
}

// longest returns the upper bound of the longest pause since before.
func longest(before, after *metrics.Float64Histogram) float64 {
	for i := len(after.Counts) - 1; i >= 0; i-- {
		if after.Counts[i] > before.Counts[i] {
			if bound := after.Buckets[i+1]; !math.IsInf(bound, 1) {
				return bound
			}
			return after.Buckets[i]
		}
	}
	return 0
}

// resident returns the process's resident memory as Linux tells it.
func resident() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "unknown"
}
