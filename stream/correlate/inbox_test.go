package correlate

import (
	"testing"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// A tick is complete once every partition has closed it. A restore reads again
// from the first report that told of a tick which is not worked through.
func TestInboxWaitsForAllPartitions(t *testing.T) {
	cfg := testConfig()
	cfg.Partitions = 2
	task := New(cfg)
	report := func(offset int64, partition int32, done int64, ticks ...int64) {
		t.Helper()
		r := &stream.EvidenceReport{Partition: partition, Done: done}
		for _, tick := range ticks {
			r.Candidates = append(r.Candidates, stream.Candidate{Tick: tick, Identity: "kim", Log: 20, Threshold: 8, Measures: []stream.MeasureEvidence{{Measure: "distinct", Log: 20, Allowed: 1}}})
		}
		if err := task.Apply(offset, r); err != nil {
			t.Fatal(err)
		}
	}
	restored := func() int64 {
		t.Helper()
		again := New(cfg)
		for _, c := range task.Snapshot() {
			if err := again.Load(c.Key, c.Value); err != nil {
				t.Fatal(err)
			}
		}
		return again.Offset()
	}
	report(10, 0, 6, 5, 6)
	report(11, 0, 7, 7)
	if found := task.Advance(); !found.Empty() || task.inbox.complete() != eventtime.Never {
		t.Fatalf("one of two partitions has reported: %+v", found)
	}
	if got := restored(); got != 10 {
		t.Errorf("nothing is worked through: a restore reads from %d, want 10", got)
	}
	report(12, 1, 6)
	if found := task.Advance(); len(found.Alerts) != 1 || int64(found.Alerts[0].Time) != cfg.Grid.TickEnd(5) {
		t.Fatalf("ticks 5 and 6 are complete: %+v", found.Alerts)
	}
	if got := restored(); got != 11 {
		t.Errorf("tick 7 is not worked through: a restore reads from %d, want 11", got)
	}
	report(13, 1, 7)
	task.Advance()
	if got := restored(); got != 14 {
		t.Errorf("all is worked through: a restore reads from %d, want 14", got)
	}
}
