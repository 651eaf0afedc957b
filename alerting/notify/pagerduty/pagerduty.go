// Package pagerduty makes an incident of an episode by PagerDuty's Events API
// v2: open and update trigger it, close resolves it, all under the episode's
// dedup key, so that one episode is one incident however many messages it has.
//
// PagerDuty answers 202 and {"status": "success", …} for what it took, 400 for what it will never take, and
// 429 or 5xx for what may be sent again; an event is at most 512 KB, its
// summary 1,024 characters.
package pagerduty

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/internal/post"
	"github.com/weirhq/weir/detectors/episode"
)

// DefaultAPI is where events are sent; accounts in the European region have
// https://events.eu.pagerduty.com.
const DefaultAPI = "https://events.pagerduty.com"

// Options of a PagerDuty destination.
type Options struct {
	Name       string
	RoutingKey string           // integration key of a service's "Events API v2" integration, 32 characters; never shown
	API        string           // default DefaultAPI
	Location   *time.Location   // of the times shown; default UTC
	TLS        *tls.Config      // nil: the system's roots
	Timeout    time.Duration    // of one request; default 10 s
	Now        func() time.Time // wall clock; default time.Now
}

// PagerDuty is one service.
type PagerDuty struct {
	name   string
	key    string
	loc    *time.Location
	client *post.Client // sends events
	change *post.Client // sends change events
}

var _ notify.Destination = (*PagerDuty)(nil)

// routingKey is the length of a routing key.
const routingKey = 32

// New returns the destination. Its errors quote neither URL nor key.
func New(o Options) (*PagerDuty, error) {
	if err := CheckRoutingKey(o.RoutingKey); err != nil {
		return nil, fmt.Errorf("setting up pagerduty %s: %w", o.Name, err)
	}
	if o.API == "" {
		o.API = DefaultAPI
	}
	base, err := post.ParseURL(o.API)
	if err != nil {
		return nil, fmt.Errorf("setting up pagerduty %s: %w", o.Name, err)
	}
	client := func(path string) (*post.Client, error) {
		return post.New(base.JoinPath(path).String(), post.Options{TLS: o.TLS, Timeout: o.Timeout, Now: o.Now, Secrets: []string{o.RoutingKey}})
	}
	p := &PagerDuty{name: o.Name, key: o.RoutingKey, loc: o.Location}
	if p.client, err = client("v2/enqueue"); err == nil {
		p.change, err = client("v2/change/enqueue")
	}
	if err != nil {
		return nil, fmt.Errorf("setting up pagerduty %s: %w", o.Name, err)
	}
	return p, nil
}

// CheckRoutingKey reports what is wrong with the form of a routing key. The
// error does not quote it.
func CheckRoutingKey(key string) error {
	if len(key) != routingKey || strings.IndexFunc(key, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) >= 0 {
		return errors.New("reading the routing key: it is not 32 letters and digits; copy the integration key of the service's Events API v2 integration")
	}
	return nil
}

// Name returns the destination's name.
func (p *PagerDuty) Name() string { return p.name }

// Notify triggers or resolves the episode's incident.
func (p *PagerDuty) Notify(ctx context.Context, a *alerting.Alert) (retry bool, err error) {
	return p.send(ctx, p.client, p.event(a))
}

// Acknowledge tells PagerDuty that somebody works on the episode, so that nobody
// else is called. Its results mean what those of Notify do.
func (p *PagerDuty) Acknowledge(ctx context.Context, dedupKey string) (retry bool, err error) {
	return p.send(ctx, p.client, &event{RoutingKey: p.key, Action: "acknowledge", DedupKey: dedupKey})
}

// send posts an event, or a change event.
func (p *PagerDuty) send(ctx context.Context, client *post.Client, e any) (retry bool, err error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return false, fmt.Errorf("encoding an event: %w", err)
	}
	body, retry, err := client.Exchange(ctx, http.Header{"Content-Type": {"application/json"}}, bytes.TrimRight(b.Bytes(), "\n"))
	if err != nil {
		return retry, err
	}
	var answer struct{ Status string }
	if err := json.Unmarshal(body, &answer); err != nil || answer.Status != "success" {
		return true, client.NotOf("PagerDuty", body)
	}
	return false, nil
}

// What PagerDuty takes at most, in characters.
const (
	maxSummary = 1024
	maxSource  = 255
)

type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Client     string   `json:"client,omitempty"`
	ClientURL  string   `json:"client_url,omitempty"`
	Payload    *payload `json:"payload,omitempty"`
	Links      []link   `json:"links,omitempty"`
}

type payload struct {
	Summary   string   `json:"summary"`
	Source    string   `json:"source"`
	Severity  string   `json:"severity"`
	Timestamp string   `json:"timestamp"`
	Component string   `json:"component"`
	Group     string   `json:"group,omitempty"`
	Class     string   `json:"class"`
	Details   *details `json:"custom_details"`
}

type link struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// details is shown as a table, with its rows in this order.
type details struct {
	Summary  string            `json:"summary"`
	Facts    map[string]string `json:"figures"`
	Through  map[string]string `json:"through_what,omitempty"`
	Members  []string          `json:"who,omitempty"`
	New      []string          `json:"new,omitempty"`
	Benign   []string          `json:"why_it_may_be_harmless,omitempty"`
	Checks   []string          `json:"check_first,omitempty"`
	Campaign string            `json:"campaign,omitempty"`
	Key      string            `json:"dedup_key"`
}

var severities = map[episode.Severity]string{
	episode.Critical: "critical", episode.High: "error", episode.Medium: "warning", episode.Low: "info",
}

func (p *PagerDuty) event(a *alerting.Alert) *event {
	e := &event{RoutingKey: p.key, Action: "trigger", DedupKey: a.DedupKey}
	if a.Status == alerting.Close {
		e.Action = "resolve"
	}
	m := alerting.Compose(a, p.loc)
	e.Client = "weir"
	for _, l := range m.Links {
		e.Links = append(e.Links, link{Href: l.Value, Text: l.Name})
		if l.Name == "Console" {
			e.ClientURL = l.Value
		}
	}
	e.Payload = &payload{
		Summary: alerting.Clip(m.Sentence, maxSummary), Source: alerting.Clip("weir: "+m.Title, maxSource),
		Severity: severities[a.Severity], Timestamp: a.Time.String(),
		Component: alerting.Clip(alerting.Printable(a.Dimension+" "+a.Identity, 2*maxSource), maxSource), Group: a.Campaign, Class: alerting.Clip(alerting.Printable(a.RestsOn(), maxSource), maxSource),
		Details: &details{
			Summary: m.Sentence, Facts: table(m.Figures), Through: table(m.Through), Members: m.Members, New: m.New,
			Benign: m.Benign, Checks: m.Checks, Campaign: a.Campaign, Key: a.DedupKey,
		},
	}
	return e
}

// table returns fields as a map; encoding/json sorts its rows by name.
func table(fields []alerting.Field) map[string]string {
	if len(fields) == 0 {
		return nil
	}
	t := make(map[string]string, len(fields))
	for _, f := range fields {
		t[f.Name] = f.Value
	}
	return t
}
