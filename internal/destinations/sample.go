package destinations

import (
	"context"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/episode"
)

// Tested is what came of a sample; weir notify test -o json writes it as one JSON
// object.
type Tested struct {
	Destination string         `json:"destination"`
	Type        string         `json:"type"`
	Outcome     notify.Outcome `json:"outcome"`
	Reason      string         `json:"reason,omitempty"` // what the receiver said
	Retried     bool           `json:"would_be_retried"` // by weir run
	Closed      bool           `json:"closed"`           // the receiver was told that it is over
	Millis      int64          `json:"millis"`           // how long it took
	DedupKey    string         `json:"dedup_key"`
}

// Test sends a sample of a severity to a destination, in one attempt whatever its
// routes and hold are. Unless keep is set, it then tells the receiver that the
// sample is over. The error is of ctx; what the receiver refuses stands in the
// result.
func Test(ctx context.Context, c *config.Config, d *config.Destination, env Env, severity episode.Severity, keep bool) (*Tested, error) {
	dest, err := New(c, d, env)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	a := sample(c, d.Name, severity, began)
	deliverer := notify.NewDeliverer(dest, notify.Policy{
		Timeout: d.Timeout, MaxAttempts: 1, PerMinute: -1,
		Prepare: alerting.Preparer(alerting.LinkTemplates(c.Alerts.Links)),
	}, notify.Env{})
	result, err := deliverer.Deliver(ctx, &notify.Message{Alert: a, Raised: began})
	if err != nil {
		return nil, err
	}
	t := &Tested{
		Destination: d.Name, Type: d.Type, Outcome: result.Outcome, Reason: strings.TrimPrefix(result.Reason, "no attempts left; the last attempt: "),
		Retried: result.Outcome == notify.GivenUp, DedupKey: a.DedupKey,
	}
	if result.Outcome == notify.Delivered && !keep {
		over := *a
		over.Status, over.Time = alerting.Close, a.Time+1
		over.Summary = "Over: this was a test of weir; nothing has happened."
		end, err := deliverer.Deliver(ctx, &notify.Message{Alert: &over, Raised: began, Reference: result.Reference})
		if err != nil {
			return nil, err
		}
		t.Closed = end.Outcome == notify.Delivered
		t.Outcome, t.Reason = end.Outcome, end.Reason
	}
	t.Millis = time.Since(began).Milliseconds()
	return t, nil
}

// sample is an alert that says everywhere that it is none.
func sample(c *config.Config, name string, severity episode.Severity, now time.Time) *alerting.Alert {
	at := alerting.Time(now.UnixMilli())
	bin := at - at%3600_000
	a := &alerting.Alert{
		Schema: alerting.Schema, DedupKey: alerting.DedupKey("test", name, int64(at)), Status: alerting.Open, Time: at, Onset: bin - 3600_000,
		Kind: alerting.Statistical, Dimension: "user", Identity: "weir-notify-test", Detector: "test", Measure: "distinct",
		Severity: severity, Confidence: episode.Possible, Observed: 120, Expected: 12,
		Exposed: alerting.Exposed{Records: 240, Low: 240, High: 240, Since: bin - 3600_000},
		Benign:  []string{"It is a test, sent by weir notify test."},
		Checks:  []string{"Nothing: see only that it came, and that it is readable."},
		Evidence: alerting.Evidence{
			Bin: bin, BinWidth: "1h0m0s", Until: at, Group: "volume", LogValue: 7, Threshold: 6, Budget: float64(c.Alerts.Budget), Measures: []alerting.MeasureEvidence{},
		},
	}
	a.Summary = "This is a test of weir; nothing has happened. An alert would read: " + alerting.Summarize(a, c.Time.Zone)
	return a
}
