package topics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// LedgerEndKey is the key in the fleet topic under which correlate keeps where
// the ledger ends. That is written with each record of the ledger, so that
// somebody who cuts the ledger's end off has to forge the state too.
const LedgerEndKey = "ledger"

// LedgerEnd is what correlate knows of the ledger's end.
type LedgerEnd struct {
	Head     ledger.Head `json:"head"`
	Settings string      `json:"settings"` // ledger.SettingsDigest of the settings that were chained last
	Tree     ledger.Tree `json:"tree"`     // tree over the records up to the head
	// SettingsAt is the wall clock at which the settings were chained, Unix ms, and
	// SettingsBy says who ran the process that did it.
	SettingsAt int64  `json:"settings_at,omitempty"`
	SettingsBy string `json:"settings_by,omitempty"`
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

// ReadLedger hands every record of the ledger to fn, in order, and returns the
// end that weir's state knows of; the zero value if it knows none.
func ReadLedger(ctx context.Context, conn *cluster.Connection, names Names, fn func(offset int64, value []byte) error) (known LedgerEnd, err error) {
	// The state first: it must not know of more than is read then.
	if _, err := conn.ReadAll(ctx, names.Fleet, 0, func(r *kgo.Record) error { return known.Load(r.Key, r.Value) }); err != nil {
		return known, fmt.Errorf("reading the state: %w", err)
	}
	return known, EachLink(ctx, conn, names, fn)
}

// ProofBy returns the proof of a cut by what checks a verdict.
func ProofBy(check func(*correlate.Verdict) error) ledger.Proof {
	return func(verdict []byte) error {
		v, err := correlate.DecodeVerdict(verdict)
		if err != nil || check == nil {
			return err
		}
		return check(v)
	}
}

// errEnough ends a reading.
var errEnough = errors.New("enough was read")

// LedgerCut returns where the ledger begins, nil if it has its first record, or if nothing
// that counts tells of those before the first that it has; then why says what does not
// count, if anything tells of them.
func LedgerCut(ctx context.Context, conn *cluster.Connection, names Names, proof ledger.Proof) (cut *ledger.Cut, why, err error) {
	b := ledger.Beginning{Proof: proof}
	err = EachLink(ctx, conn, names, func(_ int64, value []byte) error {
		if b.Add(value) {
			return nil
		}
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, nil, err
	}
	cut, why = b.Cut()
	return cut, why, nil
}

// EachLink hands every record of the ledger to fn, in order. It needs no right but to read
// the ledger.
func EachLink(ctx context.Context, conn *cluster.Connection, names Names, fn func(offset int64, value []byte) error) error {
	if _, err := conn.ReadAll(ctx, names.Ledger, 0, func(r *kgo.Record) error { return fn(r.Offset, r.Value) }); err != nil {
		return fmt.Errorf("reading the ledger: %w", err)
	}
	return nil
}
