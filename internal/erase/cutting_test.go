package erase

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/follow"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/internal/verification"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// house is a deployment in which the test writes what weir run would.
type house struct {
	t      *testing.T
	conn   *cluster.Connection
	client *kgo.Client
	names  topics.Names
	dpo    authority.Proof
	cut    *Cutting
	now    time.Time // when the next record is written
	mu     sync.Mutex
	end    topics.LedgerEnd
	refuse atomic.Pointer[string] // topic of which no record may be deleted
	tear   atomic.Pointer[string] // topic of which none can be deleted, though it may be
}

const settingsInForce = `{"version":"1"}`

func newHouse(t *testing.T) *house {
	network := &kfake.VirtualNetwork{}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(network.Listen))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	h := &house{t: t, names: topics.Named("weir."), now: time.Now().Add(-Youngest - 2*time.Hour)}
	broker.ControlKey(int16(kmsg.DeleteRecords), func(req kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		return h.control(req)
	})
	h.conn = &cluster.Connection{Brokers: broker.ListenAddrs(), ClientID: "test", Logger: slog.New(slog.DiscardHandler), Extra: []kgo.Opt{kgo.Dialer(network.DialContext)}}
	specs := h.names.Specs(1)
	for i := range specs { // so that the test says when something was written
		specs[i].Configs["message.timestamp.type"] = "CreateTime"
	}
	if err := topics.Ensure(t.Context(), h.conn, specs, 1); err != nil {
		t.Fatal(err)
	}
	if h.client, err = h.conn.Client(t.Context(), kgo.RecordDeliveryTimeout(0)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.client.Close)
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	who := authority.New([32]byte{1}, []authority.Author{{Name: "dpo", PublicKey: key.Public().(ed25519.PublicKey)}})
	h.dpo = who.PrivateKey(key)
	f := &follow.Follower{
		Connection: h.conn, Topics: h.names, Grid: eventtime.Grid{Tick: 5 * eventtime.Minute, Bin: eventtime.Hour}, Log: slog.New(slog.DiscardHandler), Check: who.Check,
		Eraser: model.Veil{Personal: []string{"user"}, Secret: []byte("secret"), Location: time.UTC},
	}
	h.cut = &Cutting{Follower: f, Author: h.dpo, Proof: topics.ProofBy(who.Check), Reason: "a year is over", Destinations: []string{"soc"}}
	h.end.Settings = ledger.SettingsDigest([]byte(settingsInForce))
	h.chain(ledger.Config, settingsInForce)
	return h
}

// control refuses to delete records.
func (h *house) control(req kmsg.Request) (kmsg.Response, error, bool) {
	of, topic := req.(*kmsg.DeleteRecordsRequest).Topics[0], h.refuse.Load()
	if of.Partitions[0].Offset > 0 && topic == nil {
		topic = h.tear.Load()
	}
	if topic == nil || of.Topic != *topic {
		return nil, nil, false
	}
	resp := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
	resp.Topics = []kmsg.DeleteRecordsResponseTopic{{Topic: *topic, Partitions: []kmsg.DeleteRecordsResponseTopicPartition{{ErrorCode: kerr.TopicAuthorizationFailed.Code}}}}
	return resp, nil, true
}

func (h *house) write(topic, key, value string) {
	h.t.Helper()
	if err := h.client.ProduceSync(h.t.Context(), &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(value), Timestamp: h.now}).FirstErr(); err != nil {
		h.t.Fatal(err)
	}
}

// chain appends a record to the ledger, and its end to the state.
func (h *house) chain(kind ledger.Kind, body string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	rec, head, err := ledger.Append(h.end.Head, kind, time.Now(), []byte(body))
	if err != nil {
		h.t.Fatal(err)
	}
	h.end.Head = head
	h.end.Tree.Add(rec)
	h.write(h.names.Ledger, "", string(rec))
	end, err := json.Marshal(h.end)
	if err != nil {
		h.t.Fatal(err)
	}
	h.write(h.names.Fleet, topics.LedgerEndKey, string(end))
}

func (h *house) alert(name string, hour int, status alerting.Status) {
	h.t.Helper()
	a := of(name, hour, status)
	h.write(h.names.Alerts, a.DedupKey, string(a.AppendJSON(nil)))
	h.chain(ledger.Alert, string(a.AppendJSON(nil)))
}

// judge writes a verdict of the dpo, and chains it as one that took effect.
func (h *house) judge(v correlate.Verdict) {
	h.t.Helper()
	v, err := authority.Submit(h.t.Context(), func(_ context.Context, key, value []byte) error {
		h.write(h.names.Verdicts, string(key), string(value))
		return nil
	}, v, authority.By{Proof: h.dpo})
	if err != nil {
		h.t.Fatal(err)
	}
	h.effect(&v)
}

func (h *house) effect(v *correlate.Verdict) {
	h.t.Helper()
	body, err := json.Marshal(&correlate.Effect{Verdict: *v, Time: v.Time})
	if err != nil {
		h.t.Fatal(err)
	}
	h.chain(ledger.Verdict, string(body))
}

// correlate chains verdicts from an offset on, as weir run does, until the end of the test.
func (h *house) correlate(next int64) {
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan struct{})
	h.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		for cluster.Sleep(ctx, 10*time.Second) == nil {
			_, err := h.conn.ReadAll(ctx, h.names.Verdicts, 0, func(rec *kgo.Record) error {
				if rec.Offset < next {
					return nil
				}
				v, err := correlate.DecodeVerdict(rec.Value)
				if err != nil {
					return err
				}
				next = rec.Offset + 1
				if h.effect(v); v.Kind == correlate.Cut {
					h.chain(ledger.Config, settingsInForce)
				}
				return nil
			})
			if err != nil && ctx.Err() == nil {
				h.t.Error(err)
			}
		}
	}()
}

// verify says what `weir ledger verify` says.
func (h *house) verify() string {
	h.t.Helper()
	r := verification.Report{Proof: h.cut.Proof}
	if err := r.ReadTopic(h.t.Context(), h.conn, h.names, nil, func() {}); err != nil {
		h.t.Fatal(err)
	}
	r.End()
	var out strings.Builder
	r.Print(&out)
	return out.String()
}

// topic returns what a topic holds.
func (h *house) topic(name string) (out []string) {
	h.t.Helper()
	if _, err := h.conn.ReadAll(h.t.Context(), name, 0, func(rec *kgo.Record) error { out = append(out, string(rec.Value)); return nil }); err != nil {
		h.t.Fatal(err)
	}
	return out
}

// What is older than the time is deleted of every topic that has names for ever, the rest
// of the ledger is whole, and says who deleted what. What was interrupted is finished, and
// a name that was erased stays so.
func TestCutting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.alert("bob", 0, alerting.Open)
		h.judge(correlate.Verdict{Kind: correlate.Confirmed, DedupKey: of("bob", 0, "").DedupKey, Reason: "seen"})
		h.alert("bob", 1, alerting.Close)
		held := correlate.Suppressed{By: correlate.SuppressedBy{Kind: correlate.ByVerdict, Name: "v"}, Alert: *of("bob", 2, alerting.Open)}
		h.write(h.names.Suppressed, "", string(held.AppendJSON(nil)))
		h.chain(ledger.Suppression, string(held.AppendJSON(nil)))
		h.judge(correlate.Verdict{Kind: correlate.Erased, DedupKey: "person-0000000001", Reason: "DSR-17"})
		h.write(h.names.DeadLetters, "", "bob")
		h.now = h.now.Add(time.Hour)
		before := h.now
		h.write(h.names.Verdicts, "", "junk")
		h.alert("kim", 3, alerting.Open)
		h.judge(correlate.Verdict{Kind: correlate.Acknowledged, DedupKey: of("kim", 3, "").DedupKey})
		h.write(h.names.DeadLetters, "", "kim")
		h.now = h.now.Add(Youngest + time.Hour)
		h.alert("kim", 4, alerting.Update)

		h.cut.Before, h.cut.Now = before, h.now
		plan := func() *Plan {
			t.Helper()
			p, err := h.cut.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		p := plan()
		want := []Share{{h.names.Alerts, 2, 2}, {h.names.Suppressed, 1, 0}, {h.names.Verdicts, 2, 2}, {h.names.DeadLetters, 1, 1}, {h.names.Ledger, 6, 3}}
		if p.Cut.Head.Seq != 6 || !slices.Equal(p.Topics, want) {
			t.Errorf("it would delete %+v", p.Topics)
		}
		// Who may not delete is told before anything is written.
		given := len(h.topic(h.names.Verdicts))
		h.refuse.Store(&h.names.Verdicts)
		if err := h.cut.Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), "the right Delete on it") || len(h.topic(h.names.Verdicts)) != given {
			t.Errorf("without the right: %v", err)
		}
		h.refuse.Store(nil)
		// Nothing chains the cut: it is written, and nothing is deleted.
		if err := h.cut.Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), "nothing is deleted yet") || len(h.topic(h.names.Alerts)) != 4 {
			t.Errorf("without weir run: %v", err)
		}
		signed := len(h.topic(h.names.Verdicts))
		h.correlate(int64(given))
		// Interrupted, and finished; the cut that was signed is the one.
		h.tear.Store(&h.names.Ledger)
		if err := h.cut.Run(t.Context(), plan()); err == nil || !strings.Contains(err.Error(), "run the command again") {
			t.Errorf("interrupted: %v", err)
		}
		h.tear.Store(nil)
		if p = plan(); !p.Finishes || p.Topics[0].Records != 0 || p.Topics[4].Records != 6 {
			t.Errorf("what is left to delete: %+v", p)
		}
		if err := h.cut.Run(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if n := len(h.topic(h.names.Verdicts)); n != signed-2 {
			t.Errorf("%d verdicts are left of %d: the cut was signed twice, or too much was deleted", n, signed)
		}
		for _, s := range want {
			for _, value := range h.topic(s.Topic) {
				if strings.Contains(value, "bob") {
					t.Errorf("%s still has %s", s.Topic, value)
				}
			}
		}
		if n := strings.Count(strings.Join(h.topic(h.names.Verdicts), ""), "person-0000000001"); n != 1 {
			t.Errorf("the name that was erased is so by %d verdicts", n)
		}
		said := h.verify()
		if want := fmt.Sprintf("Records 1 to 6 were deleted by dpo on %s 00:", time.Now().UTC().Format("2006-01-02")); !strings.HasPrefix(said, "The ledger weir.ledger is whole: 6 records") || !strings.Contains(said, want) {
			t.Errorf("verify says\n%swant it to say\n%s", said, want)
		}
		if p = plan(); p.Cut != nil {
			t.Errorf("there is more to delete: %+v", p)
		}
		// The next cut takes the first with it.
		h.now = h.now.Add(2 * Youngest)
		h.alert("kim", 5, alerting.Close)
		h.cut.Before, h.cut.Now = h.now.Add(-Youngest), h.now
		if err := h.cut.Run(t.Context(), plan()); err != nil {
			t.Fatal(err)
		}
		if said := h.verify(); !strings.Contains(said, "is whole: ") || !strings.Contains(said, "Records 1 to 12 were deleted by dpo") {
			t.Errorf("verify says\n%s", said)
		}
	})
}

// What must not be deleted is not, and the reason is told.
func TestCuttingRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.alert("bob", 0, alerting.Open)
		h.now = h.now.Add(time.Hour)
		before := h.now
		h.now = h.now.Add(Youngest + time.Hour)
		h.alert("bob", 1, alerting.Close)
		private, _, err := ledger.NewKey("bank.example/weir")
		if err != nil {
			t.Fatal(err)
		}
		signer, err := ledger.ParseSigner([]byte(private))
		if err != nil {
			t.Fatal(err)
		}
		checkpoint := func(n int64) ledger.Checkpoint {
			var tree ledger.Tree
			for _, rec := range h.topic(h.names.Ledger)[:n] {
				tree.Add([]byte(rec))
			}
			c, err := ledger.Sign(&tree, signer)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		for _, row := range []struct {
			says  string
			usage bool
			do    func(c *Cutting)
		}{
			{"is to come", true, func(c *Cutting) { c.Before = c.Now.Add(time.Hour) }},
			{"less than 91 days ago", true, func(c *Cutting) { c.Before = c.Now.Add(-Youngest + time.Minute) }},
			{"needs --reason", true, func(c *Cutting) { c.Reason = "" }},
			{"the newest checkpoint is of 1 records, and 2 are to be deleted", false, func(c *Cutting) { c.Checkpoints = []ledger.Checkpoint{checkpoint(1)} }},
			{"the witness witness.example has signed no checkpoint of 2 records", false, func(c *Cutting) {
				c.Checkpoints, c.Witnesses = []ledger.Checkpoint{checkpoint(3)}, []string{"witness.example"}
			}},
			{"the ledger is not whole", false, func(c *Cutting) {
				forged := checkpoint(2)
				forged.Root[0]++
				c.Checkpoints = []ledger.Checkpoint{forged}
			}},
			{"the destination soc has not got all of weir.alerts", false, func(*Cutting) {
				h.write(h.names.Outbox, "position\x00soc", `{"places":{"weir.alerts":{"next":2,"pending":[0]}}}`)
			}},
			{"is open", false, func(*Cutting) {
				h.write(h.names.Outbox, "position\x00soc", `{"places":{"weir.alerts":{"next":2}}}`)
				h.alert("bob", 2, alerting.Open)
			}},
			{"checkpoints of this ledger were sent outside", true, func(*Cutting) {
				h.alert("bob", 3, alerting.Close)
				h.chain(ledger.Check, `{}`)
			}},
			{"the ledger is not whole", false, func(c *Cutting) {
				c.Checkpoints = []ledger.Checkpoint{checkpoint(2)}
				h.write(h.names.Alerts, "k", string(of("eve", 1, alerting.Open).AppendJSON(nil)))
			}},
		} {
			c := *h.cut
			c.Before, c.Now = before, h.now
			row.do(&c)
			_, err := c.Plan(t.Context())
			if err == nil || !strings.Contains(err.Error(), row.says) || errors.As(err, new(usage.Error)) != row.usage {
				t.Errorf("%v, want it to say %q; usage: %v", err, row.says, row.usage)
			}
		}
	})
}

// A cut that goes beyond the time is refused, whoever has signed it: what an author has
// written, another does not carry out blindly.
func TestCuttingOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.alert("bob", 0, alerting.Open)
		h.alert("bob", 1, alerting.Close)
		greedy := &ledger.Cut{Head: h.end.Head, Tree: h.end.Tree, Below: map[string]int64{h.names.Ledger: 3, h.names.Alerts: 3}}
		h.now = h.now.Add(time.Hour)
		before := h.now
		h.now = h.now.Add(Youngest + time.Hour)
		h.alert("kim", 2, alerting.Open)
		h.judge(correlate.Verdict{Kind: correlate.Cut, DedupKey: greedy.String(), Reason: "mine"})
		h.cut.Before, h.cut.Now = before, h.now
		if _, err := h.cut.Plan(t.Context()); err == nil || !strings.Contains(err.Error(), "the cut of dpo deletes what is younger") {
			t.Errorf("%v", err)
		}
	})
}
