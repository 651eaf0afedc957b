// Package alertmanager sends episodes to Prometheus Alertmanager (API v2), whose
// own routing, grouping and silences then apply.
//
// Alertmanager keeps alerts in memory and takes an alert to be over when its
// endsAt has passed. So an open episode is sent again every so often (the
// destination is a notify.Resender), each time with an end that is four
// intervals away. One lost message resolves nothing; when weir is gone for good,
// its alerts end by themselves.
//
// Alertmanager knows an alert by its labels, so a label must not change while an
// episode lives. One label may: the severity, by which people route. When it
// rises, the alert under the milder severity is ended in the same request.
package alertmanager

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/internal/post"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/eventtime"
)

// Options of an Alertmanager destination.
type Options struct {
	Name     string
	URL      string           // where Alertmanager answers, without /api/v2; may hold a secret, never shown
	Username string           // with Password: basic authentication
	Password string           // never shown
	Token    string           // bearer authentication, instead; never shown
	Resend   time.Duration    // how often an open episode is sent again; default DefaultResend
	Location *time.Location   // of the times shown; default UTC
	TLS      *tls.Config      // nil: the system's roots
	Timeout  time.Duration    // of one request; default 10 s
	Now      func() time.Time // wall clock; default time.Now
}

// DefaultResend is how often an open episode is sent again, as Prometheus does.
const DefaultResend = time.Minute

// lives is for how many intervals an alert fires that is not sent again.
const lives = 4

// Alertmanager is one Alertmanager, or one address of a cluster of them.
type Alertmanager struct {
	name   string
	resend time.Duration
	loc    *time.Location
	now    func() time.Time
	header http.Header
	client *post.Client
}

var _ notify.Resender = (*Alertmanager)(nil)

// New returns the destination. Its errors quote neither URL nor secrets.
func New(o Options) (*Alertmanager, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Resend <= 0 {
		o.Resend = DefaultResend
	}
	base, err := post.ParseURL(o.URL)
	if err != nil {
		return nil, fmt.Errorf("setting up alertmanager %s: %w", o.Name, err)
	}
	h := http.Header{"Content-Type": {"application/json"}}
	basic := base64.StdEncoding.EncodeToString([]byte(o.Username + ":" + o.Password))
	switch {
	case o.Token != "":
		h.Set("Authorization", "Bearer "+o.Token)
	case o.Username != "":
		h.Set("Authorization", "Basic "+basic)
	}
	client, err := post.New(base.JoinPath("api/v2/alerts").String(), post.Options{TLS: o.TLS, Timeout: o.Timeout, Now: o.Now, Secrets: []string{o.Password, o.Token, basic}})
	if err != nil {
		return nil, fmt.Errorf("setting up alertmanager %s: %w", o.Name, err)
	}
	return &Alertmanager{name: o.Name, resend: o.Resend, loc: o.Location, now: o.Now, header: h, client: client}, nil
}

// Name returns the destination's name.
func (d *Alertmanager) Name() string { return d.name }

// ResendEvery returns how often an open episode must be sent again.
func (d *Alertmanager) ResendEvery() time.Duration { return d.resend }

// Notify says that the episode fires until a few intervals from now or, for a
// close, that it has ended.
func (d *Alertmanager) Notify(ctx context.Context, a *alerting.Alert) (retry bool, err error) {
	return d.post(ctx, d.alerts(a))
}

// Beat says that weir watches: an alert that fires for as long as it is told again. Who
// routes it to a dead man's switch hears of its absence.
func (d *Alertmanager) Beat(ctx context.Context, h *alerting.Heartbeat) (retry bool, err error) {
	r := h.Report(d.loc)
	out := alert{
		Labels:      map[string]string{"alertname": "weir_heartbeat", "group": label(h.Group), "severity": "none"},
		Annotations: map[string]string{"title": r.Title, "summary": r.Sentence, "next": h.Next.String()},
		StartsAt:    h.Time.String(), EndsAt: d.now().Add(lives * d.resend).UTC().Format(eventtime.Layout),
	}
	annotate(out.Annotations, r.Figures)
	for _, s := range r.Sections {
		annotate(out.Annotations, []alerting.Field{{Name: strings.ReplaceAll(s.Heading, ",", ""), Value: strings.Join(s.Lines, "\n")}})
	}
	return d.post(ctx, []alert{out})
}

func (d *Alertmanager) post(ctx context.Context, list []alert) (retry bool, err error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(list); err != nil {
		return false, fmt.Errorf("encoding an alert: %w", err)
	}
	return d.client.Post(ctx, d.header.Clone(), bytes.TrimRight(b.Bytes(), "\n"))
}

// alert is Alertmanager's postableAlert.
type alert struct {
	Labels       map[string]string `json:"labels"` // encoding/json sorts maps
	Annotations  map[string]string `json:"annotations"`
	StartsAt     string            `json:"startsAt"`
	EndsAt       string            `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// maxLabel bounds the value of a label, in bytes; the annotations carry the whole
// value.
const maxLabel = 512

// alerts returns the alert that fires, or has ended, and an ended one for each
// milder severity.
func (d *Alertmanager) alerts(a *alerting.Alert) []alert {
	now := d.now()
	ends := now.Add(lives * d.resend)
	if a.Status == alerting.Close {
		ends = now
	}
	list := []alert{d.alert(a, a.Severity, ends)}
	for _, s := range []episode.Severity{episode.Low, episode.Medium, episode.High} {
		if s < a.Severity {
			list = append(list, d.alert(a, s, now)) // whether or not it ever fired
		}
	}
	return list
}

// alert returns the alert under one severity; it has annotations only under the
// severity that the episode has now.
func (d *Alertmanager) alert(a *alerting.Alert, s episode.Severity, ends time.Time) alert {
	starts := a.Onset.Std()
	if starts.After(ends) {
		starts = ends
	}
	out := alert{
		Labels: map[string]string{
			"alertname": "weir", "dedup_key": a.DedupKey, "severity": s.String(),
			"dimension": label(a.Dimension), "identity": label(a.Identity),
		},
		Annotations: map[string]string{},
		StartsAt:    starts.UTC().Format(eventtime.Layout), EndsAt: ends.UTC().Format(eventtime.Layout),
	}
	if s != a.Severity {
		return out // it only ends
	}
	m := alerting.Compose(a, d.loc)
	out.Annotations = map[string]string{
		"title": m.Title, "summary": m.Sentence, "through": fields(m.Through), "who": strings.Join(m.Members, "\n"), "new": strings.Join(m.New, "\n"),
		"benign": strings.Join(m.Benign, "\n"), "checks": strings.Join(m.Checks, "\n"),
		"detector": what(a), "campaign": a.Campaign,
	}
	annotate(out.Annotations, m.Figures)
	for _, l := range m.Links {
		out.Annotations[strings.ToLower(l.Name)+"_url"] = l.Value
		if l.Name == "Console" {
			out.GeneratorURL = l.Value
		}
	}
	for name, value := range out.Annotations {
		if value == "" {
			delete(out.Annotations, name)
		}
	}
	return out
}

// annotate adds fields under names that Alertmanager takes.
func annotate(annotations map[string]string, fields []alerting.Field) {
	for _, f := range fields {
		annotations[strings.ReplaceAll(strings.ToLower(f.Name), " ", "_")] = f.Value
	}
}

// what names the detector and the fact or measure, such as "drift: first_touch".
func what(a *alerting.Alert) string {
	word := a.Measure
	if a.Fact != "" {
		word = string(a.Fact)
	}
	return strings.TrimSuffix(alerting.Printable(a.Detector+": "+word, maxLabel), ": ")
}

func label(s string) string { return alerting.Printable(s, maxLabel) }

func fields(list []alerting.Field) string {
	var parts []string
	for _, f := range list {
		parts = append(parts, f.Name+": "+f.Value)
	}
	return strings.Join(parts, "\n")
}
