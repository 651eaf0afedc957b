// Package slack shows episodes in a Slack channel.
//
// With a bot token an episode is one message, which is kept up to date in place
// (chat.postMessage, then chat.update). Each update is also a reply in the thread
// under the message, and so is what the first message says of whom it stands for,
// since an update shows others in its place; a rise of the severity is shown in the
// channel too. An incoming webhook cannot change what it posted, so each alert is a
// message.
//
// Slack takes one message a second for each channel and answers 429 with
// Retry-After beyond that. A bot's refusals come with status 200 and a word in
// the body, by which this package classifies them. A message that was deleted is
// posted anew. Handler takes the clicks on a message's buttons.
package slack

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

// DefaultAPI is where the Web API answers.
const DefaultAPI = "https://slack.com/api"

// Options of a Slack destination. Either WebhookURL, or Token and Channel.
type Options struct {
	Name       string
	WebhookURL string           // of an incoming webhook; a secret, never shown
	Token      string           // of a bot with the scope chat:write; never shown
	Channel    string           // its id (C024BE91L), or name where the bot may look that up
	API        string           // default DefaultAPI; another one for a fake
	Buttons    bool             // show the buttons that Handler answers
	Location   *time.Location   // of the times shown; default UTC
	TLS        *tls.Config      // nil: the system's roots
	Timeout    time.Duration    // of one request; default 10 s
	Now        func() time.Time // wall clock; default time.Now
}

// Slack is one channel.
type Slack struct {
	name    string
	channel string
	token   string
	buttons bool
	loc     *time.Location

	webhook *post.Client // of an incoming webhook; nil with a bot token
	post    *post.Client // chat.postMessage; nil with an incoming webhook
	update  *post.Client // chat.update; nil with an incoming webhook
}

var (
	_ notify.Annotator = (*Slack)(nil)
	_ notify.Parted    = (*Slack)(nil)
)

// New returns the destination. Its errors quote neither URL nor token.
func New(o Options) (*Slack, error) {
	s := &Slack{name: o.Name, channel: o.Channel, token: o.Token, buttons: o.Buttons, loc: o.Location}
	if err := s.open(&o); err != nil {
		return nil, fmt.Errorf("setting up slack %s: %w", o.Name, err)
	}
	return s, nil
}

func (s *Slack) open(o *Options) (err error) {
	p := post.Options{TLS: o.TLS, Timeout: o.Timeout, Now: o.Now, Secrets: []string{o.Token}}
	switch {
	case (o.WebhookURL == "") == (o.Token == ""):
		return errors.New("it needs either the url of an incoming webhook, or a bot's token and a channel")
	case o.WebhookURL != "":
		s.webhook, err = post.New(o.WebhookURL, p)
		return err
	case o.Channel == "":
		return errors.New("a bot's token needs a channel to post to, such as C024BE91L")
	case strings.ContainsAny(o.Token, " \t\r\n"):
		return errors.New("the token has white space in it")
	}
	if o.API == "" {
		o.API = DefaultAPI
	}
	base, err := post.ParseURL(o.API)
	if err != nil {
		return err
	}
	if s.post, err = post.New(base.JoinPath("chat.postMessage").String(), p); err != nil {
		return err
	}
	s.update, err = post.New(base.JoinPath("chat.update").String(), p)
	return err
}

// Name returns the destination's name.
func (s *Slack) Name() string { return s.name }

// Notify shows the alert as a message of its own.
func (s *Slack) Notify(ctx context.Context, a *alerting.Alert) (retry bool, err error) {
	_, retry, err = s.Upsert(ctx, a, "")
	return retry, err
}

// Upsert shows the alert in the episode's message, which it posts if there is none
// yet.
func (s *Slack) Upsert(ctx context.Context, a *alerting.Alert, reference string) (kept string, retry bool, err error) {
	c := alerting.Compose(a, s.loc)
	m := s.message(a, c)
	if s.webhook != nil {
		retry, err = s.postToWebhook(ctx, m)
		return "", retry, err
	}
	reply := &message{Text: m.Text, Unfurl: new(false), UnfurlMedia: new(false), Blocks: append(m.Blocks[1:2:2], who(c)...)} // the sentence, and who
	ref, ok := parseReference(reference)
	if !ok {
		return s.begin(ctx, a, m, reply)
	}
	m.Channel, m.TS = ref.channel, ref.ts
	if _, retry, err = s.call(ctx, s.update, m); err != nil {
		if errors.Is(err, errGone) {
			return s.begin(ctx, a, m, reply)
		}
		return reference, retry, err
	}
	reply.Channel, reply.ThreadTS = ref.channel, ref.ts
	reply.Broadcast = a.Status != alerting.Close && a.Severity > ref.severity
	if _, retry, err = s.call(ctx, s.post, reply); err != nil {
		return reference, retry, err
	}
	ref.severity = a.Severity
	return ref.String(), false, nil
}

// Annotate shows the alert in the episode's message with a line under it, where a click
// on a button leaves its own.
func (s *Slack) Annotate(ctx context.Context, a *alerting.Alert, reference, line string) (retry bool, err error) {
	ref, ok := parseReference(reference)
	if s.update == nil || !ok {
		return false, nil
	}
	m := s.message(a, alerting.Compose(a, s.loc))
	m.Channel, m.TS = ref.channel, ref.ts
	if line != "" {
		m.Blocks = append(m.Blocks, lineBlock(line))
	}
	_, retry, err = s.call(ctx, s.update, m)
	if errors.Is(err, errGone) {
		return false, nil
	}
	return retry, err
}

// NamesRoom is for how many bytes of names a message has room.
func (s *Slack) NamesRoom() int { return namesRoom }

// postToWebhook posts the message to the incoming webhook, which answers "ok" once
// it has the message.
func (s *Slack) postToWebhook(ctx context.Context, m *message) (retry bool, err error) {
	body, retry, err := s.webhook.Exchange(ctx, http.Header{"Content-Type": {"application/json"}}, encode(m))
	if err != nil {
		return retry, explain(err)
	}
	if string(bytes.TrimSpace(body)) != "ok" {
		return true, s.webhook.NotOf("Slack", body)
	}
	return false, nil
}

// begin posts the episode's message for the first time, and the reply if it says who.
func (s *Slack) begin(ctx context.Context, a *alerting.Alert, m, reply *message) (kept string, retry bool, err error) {
	m.Channel, m.TS = s.channel, ""
	answer, retry, err := s.call(ctx, s.post, m)
	if err != nil {
		return "", retry, err
	}
	kept = reference{answer.Channel, answer.TS, a.Severity}.String()
	if len(reply.Blocks) > 1 {
		reply.Channel, reply.ThreadTS = answer.Channel, answer.TS
		_, retry, err = s.call(ctx, s.post, reply)
	}
	return kept, retry, err
}

// answer is an answer of the Web API.
type answer struct {
	OK       *bool  `json:"ok"`
	Error    string `json:"error"`
	Needed   string `json:"needed"` // the scope that is missing
	Channel  string `json:"channel"`
	TS       string `json:"ts"`
	Metadata struct {
		Messages []string `json:"messages"` // what is wrong with blocks
	} `json:"response_metadata"`
}

// call makes one request to the Web API.
func (s *Slack) call(ctx context.Context, c *post.Client, m *message) (a answer, retry bool, err error) {
	h := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Authorization": {"Bearer " + s.token}}
	body, retry, err := c.Exchange(ctx, h, encode(m))
	if err != nil {
		return a, retry, err
	}
	if err := json.Unmarshal(body, &a); err != nil || a.OK == nil {
		return a, true, c.NotOf("Slack", body)
	}
	if *a.OK {
		return a, false, nil
	}
	retry, err = classify(&a)
	text := c.Quote([]byte(a.Error + " " + a.Needed + " " + strings.Join(a.Metadata.Messages, " ")))
	return a, retry, fmt.Errorf("posting to %s: Slack refuses%s%w", c.Host(), text, err)
}

// errGone says that the message to be changed is no longer there, or can no
// longer be changed.
var errGone = errors.New("; the message cannot be changed any more")

// classify says whether a refusal may pass, and what a person can do about it.
func classify(a *answer) (retry bool, err error) {
	switch a.Error {
	case "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "accesslimited":
		return true, errors.New("; it may pass")
	case "message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found":
		return false, errGone
	case "not_in_channel", "channel_not_found":
		return false, errors.New("; invite the app to the channel (/invite), and give the channel by its id")
	case "is_archived":
		return false, errors.New("; the channel is archived: configure another")
	case "not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired":
		return false, errors.New("; configure the token of a bot that is installed (xoxb-…)")
	case "missing_scope":
		return false, errors.New("; give the app that scope and install it again")
	}
	return false, errors.New("")
}

// explain adds to an incoming webhook's refusal what a person can do about it.
func explain(err error) error {
	if err == nil {
		return nil
	}
	for word, hint := range map[string]string{
		"no_service": "the webhook was removed or disabled: make a new one",
		"no_team":    "the workspace of the webhook is gone: make a new one",
	} {
		if strings.Contains(err.Error(), word) {
			return fmt.Errorf("%w; %s", err, hint)
		}
	}
	return err
}

// reference says where an episode's message is, and how grave the episode was
// when it was last sent.
type reference struct {
	channel  string
	ts       string // timestamp, Slack's id of a message in its channel
	severity episode.Severity
}

// String returns the reference as channel/ts/severity.
func (r reference) String() string { return r.channel + "/" + r.ts + "/" + r.severity.String() }

func parseReference(s string) (r reference, ok bool) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" {
		return r, false
	}
	r = reference{channel: parts[0], ts: parts[1]}
	if severity, err := episode.ParseSeverity(parts[2]); err == nil {
		r.severity = severity // an unknown word is milder than all severities: the next update is shown in the channel
	}
	return r, true
}

// encode writes JSON as Slack documents it, with <, > and & as they are.
func encode(m *message) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		panic(fmt.Sprintf("slack: encoding a message: %v", err)) // plain fields always encode
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
