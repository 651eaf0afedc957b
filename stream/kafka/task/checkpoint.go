package task

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

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
	Key   note.Signer
	To    string // where they go, for the ledger and the log; no secret
	Send  func(ctx context.Context, c *ledger.Checkpoint) error
}

// checkpointer sends the ledger's checkpoints beside correlate's work, which
// never waits for it. What was sent is chained in the ledger too, so that
// auditors know which checkpoints there must be.
type checkpointer struct {
	*Checkpoints             // nil: none are sent
	due          time.Time   // wall clock at which the next is sent
	at           ledger.Head // of the ledger when the last was chained
	busy         bool        // one is being sent
	done         chan sent
}

// sent is what became of one checkpoint.
type sent struct {
	checkpoint ledger.Checkpoint
	at         time.Time // wall clock
	err        error
}

func newCheckpointer(c *Checkpoints) *checkpointer {
	return &checkpointer{Checkpoints: c, due: time.Now(), done: make(chan sent, 1)}
}

// stepCheckpoint chains a checkpoint that was sent, and begins the next when it
// is due and anything was chained since.
func (r *correlateRun) stepCheckpoint(ctx context.Context) error {
	k := r.checkpointer
	if k.Checkpoints == nil {
		return nil
	}
	select {
	case s := <-k.done:
		k.busy = false
		if s.err == nil {
			return r.chainCheckpoint(ctx, &s)
		}
		k.due = time.Now().Add(min(k.Every, checkpointAgain))
		r.Log.Warn("a checkpoint of the ledger could not be sent and will be made again", "to", k.To, "record", s.checkpoint.Size, "error", s.err)
	default:
	}
	now, head := time.Now(), r.ledger.Head
	if k.busy || head == k.at || head.Seq == 0 || now.Before(k.due) {
		return nil
	}
	if r.ledger.Tree.Size != head.Seq {
		k.due = now.Add(min(k.Every, checkpointAgain))
		r.Log.Error("no checkpoint is made of a ledger that is not whole; look with `weir ledger verify`", "records", r.ledger.Tree.Size, "written", head.Seq)
		return nil
	}
	c, err := ledger.Sign(&r.ledger.Tree, k.Key)
	if err != nil {
		return err
	}
	k.busy = true
	go func() {
		ctx, cancel := context.WithTimeout(ctx, checkpointLimit)
		defer cancel()
		k.done <- sent{checkpoint: c, at: now, err: k.Send(ctx, &c)}
	}()
	return nil
}

// chainCheckpoint chains that a checkpoint was sent.
func (r *correlateRun) chainCheckpoint(ctx context.Context, s *sent) error {
	k := r.checkpointer
	body, err := json.Marshal(struct {
		To         string `json:"to"`
		Checkpoint string `json:"checkpoint"` // the signed text
	}{k.To, string(s.checkpoint.Note)})
	if err != nil {
		return fmt.Errorf("noting a checkpoint: %w", err)
	}
	before := r.ledger.Head
	tx := cluster.Transaction{Client: r.client}
	if err := r.ledger.add(&tx, ledger.Check, s.at, body); err != nil {
		return err
	}
	r.ledger.writeEnd(&tx)
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("noting a checkpoint: %w", err)
	}
	if k.due = time.Now().Add(k.Every); before.Seq == s.checkpoint.Size {
		k.at = r.ledger.Head // nothing but the note itself was chained since
	}
	r.Metrics.Checkpoint.Set(float64(s.at.Unix()))
	r.Metrics.Ledger.Set(float64(r.ledger.Head.Seq))
	return nil
}
