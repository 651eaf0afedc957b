package destinations

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/weirhq/weir/alerting"
	slackchannel "github.com/weirhq/weir/alerting/notify/slack"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// ClickPath is where clicks on the buttons of a Slack destination come in:
// /slack/ and the destination's name.
const ClickPath = "/slack/"

// expectedFor is how long a click on Expected holds back; who wants more, or
// wants to give the reason, uses weir expect.
const expectedFor = 24 * time.Hour

// clickLimit bounds the writing of a verdict; Slack waits three seconds.
const clickLimit = 2500 * time.Millisecond

// HandleClicks serves the buttons of every Slack destination that has a signing
// secret. It hands each verdict to write.
func HandleClicks(mux *http.ServeMux, c *config.Config, log *slog.Logger, write func(ctx context.Context, v correlate.Verdict) error) error {
	for i := range c.Alerts.Destinations {
		d := &c.Alerts.Destinations[i]
		if d.Type != config.Slack || !d.SigningSecret.IsSet() {
			continue
		}
		decide := func(ctx context.Context, click slackchannel.Verdict) error {
			ctx, cancel := context.WithTimeout(ctx, clickLimit)
			defer cancel()
			v := verdictOf(&click)
			err := write(ctx, v)
			if err != nil {
				log.Error("a verdict from Slack could not be recorded", "destination", d.Name, "dedup_key", v.DedupKey, "error", err)
			}
			return err
		}
		handler, err := slackchannel.Handler(d.SigningSecret.Reveal(), time.Now, decide)
		if err != nil {
			return c.At(fmt.Sprintf("alerts.destinations[%d].signing_secret", i), err)
		}
		mux.Handle("POST "+ClickPath+d.Name, handler)
	}
	return nil
}

// VerdictWriter returns a function that writes verdicts to the topic of that
// name. One client serves all clicks: opening one for each takes too much of
// Slack's three seconds.
func VerdictWriter(conn *cluster.Connection, name string) func(ctx context.Context, v correlate.Verdict) error {
	verdicts := &topic{conn: conn, name: name}
	return func(ctx context.Context, v correlate.Verdict) error {
		value, err := v.Encode()
		if err != nil {
			return err
		}
		if _, err := verdicts.Produce(ctx, []byte(v.DedupKey), value); err != nil {
			return fmt.Errorf("writing a verdict: %w", err)
		}
		return nil
	}
}

// verdictOf says in weir's terms what somebody has clicked. The id follows from
// the click, so that one that comes twice within its second is one.
func verdictOf(click *slackchannel.Verdict) correlate.Verdict {
	kind := map[slackchannel.Kind]correlate.VerdictKind{
		slackchannel.Acknowledge: correlate.Acknowledged, slackchannel.Expected: correlate.Expected, slackchannel.TruePositive: correlate.Confirmed,
	}[click.Kind]
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%d", kind, click.DedupKey, click.Team, click.Author, click.At.Unix()))
	v := correlate.Verdict{
		ID: hex.EncodeToString(sum[:12]), Time: alerting.Time(click.At.UnixMilli()), Kind: kind, DedupKey: click.DedupKey,
		Author: "slack:" + click.Author, Reason: "button in Slack",
	}
	if click.Name != "" {
		v.Author += " (" + alerting.Printable(click.Name, 100) + ")"
	}
	if kind == correlate.Expected {
		v.Expires = alerting.Time(click.At.Add(expectedFor).UnixMilli())
	}
	return v
}
