package task

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// InForce are the settings that a process brings into force.
type InForce struct {
	// JSON is the configuration, without secrets; nil: it is not chained.
	JSON []byte
	// By says who runs the process, as far as it knows: a text by a name, for people.
	By map[string]string
}

// ByRunner is the key of InForce.By under which it says who runs the process.
const ByRunner = "run_by"

// bringIntoForce chains the settings if they are not those that were chained last, and has
// people be alerted of what has changed. That the state has gone is a change too: who throws
// it away on the day of a theft begins anew with the theft as what is usual.
func (r *correlateRun) bringIntoForce(ctx context.Context) error {
	w := &r.ledger
	digest := ledger.SettingsDigest(r.Settings.JSON)
	if r.Settings.JSON == nil || digest == w.Settings {
		return nil
	}
	before, err := r.chainedSettings(ctx)
	if err != nil {
		return err
	}
	forgotten := before != nil && w.Settings == "" // the ledger outlived the state
	tx, now := cluster.Transaction{Client: r.client}, time.Now()
	w.Settings, w.SettingsAt, w.SettingsBy = digest, now.UnixMilli(), r.Settings.By[ByRunner]
	if err := w.add(&tx, ledger.Config, now, r.Settings.JSON); err != nil {
		return err
	}
	w.writeEnd(&tx)
	changed := ledger.Changes(before, r.Settings.JSON)
	if forgotten {
		changed = slices.Insert(changed, 0, "all that weir had learned is gone (weir reset, or its topics were deleted)")
	}
	if len(changed) > 0 {
		detail := map[string]string{"changed": alerting.Printable(strings.Join(changed, "; "), maxChanged)}
		maps.Copy(detail, r.Settings.By)
		kept := r.correlate.Notify(&correlate.Notice{
			ID:   episode.ID{Dimension: alerting.SettingsDimension, Identity: r.Group + " " + digest[:8]},
			Fact: fact.SettingsChanged, Detail: detail,
		})
		tx.Add(r.Topics.Fleet, 0, kept.Key, kept.Value)
		r.Log.Warn("the settings have changed", "changed", detail["changed"])
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("writing the settings in force to the ledger: %w", err)
	}
	return nil
}

// maxChanged bounds what an alert says of a change of the settings, in bytes. The ledger
// has the settings before and after.
const maxChanged = 4000

// chainedSettings returns the settings that were chained last, nil if none were.
func (r *correlateRun) chainedSettings(ctx context.Context) (last []byte, err error) {
	_, err = r.Conn.ReadAll(ctx, r.Topics.Ledger, 0, func(rec *kgo.Record) error {
		var link struct {
			Kind ledger.Kind
			Body json.RawMessage
		}
		if json.Unmarshal(rec.Value, &link) == nil && link.Kind == ledger.Config {
			last = bytes.Clone(link.Body)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for the settings in the ledger: %w", err)
	}
	return last, nil
}
