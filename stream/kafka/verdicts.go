package kafka

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/stream/correlate"
)

// AppendVerdict writes what a person says to weir.verdicts. It returns once
// the verdict is there to stay; when it takes effect, correlate says.
func AppendVerdict(ctx context.Context, conn *Connection, topics Topics, verdicts ...correlate.Verdict) error {
	cl, err := conn.client()
	if err != nil {
		return err
	}
	defer cl.Close()
	records := make([]*kgo.Record, len(verdicts))
	for i := range verdicts {
		value, err := verdicts[i].Encode()
		if err != nil {
			return err
		}
		records[i] = &kgo.Record{Topic: topics.Verdicts, Key: []byte(verdicts[i].DedupKey), Value: value}
	}
	if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("writing a verdict: %w", Explain(err))
	}
	return nil
}

// AlertsOf returns every alert of the episodes or campaigns of the given keys,
// oldest first: those that were told, and those that were held back.
func AlertsOf(ctx context.Context, conn *Connection, topics Topics, keys ...string) (map[string][]*alerting.Alert, error) {
	out := map[string][]*alerting.Alert{}
	for _, key := range keys {
		out[key] = nil
	}
	alerts, err := Alerts(ctx, conn, topics, func(a *alerting.Alert) bool { _, wanted := out[a.DedupKey]; return wanted })
	for _, a := range alerts {
		out[a.DedupKey] = append(out[a.DedupKey], a)
	}
	return out, err
}

// Alerts returns every alert that is wanted, oldest first: those that were told
// and those that were held back.
func Alerts(ctx context.Context, conn *Connection, topics Topics, wanted func(*alerting.Alert) bool) ([]*alerting.Alert, error) {
	var out []*alerting.Alert
	take := func(value []byte) error {
		a, err := alerting.ParseAlert(value)
		if err == nil && wanted(a) {
			out = append(out, a)
		}
		return err
	}
	_, err := conn.readAll(ctx, topics.Suppressed, 0, func(r *kgo.Record) error {
		var held struct {
			Alert json.RawMessage `json:"alert"`
		}
		if err := json.Unmarshal(r.Value, &held); err != nil {
			return fmt.Errorf("reading an alert that was held back: %w", err)
		}
		return take(held.Alert)
	})
	if err == nil {
		_, err = conn.readAll(ctx, topics.Alerts, 0, func(r *kgo.Record) error { return take(r.Value) })
	}
	if err != nil {
		return nil, fmt.Errorf("looking for alerts: %w", err)
	}
	slices.SortStableFunc(out, func(a, b *alerting.Alert) int { return cmp.Compare(a.Time, b.Time) })
	return out, nil
}
