package destinations

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
	slackchannel "github.com/weirhq/weir/alerting/notify/slack"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/deliver"
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
// secret. Slack has authenticated who clicks; those who are on the destination's list
// of users may judge, and who was asked may answer. A click of anybody else is written
// too, without a signature, so that correlate refuses it and people are alerted of it.
func HandleClicks(mux *http.ServeMux, c *config.Config, log *slog.Logger, a *authority.Authority, write authority.Writer) error {
	for i := range c.Alerts.Destinations {
		d := &c.Alerts.Destinations[i]
		if d.Type != config.Slack || !d.SigningSecret.IsSet() {
			continue
		}
		decide := func(ctx context.Context, click slackchannel.Verdict) (said string, err error) {
			ctx, cancel := context.WithTimeout(ctx, clickLimit)
			defer cancel()
			proof, counts := a.Vouch("slack"), slices.Contains(d.Users, click.Author)
			if click.Addressee != "" {
				counts = click.Author == click.Addressee && d.Name == c.Ask.Through
			}
			if !counts {
				proof = authority.Unproven("slack")
				log.Warn("somebody clicked who may not", "destination", d.Name, "user", click.Author, "dedup_key", click.DedupKey)
			}
			written, err := authority.Submit(ctx, write, verdictOf(&click), authority.By{Author: click.Author, Proof: proof})
			switch {
			case err != nil:
				log.Error("a verdict from Slack could not be recorded", "destination", d.Name, "dedup_key", click.DedupKey, "error", err)
				return "", err
			case click.Addressee != "" && !counts:
				return "", nil // the buttons stay for who was asked
			case click.Addressee != "":
				return answered(&click), nil
			case !counts:
				return fmt.Sprintf("⛔ A click of %s does not count: users of the destination does not list %s.", nameOf(&click), click.Author), nil
			}
			return deliver.Confirming(&written, c.Time.Tick), nil
		}
		handler, err := slackchannel.Handler(d.SigningSecret.Reveal(), d.API, time.Now, decide)
		if err != nil {
			return c.At(fmt.Sprintf("alerts.destinations[%d].signing_secret", i), err)
		}
		mux.Handle("POST "+ClickPath+d.Name, handler)
	}
	return nil
}

// answered is what a question shows of an answer. Whether it was asked, and is answered in
// time, correlate decides.
func answered(click *slackchannel.Verdict) string {
	switch {
	case click.At.After(click.Until):
		return "⌛ The time to answer is over. Please tell your security team."
	case click.Kind == slackchannel.No:
		return "Your answer was recorded: no. Your security team is told."
	}
	return "Your answer was recorded: yes. Thank you."
}

// nameOf returns how somebody who clicks is called.
func nameOf(click *slackchannel.Verdict) string {
	return alerting.Printable(cmp.Or(click.Name, click.Author), 100)
}

// VerdictWriter returns what writes verdicts to the topic of that name. One client
// serves all clicks: opening one for each takes too much of Slack's three seconds.
func VerdictWriter(conn *cluster.Connection, name string) authority.Writer {
	verdicts := &topic{conn: conn, name: name}
	return func(ctx context.Context, key, value []byte) error {
		_, err := verdicts.Produce(ctx, key, value)
		return err
	}
}

// verdictOf says in weir's terms what somebody has clicked. The id follows from
// the click, so that one that is sent twice is one.
func verdictOf(click *slackchannel.Verdict) correlate.Verdict {
	kind := map[slackchannel.Kind]correlate.VerdictKind{
		slackchannel.Acknowledge: correlate.Acknowledged, slackchannel.Expected: correlate.Expected, slackchannel.TruePositive: correlate.Confirmed,
		slackchannel.Take: correlate.Assigned, slackchannel.Release: correlate.Released,
		slackchannel.Yes: correlate.Affirmed, slackchannel.No: correlate.Denied,
	}[click.Kind]
	sum := sha256.Sum256([]byte(click.Click))
	v := correlate.Verdict{
		ID: hex.EncodeToString(sum[:12]), Time: alerting.Time(click.At.UnixMilli()), Kind: kind, DedupKey: click.DedupKey,
		Reason: "button in Slack",
	}
	if click.Addressee != "" {
		v.Reason = cmp.Or(alerting.Printable(click.Reason, 1000), "no reason was given")
	}
	if click.Name != "" {
		v.Reason += ", by " + alerting.Printable(click.Name, 100)
	}
	if kind == correlate.Expected {
		v.Expires = alerting.Time(click.At.Add(expectedFor).UnixMilli())
	}
	return v
}
