package local_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
)

// What a small identity may take in a detect task, in bytes, all included: its
// name, its records with their times, what the detector knows of it, its share
// of the map. Most sleep; the others had an event within the last two hours.
const (
	memoryAsleep = 300
	memoryAwake  = 400
)

// TestMemory fills a detect task with a quarter of a million identities (a
// million under make bench) that touched five records each, and weighs the heap
// when their hour has just closed and again two hours later.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a lot of memory")
	}
	identities := soakOr(250_000, 1_000_000)
	l := newLab(t)
	l.dims, l.names = l.dims[:1], l.names[:1]
	before := heap()
	c := newCrowd(t, l)
	c.touch(0, identities, "a", "b")
	c.touch(5*minute, identities, "c", "d", "e")
	c.touch(75*minute, 1, "a")
	awake := c.weigh(before, identities)
	c.touch(150*minute, 1, "a")
	asleep := c.weigh(before, identities)
	if got := c.detect.Stats().Identities; got != int64(identities) {
		t.Fatalf("the task holds %d identities, want %d", got, identities)
	}
	t.Logf("%d identities of 5 records each: %.0f bytes each, %.0f while their last hour is written", identities, asleep, awake)
	if asleep > memoryAsleep {
		t.Errorf("an identity that sleeps takes %.0f bytes, want at most %d", asleep, memoryAsleep)
	}
	if awake > memoryAwake {
		t.Errorf("an identity that is awake takes %.0f bytes, want at most %d", awake, memoryAwake)
	}
}

// crowd drives the operators as Kafka would, with a state that is written.
type crowd struct {
	t       *testing.T
	ingest  *ingest.Worker
	config  ingest.Config
	detect  *detect.Task
	corr    *correlate.Task
	offsets [2]int64
}

var crowdSource = stream.Source{Topic: "access"}

func newCrowd(t *testing.T, l *lab) *crowd {
	return &crowd{t: t, config: l.ingest(1), detect: detect.New(l.detect()), corr: correlate.New(l.correlate(1))}
}

// touch has the first n identities touch their records of these names, at so
// many milliseconds after the start.
func (c *crowd) touch(at int64, n int, records ...string) {
	c.t.Helper()
	const start = 490_000 * 60 * minute // the beginning of some hour
	// A new one each time: what it keeps for the next flush is not the identities'.
	c.ingest = ingest.New(c.config)
	c.ingest.Assign(ingest.NoProgress(crowdSource, 0))
	ids := make([]string, len(records))
	for who := range n {
		for i, r := range records {
			ids[i] = fmt.Sprint(who, r)
		}
		c.ingest.Fold(crowdSource, stamp, &event.Event{Time: start + at, Actor: fmt.Sprintf("u%09d", who), Records: ids})
		if who%100_000 == 99_999 || who == n-1 {
			c.flush()
		}
	}
	c.ingest = nil
}

// flush hands on what was folded, and works until nothing is left to do.
func (c *crowd) flush() {
	c.t.Helper()
	check := func(err error) {
		if err != nil {
			c.t.Fatal(err)
		}
	}
	c.ingest.End(crowdSource) // nothing waits for what comes after it
	c.ingest.SetIdle(crowdSource, false)
	c.ingest.Flush([]stream.Topic{{Name: crowdSource.Topic, Partitions: 1}}, nil, func(_ int32, value []byte) {
		batch, err := stream.DecodeBatch(value)
		check(err)
		check(c.detect.Apply(c.offsets[0], batch))
		c.offsets[0]++
	})
	c.ingest.Commit()
	for {
		c.detect.Advance()
		report, _ := c.detect.Take() // the changes go to Kafka
		if report == nil {
			return
		}
		check(c.corr.Apply(c.offsets[1], report))
		c.offsets[1]++
		if found := c.corr.Advance(); found.Parameters != nil {
			c.detect.SetParameters(found.Parameters)
		}
	}
}

// weigh returns the bytes of live objects beyond those before, an identity.
func (c *crowd) weigh(before int64, identities int) float64 {
	each := float64(heap()-before) / float64(identities)
	runtime.KeepAlive(c)
	return each
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
