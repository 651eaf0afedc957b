// Package teams shows alerts in a channel of Microsoft Teams, by the URL of a
// workflow with the trigger "When a Teams webhook request is received". Each
// alert is an Adaptive Card of its own: a workflow cannot change what it posted.
//
// The workflow answers 202 once it has been started. Whether the card got into
// the channel stands in the workflow's run history only, so a card keeps well
// within what Teams takes: a message of 28 KB, Adaptive Cards up to 1.5.
package teams

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/internal/post"
)

// Options of a Teams destination.
type Options struct {
	Name     string
	URL      string           // of the workflow; whoever knows it can post, so it is never shown
	Location *time.Location   // of the times shown; default UTC
	TLS      *tls.Config      // nil: the system's roots
	Timeout  time.Duration    // of one request; default 10 s
	Now      func() time.Time // wall clock; default time.Now
}

// Teams is one channel.
type Teams struct {
	name   string
	loc    *time.Location
	client *post.Client
}

var _ notify.Parted = (*Teams)(nil)

// NamesRoom is for how many bytes of names a card has room.
func (t *Teams) NamesRoom() int { return 1200 }

// New returns the destination. Its errors do not quote the URL.
func New(o Options) (*Teams, error) {
	client, err := post.New(o.URL, post.Options{TLS: o.TLS, Timeout: o.Timeout, Now: o.Now})
	if err != nil {
		return nil, fmt.Errorf("setting up teams %s: %w", o.Name, err)
	}
	return &Teams{name: o.Name, loc: o.Location, client: client}, nil
}

// Name returns the destination's name.
func (t *Teams) Name() string { return t.name }

// Notify posts the alert as a card.
func (t *Teams) Notify(ctx context.Context, a *alerting.Alert) (retry bool, err error) {
	m := alerting.Compose(a, t.loc)
	return t.post(ctx, func(limit int) *message { return newMessage(a, m, limit) })
}

// Beat posts the heartbeat as a card.
func (t *Teams) Beat(ctx context.Context, h *alerting.Heartbeat) (retry bool, err error) {
	r := h.Report(t.loc)
	return t.post(ctx, func(limit int) *message { return newHeartbeat(h, r, limit) })
}

// post posts what is made of texts of a length that fits.
func (t *Teams) post(ctx context.Context, of func(limit int) *message) (retry bool, err error) {
	retry, err = t.client.Post(ctx, http.Header{"Content-Type": {"application/json"}}, fit(of))
	return retry, explain(err)
}

// explain adds to a refusal what a person can do about it.
func explain(err error) error {
	if err == nil {
		return nil
	}
	for answer, hint := range map[string]string{
		"answered 401": "the url is not the workflow's any more: copy it again",
		"answered 403": "the url is not the workflow's any more: copy it again",
		"answered 404": "the workflow was deleted or is switched off: switch it on, or make a new one",
	} {
		if strings.Contains(err.Error(), answer) {
			return fmt.Errorf("%w; %s", err, hint)
		}
	}
	return err
}
