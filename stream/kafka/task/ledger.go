package task

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// ledgerWriter chains what correlate finds to the end of the ledger, in the
// transaction that writes it to the other topics.
type ledgerWriter struct {
	topics.LedgerEnd
	names   topics.Names
	inForce []byte // the settings; nil: they are not chained
}

// openLedger compares the end of the ledger with what correlate knows of it, and
// chains the settings in force if they have changed. A ledger that somebody has
// tampered with stops no alert: the log and a metric say so, and the chain goes
// on from the end that correlate knows, so that the tear stays visible.
func (r *correlateRun) openLedger(ctx context.Context) error {
	w := &r.ledger
	rec, err := r.Conn.Last(ctx, r.Topics.Ledger, 0)
	if err != nil {
		return fmt.Errorf("reading the end of the ledger: %w", err)
	}
	var found ledger.Head
	if rec != nil {
		found, err = ledger.HeadOf(rec.Value)
	}
	if w.Head.Seq == 0 { // the state was reset; the ledger never is
		w.Head = found
	}
	if w.Tree.Size != w.Head.Seq {
		w.Tree = ledger.Tree{}
		cut, _, err := topics.LedgerCut(ctx, r.Conn, r.Topics, topics.ProofBy(r.Config.Authority))
		if err != nil {
			return err
		}
		if cut != nil {
			w.Tree = cut.Tree
		}
		if err := topics.EachLink(ctx, r.Conn, r.Topics, func(_ int64, value []byte) error { w.Tree.Add(value); return nil }); err != nil {
			return err
		}
	}
	if err != nil || found != w.Head || w.Tree.Size != w.Head.Seq {
		r.Metrics.LedgerBroken.Set(1)
		r.Log.Error("the end of the ledger is not what was written; look with `weir ledger verify`",
			"topic", r.Topics.Ledger, "found", found.Seq, "written", w.Head.Seq, "error", err)
	}
	if err := r.bringIntoForce(ctx); err != nil {
		return err
	}
	r.Metrics.Ledger.Set(float64(w.Head.Seq))
	return nil
}

// write chains what correlate has found: alerts, then what was held back, then
// verdicts that took effect, and those that were refused.
func (w *ledgerWriter) write(tx *cluster.Transaction, found *correlate.Findings) error {
	before := w.Head
	for i := range found.Alerts {
		a := &found.Alerts[i]
		if err := w.add(tx, ledger.Alert, a.Time.Std(), a.AppendJSON(nil)); err != nil {
			return err
		}
	}
	for i := range found.Suppressed {
		s := &found.Suppressed[i]
		if err := w.add(tx, ledger.Suppression, s.Alert.Time.Std(), s.AppendJSON(nil)); err != nil {
			return err
		}
	}
	for i := range found.Effects {
		e := &found.Effects[i]
		body, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("chaining a verdict: %w", err)
		}
		if err := w.add(tx, ledger.Verdict, e.Time.Std(), body); err != nil {
			return err
		}
		if e.Verdict.Kind == correlate.Cut && w.inForce != nil { // what remains must say what is in force
			if err := w.add(tx, ledger.Config, time.UnixMilli(w.SettingsAt), w.inForce); err != nil {
				return err
			}
		}
	}
	for i := range found.Refusals {
		r := &found.Refusals[i]
		body, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("chaining a refusal: %w", err)
		}
		if err := w.add(tx, ledger.Refusal, r.Time.Std(), body); err != nil {
			return err
		}
	}
	if w.Head != before {
		w.writeEnd(tx)
	}
	return nil
}

// add chains one record.
func (w *ledgerWriter) add(tx *cluster.Transaction, kind ledger.Kind, at time.Time, body []byte) error {
	rec, head, err := ledger.Append(w.Head, kind, at, body)
	if err != nil {
		return err
	}
	tx.Add(w.names.Ledger, 0, nil, rec)
	w.Head = head
	w.Tree.Add(rec)
	return nil
}

// writeEnd adds to the transaction, for the state, where the ledger ends now.
func (w *ledgerWriter) writeEnd(tx *cluster.Transaction) {
	value, err := json.Marshal(w.LedgerEnd)
	if err != nil {
		panic(fmt.Sprintf("task: a number and a hash do not marshal: %v", err)) // a mistake in this file
	}
	tx.Add(w.names.Fleet, 0, []byte(topics.LedgerEndKey), value)
}
