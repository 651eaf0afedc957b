// Package webhook delivers alerts to any HTTP endpoint, signed after Standard
// Webhooks (https://www.standardwebhooks.com), so that a receiver can tell
// weir's messages from forged ones and drop repeats.
//
// The body is the alert's JSON. The header webhook-id is the alert's message
// id, the same on every attempt; webhook-timestamp is the time of the attempt;
// webhook-signature is "v1," and the base64 of an HMAC-SHA256 over
// "id.timestamp.body" under the secret. The secret is symmetric: who can check
// messages can make them.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/internal/post"
)

// Options of a webhook.
type Options struct {
	Name    string           // of the destination
	URL     string           // http or https; may hold a secret, never shown
	Secret  string           // "whsec_" and the base64 of 24 to 64 random bytes
	TLS     *tls.Config      // nil: the system's roots
	Timeout time.Duration    // of one attempt; default 10 s
	Now     func() time.Time // wall clock; default time.Now
}

// Webhook is one endpoint.
type Webhook struct {
	name   string
	key    []byte
	client *post.Client
	now    func() time.Time
}

var _ notify.Destination = (*Webhook)(nil)

// New returns the webhook. Its errors quote neither URL nor secret.
func New(o Options) (*Webhook, error) {
	key, err := ParseSecret(o.Secret)
	if err != nil {
		return nil, fmt.Errorf("setting up webhook %s: %w", o.Name, err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	client, err := post.New(o.URL, post.Options{TLS: o.TLS, Timeout: o.Timeout, Now: o.Now})
	if err != nil {
		return nil, fmt.Errorf("setting up webhook %s: %w", o.Name, err)
	}
	return &Webhook{name: o.Name, key: key, client: client, now: o.Now}, nil
}

// Name returns the destination's name.
func (w *Webhook) Name() string { return w.name }

// Notify posts the alert once.
func (w *Webhook) Notify(ctx context.Context, a *alerting.Alert) (retry bool, err error) {
	return w.Send(ctx, a.MessageID(), a.AppendJSON(nil))
}

// Beat posts the heartbeat once. Its key type tells it from an alert.
func (w *Webhook) Beat(ctx context.Context, h *alerting.Heartbeat) (retry bool, err error) {
	return w.Send(ctx, h.MessageID(), h.AppendJSON(nil))
}

// Send posts a body of JSON once, signed in the same way. The id is the same
// whenever the same message is sent again.
func (w *Webhook) Send(ctx context.Context, id string, body []byte) (retry bool, err error) {
	at := w.now()
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("Webhook-Signature", sign(w.key, id, at, body))
	return w.client.Post(ctx, h, body)
}

// The sizes of a key in bytes that Standard Webhooks allows.
const (
	minKey = 24
	maxKey = 64
)

const secretPrefix = "whsec_"

// ParseSecret reads a secret of the form "whsec_" and base64 and returns the
// key in it. The error does not quote the secret.
func ParseSecret(secret string) ([]byte, error) {
	const form = `want "whsec_" and the base64 of 24 to 64 random bytes (make one with: echo whsec_$(openssl rand -base64 32))`
	text, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		return nil, errors.New("reading the secret: it does not begin with whsec_; " + form)
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("reading the secret: what follows whsec_ is not base64; " + form)
	}
	if len(key) < minKey || len(key) > maxKey {
		return nil, fmt.Errorf("reading the secret: it holds %d bytes; %s", len(key), form)
	}
	return key, nil
}

// sign returns the value of webhook-signature.
func sign(key []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.", id, at.Unix())
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
