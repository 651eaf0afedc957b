package kafka

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/correlate"
)

// LedgerEndKey is the key in the fleet topic under which correlate keeps where
// the ledger ends. That is written with each record of the ledger, so that
// somebody who cuts the ledger's end off has to forge the state too.
const LedgerEndKey = "ledger"

// LedgerEnd is what correlate knows of the ledger's end.
type LedgerEnd struct {
	Head     ledger.Head `json:"head"`
	Settings string      `json:"settings"` // SHA-256 of the settings that were written last, in hex
}

// Load takes in one record of the fleet topic; a record that is not of the
// ledger's end is passed over.
func (e *LedgerEnd) Load(key, value []byte) error {
	if string(key) != LedgerEndKey {
		return nil
	}
	if err := json.Unmarshal(value, e); err != nil {
		return fmt.Errorf("reading the end of the ledger: %w", err)
	}
	return nil
}

// ledgerWriter chains what correlate finds to the end of the ledger.
type ledgerWriter struct {
	LedgerEnd
}

// openLedger compares the end of the ledger with what correlate knows of it, and
// notes the settings in force if they have changed. A ledger that somebody has
// tampered with stops no alert: it is said loudly, and the chain goes on from
// where correlate left it, so that the tear stays visible.
func (t *correlateTask) openLedger(ctx context.Context, cl *kgo.Client, b *ledgerWriter) error {
	rec, err := t.conn.last(ctx, t.topics.Ledger, 0)
	if err != nil {
		return fmt.Errorf("reading the end of the ledger: %w", err)
	}
	var found ledger.Head
	if rec != nil {
		found, err = ledger.HeadOf(rec.Value)
	}
	if b.Head.Seq == 0 { // the state was reset; the ledger never is
		b.Head = found
	}
	if err != nil || found != b.Head {
		t.metrics.ledgerBad.Set(1)
		t.log.Error("the end of the ledger is not what was written; look with `weir ledger verify`",
			"topic", t.topics.Ledger, "found", found.Seq, "written", b.Head.Seq, "error", err)
	}
	sum := sha256.Sum256(t.settings)
	if digest := hex.EncodeToString(sum[:]); t.settings != nil && digest != b.Settings {
		tx := transaction{client: cl}
		b.Settings = digest
		if err := b.add(&tx, t.topics, ledger.Config, time.Now(), t.settings); err != nil {
			return err
		}
		b.writeEnd(&tx, t.topics)
		if err := tx.commit(ctx); err != nil {
			return fmt.Errorf("writing the settings in force to the ledger: %w", err)
		}
	}
	t.metrics.ledger.Set(float64(b.Head.Seq))
	return nil
}

// write chains what correlate has found: in the order in which it is read, and
// in the transaction that tells it.
func (b *ledgerWriter) write(tx *transaction, topics Topics, found *correlate.Findings) error {
	before := b.Head
	for i := range found.Alerts {
		a := &found.Alerts[i]
		if err := b.add(tx, topics, ledger.Alert, a.Time.Std(), a.AppendJSON(nil)); err != nil {
			return err
		}
	}
	for i := range found.Suppressed {
		s := &found.Suppressed[i]
		if err := b.add(tx, topics, ledger.Suppression, s.Alert.Time.Std(), s.AppendJSON(nil)); err != nil {
			return err
		}
	}
	for i := range found.Effects {
		e := &found.Effects[i]
		body, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("chaining a verdict: %w", err)
		}
		if err := b.add(tx, topics, ledger.Verdict, e.Time.Std(), body); err != nil {
			return err
		}
	}
	if b.Head != before {
		b.writeEnd(tx, topics)
	}
	return nil
}

func (b *ledgerWriter) add(tx *transaction, topics Topics, kind ledger.Kind, at time.Time, body []byte) error {
	rec, head, err := ledger.Append(b.Head, kind, at, body)
	if err != nil {
		return err
	}
	tx.add(topics.Ledger, 0, nil, rec)
	b.Head = head
	return nil
}

// writeEnd adds to the transaction, for the state, where the ledger ends now.
func (b *ledgerWriter) writeEnd(tx *transaction, topics Topics) {
	value, err := json.Marshal(b.LedgerEnd)
	if err != nil {
		panic(fmt.Sprintf("kafka: a number and a hash do not marshal: %v", err)) // a mistake in this file
	}
	tx.add(topics.Fleet, 0, []byte(LedgerEndKey), value)
}

// ReadLedger hands every record of the ledger to fn, in order, and returns the
// head that weir's state knows of; the zero head if it knows none.
func ReadLedger(ctx context.Context, conn *Connection, topics Topics, fn func(offset int64, value []byte) error) (ledger.Head, error) {
	var known LedgerEnd
	// The state first: it must not know of more than is read then.
	if _, err := conn.readAll(ctx, topics.Fleet, 0, func(r *kgo.Record) error { return known.Load(r.Key, r.Value) }); err != nil {
		return ledger.Head{}, fmt.Errorf("reading the state: %w", err)
	}
	if _, err := conn.readAll(ctx, topics.Ledger, 0, func(r *kgo.Record) error { return fn(r.Offset, r.Value) }); err != nil {
		return ledger.Head{}, fmt.Errorf("reading the ledger: %w", err)
	}
	return known.Head, nil
}

// LedgerHead returns the end of the ledger.
func LedgerHead(ctx context.Context, conn *Connection, topics Topics) (ledger.Head, error) {
	rec, err := conn.last(ctx, topics.Ledger, 0)
	if err != nil {
		return ledger.Head{}, fmt.Errorf("reading the end of the ledger: %w", err)
	}
	if rec == nil {
		return ledger.Head{}, nil
	}
	return ledger.HeadOf(rec.Value)
}
