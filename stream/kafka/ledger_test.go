package kafka_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/task"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// ledger reads the ledger of a deployment and verifies it.
func (d *deployment) ledger(t testing.TB, checkpoints ...ledger.Checkpoint) (values [][]byte, found ledger.Result) {
	t.Helper()
	v := ledger.Verifier{Checkpoints: checkpoints}
	known, err := topics.ReadLedger(t.Context(), &d.conn, topics.Named("weir."), func(offset int64, value []byte) error {
		values = append(values, slices.Clone(value))
		v.Add(fmt.Sprint("offset ", offset), value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return values, v.End(known.Head)
}

// forge deletes the ledger and writes it again as somebody would have it.
func (d *deployment) forge(t testing.TB, values [][]byte) {
	t.Helper()
	cl, err := kgo.NewClient(append(d.conn.Extra, kgo.SeedBrokers(d.conn.Brokers...))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := kadm.NewClient(cl).DeleteTopics(ctx, "weir.ledger"); err != nil {
		t.Fatal(err)
	}
	d.prepare(t)
	for _, value := range values {
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "weir.ledger", Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// The ledger of a run holds the settings and every alert, and nobody can touch
// it unseen: not even its end, of which correlate's own state knows.
func TestLedgerOfARun(t *testing.T) { long(t); inBubble(t, testLedgerOfARun) }

func testLedgerOfARun(t *testing.T) {
	d := newDeployment(t, 2)
	events, want, held := d.leak(t)
	d.produce(t, "access", 2, events)
	d.prepare(t)
	// run runs weir until it has noted its settings and all there is to tell.
	run := func(settings string, changes int) {
		p := d.options(t, "p")
		p.Settings = task.InForce{JSON: []byte(settings), By: map[string]string{task.ByRunner: "kim on a"}}
		started := start(t, p)
		defer started.stop()
		complete := map[ledger.Kind]int{ledger.Config: changes, ledger.Alert: len(want), ledger.Suppression: len(held)}
		for deadline := time.Now().Add(6 * time.Minute); ; time.Sleep(300 * time.Millisecond) {
			holds, ready := map[ledger.Kind]int{}, started.Ready()
			if ready {
				values, _ := d.ledger(t)
				all := bytes.Join(values, nil)
				for kind := range complete {
					holds[kind] = bytes.Count(all, fmt.Appendf(nil, `"kind":%q`, kind))
				}
			}
			if maps.Equal(holds, complete) {
				return
			} else if time.Now().After(deadline) {
				t.Fatalf("ready: %t; the ledger holds %v, want %v", ready, holds, complete)
			}
		}
	}
	run(`{"budget":2}`, 1)
	run(`{"budget":2}`, 1) // nothing new
	run(`{"budget":3}`, 2)
	values, found := d.ledger(t)
	if found.Fault != nil || found.Kinds[ledger.Alert] != int64(len(want)) || found.Kinds[ledger.Config] != 2 {
		t.Fatalf("the ledger holds %v, want %d alerts and 2 settings; fault %+v", found.Kinds, len(want), found.Fault)
	}
	sent := 0
	for _, value := range values {
		if strings.Contains(string(value), `"kind":"alert"`) {
			if !strings.Contains(string(value), `"body":`+want[sent]+`,"hash"`) {
				t.Errorf("record %s is not alert %s", value, want[sent])
			}
			sent++
		}
	}

	last := len(values) - 1
	for _, c := range []struct {
		name string
		do   func(v [][]byte) [][]byte
		kind ledger.FaultKind
		seq  int64
	}{
		{"a changed byte", func(v [][]byte) [][]byte {
			v[2] = []byte(strings.Replace(string(v[2]), `"severity":"`, `"severity":" `, 1))
			return v
		}, ledger.Altered, 3},
		{"dropped", func(v [][]byte) [][]byte { return slices.Delete(v, 2, 3) }, ledger.Missing, 3},
		{"swapped", func(v [][]byte) [][]byte { v[1], v[2] = v[2], v[1]; return v }, ledger.Moved, 2},
		{"inserted", func(v [][]byte) [][]byte { return slices.Insert(v, 2, v[1]) }, ledger.Inserted, 2},
		{"cut off", func(v [][]byte) [][]byte { return v[:last] }, ledger.Truncated, int64(last) + 1},
	} {
		d.forge(t, c.do(slices.Clone(values)))
		if _, got := d.ledger(t); got.Fault == nil || got.Fault.Kind != c.kind || got.Fault.Seq != c.seq {
			t.Errorf("%s: found %+v, want %s at record %d", c.name, got.Fault, c.kind, c.seq)
		}
	}

	// What was cut off stays missing when weir goes on.
	run(`{"budget":4}`, 2) // one of the two before was cut off
	if _, got := d.ledger(t); got.Fault == nil || got.Fault.Kind != ledger.Missing || got.Fault.Seq != int64(last)+1 {
		t.Errorf("after going on: %+v, want that record %d is missing", got.Fault, last+1)
	}
}

// While weir runs, checkpoints go outside when anything was chained, one that
// could not be sent is made again, and each that was sent is noted.
func TestCheckpointsOfARun(t *testing.T) { inBubble(t, testCheckpointsOfARun) }

func testCheckpointsOfARun(t *testing.T) {
	d := newDeployment(t, 1)
	d.produce(t, "access", 1, traffic(t, "greedy-agent", 1, 1, 0.1))
	private, public, err := ledger.NewKey("bank.example/weir")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ledger.ParsePublicKeys([]byte(public))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ledger.ParseSigner([]byte(private))
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan ledger.Checkpoint, 10)
	calls := 0
	p := d.options(t, "p")
	p.Settings = task.InForce{JSON: []byte(`{"budget":2}`)}
	p.Checkpoints = &task.Checkpoints{Every: 10 * time.Millisecond, Key: key, To: "test", Send: func(_ context.Context, c *ledger.Checkpoint) error {
		if calls++; calls == 1 {
			return errors.New("the auditor is out")
		}
		got <- *c
		return nil
	}}
	stop := start(t, p).stop
	var sent ledger.Checkpoint
	select {
	case sent = <-got:
	case <-time.After(time.Minute):
		t.Fatal("no checkpoint was sent")
	}
	noted := false
	for range 200 {
		values, _ := d.ledger(t)
		if noted = strings.Contains(string(values[len(values)-1]), `"kind":"checkpoint"`); noted {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	stop()
	if _, err := keys.Open(sent.Note); err != nil {
		t.Error(err)
	}
	_, found := d.ledger(t, sent)
	if found.Fault != nil || found.Kinds[ledger.Check] != 1 || !noted {
		t.Errorf("the ledger holds %v, want one note of a checkpoint; fault %+v", found.Kinds, found.Fault)
	}
	if n := len(got); n != 0 {
		t.Errorf("%d more checkpoints were sent where nothing was chained", n)
	}
}
