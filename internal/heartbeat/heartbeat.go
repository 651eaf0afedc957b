// Package heartbeat finds out what a heartbeat says: how the deployment is, what came in,
// what was told and held back since the last one, and what is expected until when. All of
// it is read from Kafka, so that any process which serves a destination can say it.
package heartbeat

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/status"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Compose returns what there is to say of the time since.
func Compose(ctx context.Context, conn *cluster.Connection, c *config.Config, since time.Time) (*alerting.Heartbeat, error) {
	s, err := status.Read(ctx, conn, c)
	if err != nil {
		return nil, err
	}
	r := &reader{conn: conn, names: topics.Named(c.TopicPrefix), since: since, h: fromStatus(s)}
	r.h.Expected = declared(c, time.Now())
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return r.readEvents(ctx, s) }, r.readAlerts, r.readHeld, r.readRefused, r.readFleet,
	} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("reading what there is to say: %w", err)
		}
	}
	return r.h, nil
}

// fromStatus returns a heartbeat with what a status says.
func fromStatus(s *status.Status) *alerting.Heartbeat {
	h := &alerting.Heartbeat{Faults: s.Faults, Open: int64(s.Episodes.Open), Reached: s.Reached()}
	for i := range s.Sources {
		h.Waiting += s.Sources[i].Waiting
		for _, reject := range s.Sources[i].Rejected {
			h.Rejected += reject.Count
		}
	}
	for i := range s.Dimensions {
		d := &s.Dimensions[i]
		for g := range score.NumGroups {
			name := g.String()
			if nats, ok := d.Thresholds[name]; ok {
				h.Thresholds = append(h.Thresholds, alerting.Limit{Dimension: d.Name, Group: name, Nats: nats})
			}
		}
	}
	return h
}

// declared lists what the configuration expects and has not expired.
func declared(c *config.Config, now time.Time) (out []alerting.Awaits) {
	for i := range c.Expected {
		x := &c.Expected[i]
		if until := x.Expires.In(c.Time.Zone); until.After(now) {
			out = append(out, alerting.Awaits{
				By: string(correlate.ByConfig), Name: x.Name, What: x.Dimension + " " + x.Identity, Owner: x.Owner, Reason: x.Reason,
				Until: alerting.Time(until.UnixMilli()),
			})
		}
	}
	return out
}

// reader fills in a heartbeat.
type reader struct {
	conn  *cluster.Connection
	names topics.Names
	since time.Time
	h     *alerting.Heartbeat
}

// readEvents counts what came on the sources, less what is not read yet.
func (r *reader) readEvents(ctx context.Context, s *status.Status) error {
	var names []string
	for i := range s.Sources {
		if s.Sources[i].Partitions > 0 {
			names = append(names, s.Sources[i].Topic)
		}
	}
	if len(names) == 0 {
		return nil
	}
	spans, err := cluster.Spans(ctx, r.conn, names, r.since.UnixMilli())
	if err != nil {
		return err
	}
	for i := range spans {
		r.h.Events += spans[i].End - spans[i].Next
	}
	r.h.Events = max(r.h.Events-r.h.Waiting, 0)
	return nil
}

func (r *reader) readAlerts(ctx context.Context) error {
	opened := map[string]bool{} // one may end and open again
	return cluster.ReadSince(ctx, r.conn, r.names.Alerts, r.since, func(rec *kgo.Record) {
		a, err := alerting.ParseAlert(rec.Value)
		if err != nil {
			return // not weir's
		}
		r.h.Messages++
		if a.Status == alerting.Open && !opened[a.DedupKey] {
			opened[a.DedupKey] = true
			r.h.Opened++
		}
	})
}

// readHeld counts what was held back, by what held it, most first.
func (r *reader) readHeld(ctx context.Context) error {
	by := map[alerting.Held]int64{}
	err := cluster.ReadSince(ctx, r.conn, r.names.Suppressed, r.since, func(rec *kgo.Record) {
		s, err := correlate.DecodeSuppressed(rec.Value)
		if err != nil {
			return // not weir's
		}
		of := alerting.Held{By: string(s.By.Kind)}
		if s.By.Kind != correlate.ByCampaign {
			of.Name, of.Owner = s.By.Name, s.By.Owner
		}
		by[of]++
	})
	for of, n := range by {
		of.Alerts = n
		r.h.Held = append(r.h.Held, of)
	}
	slices.SortFunc(r.h.Held, func(a, b alerting.Held) int {
		return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(a.By, b.By), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Owner, b.Owner))
	})
	return err
}

// readRefused counts the verdicts that were refused.
func (r *reader) readRefused(ctx context.Context) error {
	return cluster.ReadSince(ctx, r.conn, r.names.Ledger, r.since, func(rec *kgo.Record) {
		var link struct{ Kind ledger.Kind }
		if json.Unmarshal(rec.Value, &link) == nil && link.Kind == ledger.Refusal {
			r.h.Refused++
		}
	})
}

// readFleet reads what verdicts hold back, and since when the settings are in force.
func (r *reader) readFleet(ctx context.Context) error {
	var expected []correlate.ExpectedIdentity
	var end topics.LedgerEnd
	_, err := r.conn.ReadAll(ctx, r.names.Fleet, 0, func(rec *kgo.Record) (err error) {
		if string(rec.Key) == correlate.VerdictsKey {
			expected, err = correlate.ExpectedByVerdict(rec.Value)
		}
		return cmp.Or(err, end.Load(rec.Key, rec.Value))
	})
	if end.SettingsAt != 0 {
		r.h.Settings = &alerting.InForce{Since: alerting.Time(end.SettingsAt), By: end.SettingsBy}
	}
	for i := range expected {
		x := &expected[i]
		r.h.Expected = append(r.h.Expected, alerting.Awaits{
			By: string(correlate.ByVerdict), Name: x.Verdict.ID, What: x.ID.Dimension + " " + x.ID.Identity,
			Owner: x.Verdict.Author, Reason: x.Verdict.Reason, Until: x.Verdict.Expires,
		})
	}
	return err
}
