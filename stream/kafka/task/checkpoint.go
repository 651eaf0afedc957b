package task

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

const (
	// checkpointLimit bounds one sending of a checkpoint.
	checkpointLimit = 30 * time.Second
	// checkpointAgain is how long after a failure the next is tried.
	checkpointAgain = time.Minute
)

// Checkpoints says how the ledger's checkpoints leave the deployment.
type Checkpoints struct {
	Every time.Duration
	Key   ed25519.PrivateKey // nil: they are not signed
	To    string             // where they go, for the ledger and the log; no secret
	Send  func(ctx context.Context, c *ledger.Checkpoint) error
}

// checkpointer sends the ledger's checkpoints beside correlate's work, which
// never waits for it, and notes in the ledger what was sent, so that auditors
// know which checkpoints there must be.
type checkpointer struct {
	*Checkpoints
	due  time.Time
	at   ledger.Head // of the ledger when the last was noted
	busy bool
	done chan sent
}

// sent is what became of one checkpoint.
type sent struct {
	checkpoint ledger.Checkpoint
	err        error
}

func newCheckpointer(c *Checkpoints) *checkpointer {
	return &checkpointer{Checkpoints: c, due: time.Now(), done: make(chan sent, 1)}
}

// step notes a checkpoint that was sent, and begins the next when it is due and
// anything was chained since.
func (k *checkpointer) step(ctx context.Context, t *Correlate, cl *kgo.Client, w *ledgerWriter) error {
	if k.Checkpoints == nil {
		return nil
	}
	select {
	case s := <-k.done:
		k.busy = false
		if s.err == nil {
			return k.note(ctx, t, cl, w, &s.checkpoint)
		}
		k.due = time.Now().Add(min(k.Every, checkpointAgain))
		t.Log.Warn("a checkpoint of the ledger could not be sent and will be made again", "to", k.To, "record", s.checkpoint.Seq, "error", s.err)
	default:
	}
	now := time.Now()
	if k.busy || w.Head == k.at || w.Head.Seq == 0 || now.Before(k.due) {
		return nil
	}
	c, err := ledger.NewCheckpoint(t.Topics.Ledger, w.Head, now, k.Key)
	if err != nil {
		return err
	}
	k.busy = true
	go func() {
		ctx, cancel := context.WithTimeout(ctx, checkpointLimit)
		defer cancel()
		k.done <- sent{c, k.Send(ctx, &c)}
	}()
	return nil
}

// note chains that a checkpoint was sent.
func (k *checkpointer) note(ctx context.Context, t *Correlate, cl *kgo.Client, w *ledgerWriter, c *ledger.Checkpoint) error {
	body, err := json.Marshal(struct {
		To         string             `json:"to"`
		Checkpoint *ledger.Checkpoint `json:"checkpoint"`
	}{k.To, c})
	if err != nil {
		return fmt.Errorf("noting a checkpoint: %w", err)
	}
	before := w.Head
	tx := cluster.Transaction{Client: cl}
	if err := w.add(&tx, ledger.Check, c.At, body); err != nil {
		return err
	}
	w.writeEnd(&tx)
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("noting a checkpoint: %w", err)
	}
	if k.due = time.Now().Add(k.Every); before.Seq == c.Seq {
		k.at = w.Head // nothing but the note itself was chained since
	}
	t.Metrics.Checkpoint.Set(float64(c.At.Unix()))
	t.Metrics.Ledger.Set(float64(w.Head.Seq))
	return nil
}
