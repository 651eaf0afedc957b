package topics

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// ReadSuppressed hands every alert that nobody was sent to fn, oldest first.
func ReadSuppressed(ctx context.Context, conn *cluster.Connection, names Names, fn func(*correlate.Suppressed) error) error {
	_, err := conn.ReadAll(ctx, names.Suppressed, 0, func(r *kgo.Record) error {
		s, err := correlate.DecodeSuppressed(r.Value)
		if err != nil {
			return fmt.Errorf("%s offset %d: %w", r.Topic, r.Offset, err)
		}
		return fn(s)
	})
	if err != nil {
		return fmt.Errorf("reading what was suppressed: %w", err)
	}
	return nil
}

// AlertsOf returns every alert of the episodes or campaigns of the given keys,
// oldest first: those that were sent, and those that were held back.
func AlertsOf(ctx context.Context, conn *cluster.Connection, names Names, keys ...string) (map[string][]*alerting.Alert, error) {
	out := map[string][]*alerting.Alert{}
	for _, key := range keys {
		out[key] = nil
	}
	alerts, err := Alerts(ctx, conn, names, func(a *alerting.Alert) bool { _, wanted := out[a.DedupKey]; return wanted })
	for _, a := range alerts {
		out[a.DedupKey] = append(out[a.DedupKey], a)
	}
	return out, err
}

// Alerts returns every alert that is wanted, oldest first: those that were sent
// and those that were held back.
func Alerts(ctx context.Context, conn *cluster.Connection, names Names, wanted func(*alerting.Alert) bool) ([]*alerting.Alert, error) {
	var out []*alerting.Alert
	take := func(value []byte) error {
		a, err := alerting.ParseAlert(value)
		if err == nil && wanted(a) {
			out = append(out, a)
		}
		return err
	}
	_, err := conn.ReadAll(ctx, names.Suppressed, 0, func(r *kgo.Record) error {
		var held struct {
			Alert json.RawMessage `json:"alert"`
		}
		if err := json.Unmarshal(r.Value, &held); err != nil {
			return fmt.Errorf("reading an alert that was held back: %w", err)
		}
		return take(held.Alert)
	})
	if err == nil {
		_, err = conn.ReadAll(ctx, names.Alerts, 0, func(r *kgo.Record) error { return take(r.Value) })
	}
	if err != nil {
		return nil, fmt.Errorf("looking for alerts: %w", err)
	}
	slices.SortStableFunc(out, func(a, b *alerting.Alert) int { return cmp.Compare(a.Time, b.Time) })
	return out, nil
}
