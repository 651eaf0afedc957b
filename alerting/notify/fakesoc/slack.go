package fakesoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/weirhq/weir/alerting/notify/slack"
)

// Message is one in a channel, with what stands in the thread under it.
type Message struct {
	Channel string          `json:"channel"`
	TS      string          `json:"ts"`
	Text    string          `json:"text"`
	Blocks  json.RawMessage `json:"blocks,omitempty"`
	Edited  int             `json:"edited"` // times
	Thread  []Reply         `json:"thread"`
	Clicked string          `json:"clicked,omitempty"` // the button that was pressed last
}

// Reply is one message in a thread.
type Reply struct {
	TS        string `json:"ts"`
	Text      string `json:"text"`
	Broadcast bool   `json:"broadcast,omitempty"` // also shown in the channel
}

// slackRequest is the body of the calls that are known here.
type slackRequest struct {
	Channel   string          `json:"channel"`
	TS        string          `json:"ts"`
	ThreadTS  string          `json:"thread_ts"`
	Broadcast bool            `json:"reply_broadcast"`
	Text      string          `json:"text"`
	Blocks    json.RawMessage `json:"blocks"`
	Metadata  json.RawMessage `json:"metadata"`
}

// slackError is one of Slack's words for what is wrong, and its explanation.
type slackError struct {
	word   string
	detail string
}

// maxBody bounds a request of any vendor's, above each vendor's own limit.
const maxBody = 4 << 20

// webAPI does what all methods of the Web API share: they are POSTs of JSON
// under a bearer token, and refuse with status 200 and a word.
func (s *Server) webAPI(method func(q *slackRequest) (map[string]any, *slackError)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := new(slackRequest)
		fault := s.readSlack(r, q)
		var answer map[string]any
		if fault == nil {
			s.mu.Lock()
			if wait := s.limited(q.Channel); wait > 0 && strings.HasSuffix(r.URL.Path, "postMessage") {
				s.mu.Unlock()
				tooMany(w, wait)
				return
			}
			answer, fault = method(q)
			s.mu.Unlock()
		}
		if fault != nil {
			answer = map[string]any{"ok": false, "error": fault.word}
			if fault.detail != "" {
				answer["response_metadata"] = map[string]any{"messages": []string{"[ERROR] " + fault.detail}}
			}
		}
		writeJSON(w, http.StatusOK, answer)
	}
}

func (s *Server) readSlack(r *http.Request, q *slackRequest) *slackError {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok || token == "":
		return &slackError{"not_authed", ""}
	case s.o.Token != "" && token != s.o.Token, s.o.Token == "" && !strings.HasPrefix(token, "xoxb-"):
		return &slackError{"invalid_auth", ""}
	}
	if kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" || params["charset"] == "" {
		return &slackError{"invalid_post_type", "want application/json with a charset"}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return &slackError{"request_timeout", ""}
	}
	if err := json.Unmarshal(body, q); err != nil {
		return &slackError{"invalid_json", err.Error()}
	}
	return checkMessage(q)
}

// limited returns how long a channel must wait, and counts the message if it
// need not. A few at once are let through, as Slack does.
func (s *Server) limited(channel string) time.Duration {
	const burst = 4 // seconds' worth
	if s.o.PerSecond <= 0 {
		return 0
	}
	now := s.o.Now()
	span := time.Duration(burst * float64(time.Second))
	recent := s.posted[channel]
	for len(recent) > 0 && now.Sub(recent[0]) >= span {
		recent = recent[1:]
	}
	s.posted[channel] = recent
	if float64(len(recent)) >= max(1, burst*s.o.PerSecond) {
		return span - now.Sub(recent[0])
	}
	s.posted[channel] = append(recent, now)
	return 0
}

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	writeJSON(w, http.StatusTooManyRequests, map[string]any{"ok": false, "error": "ratelimited"})
}

// postMessage is chat.postMessage.
func (s *Server) postMessage(q *slackRequest) (map[string]any, *slackError) {
	ts := s.stamp()
	if q.ThreadTS != "" {
		m := s.find(q.Channel, q.ThreadTS)
		if m == nil {
			return nil, &slackError{"thread_not_found", ""}
		}
		m.Thread = append(m.Thread, Reply{TS: ts, Text: q.Text, Broadcast: q.Broadcast})
	} else {
		s.state.Messages = append(s.state.Messages, Message{Channel: q.Channel, TS: ts, Text: q.Text, Blocks: q.Blocks, Thread: []Reply{}})
	}
	s.touch()
	return map[string]any{"ok": true, "channel": q.Channel, "ts": ts}, nil
}

// updateMessage is chat.update.
func (s *Server) updateMessage(q *slackRequest) (map[string]any, *slackError) {
	m := s.find(q.Channel, q.TS)
	if m == nil {
		return nil, &slackError{"message_not_found", ""}
	}
	m.Text, m.Blocks = q.Text, q.Blocks
	m.Edited++
	s.touch()
	return map[string]any{"ok": true, "channel": q.Channel, "ts": q.TS, "text": q.Text}, nil
}

// incomingWebhook posts to a channel of its own; it refuses with 400 and a word
// in plain text.
func (s *Server) incomingWebhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	q := new(slackRequest)
	if err != nil || json.Unmarshal(body, q) != nil {
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	q.Channel = "#webhook"
	fault := checkMessage(q)
	if fault == nil && (len(q.Metadata) > 0 || q.ThreadTS != "" && q.TS != "") {
		fault = &slackError{"invalid_payload", ""}
	}
	if fault != nil {
		http.Error(w, fault.word, http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	wait := s.limited(q.Channel)
	if wait == 0 {
		_, _ = s.postMessage(q) // without a thread it does not fail
	}
	s.mu.Unlock()
	if wait > 0 {
		tooMany(w, wait)
		return
	}
	_, _ = io.WriteString(w, "ok") // a sender that went away has no remedy
}

// find returns a message; s.mu is held.
func (s *Server) find(channel, ts string) *Message {
	for i := range s.state.Messages {
		if m := &s.state.Messages[i]; m.Channel == channel && m.TS == ts {
			return m
		}
	}
	return nil
}

// stamp returns a timestamp that no other message of the server has.
func (s *Server) stamp() string {
	s.last = max(s.last+1, s.o.Now().UnixMicro())
	return fmt.Sprintf("%d.%06d", s.last/1e6, s.last%1e6)
}

// click sends what Slack sends when a button is pressed.
func (s *Server) click(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Channel  string `json:"channel"`
		TS       string `json:"ts"`
		ActionID string `json:"action_id"`
		Value    string `json:"value"`
	}
	if json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&q) != nil {
		http.Error(w, "want JSON", http.StatusBadRequest)
		return
	}
	if s.o.Interactivity == "" {
		http.Error(w, "nobody takes clicks here", http.StatusConflict)
		return
	}
	payload, err := json.Marshal(map[string]any{
		"type": "block_actions", "team": map[string]string{"id": "T0WEIR"},
		"user":    map[string]string{"id": "U0ANALYST", "username": "analyst"},
		"channel": map[string]string{"id": q.Channel}, "message": map[string]string{"ts": q.TS},
		"actions": []map[string]string{{"type": "button", "action_id": q.ActionID, "value": q.Value}},
	})
	if err == nil {
		err = s.send(r, []byte(url.Values{"payload": {string(payload)}}.Encode()))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	s.mu.Lock()
	if m := s.find(q.Channel, q.TS); m != nil {
		m.Clicked = q.ActionID
		s.touch()
	}
	s.mu.Unlock()
}

// interactivityLimit is how long Slack waits for an answer to a click.
const interactivityLimit = 3 * time.Second

func (s *Server) send(r *http.Request, body []byte) error {
	out, err := http.NewRequestWithContext(r.Context(), http.MethodPost, s.o.Interactivity, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("sending the click: %w", err)
	}
	out.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	slack.Sign(s.o.SigningSecret, out.Header, body, s.o.Now())
	client := http.Client{Timeout: interactivityLimit}
	resp, err := client.Do(out)
	if err != nil {
		return fmt.Errorf("sending the click: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("sending the click: the receiver answered %s", resp.Status)
	}
	return nil
}

// Slack's limits; https://docs.slack.dev/reference/block-kit/blocks has them.
const (
	maxBlocks     = 50
	maxMessage    = 40_000 // characters of text
	maxHeader     = 150
	maxSection    = 3_000
	maxFields     = 10
	maxField      = 2_000
	maxElements   = 10 // of a context
	maxActions    = 25
	maxButton     = 75
	maxValue      = 2_000
	maxIdentifier = 255
	maxAllBlocks  = 12_000 // characters of all blocks, as it shows in practice
)

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// checkMessage holds a message against Slack's rules.
func checkMessage(q *slackRequest) *slackError {
	switch {
	case q.Text == "" && len(q.Blocks) == 0:
		return &slackError{"no_text", ""}
	case characters(q.Text) > maxMessage:
		return &slackError{"msg_too_long", ""}
	case len(q.Blocks) == 0:
		return nil
	}
	var blocks []struct {
		Type     string            `json:"type"`
		BlockID  string            `json:"block_id"`
		Text     *slackText        `json:"text"`
		Fields   []slackText       `json:"fields"`
		Elements []json.RawMessage `json:"elements"`
	}
	if err := json.Unmarshal(q.Blocks, &blocks); err != nil {
		return &slackError{"invalid_blocks_format", err.Error()}
	}
	if len(blocks) > maxBlocks {
		return &slackError{"invalid_blocks", "no more than 50 items allowed"}
	}
	total := 0
	for i, b := range blocks {
		bad := func(format string, args ...any) *slackError {
			return &slackError{"invalid_blocks", fmt.Sprintf(format, args...) + fmt.Sprintf(" [json-pointer:/blocks/%d]", i)}
		}
		if characters(b.BlockID) > maxIdentifier {
			return bad("block_id is too long")
		}
		if b.Text != nil {
			total += characters(b.Text.Text)
		}
		var err error
		switch b.Type {
		case "header":
			err = checkText(b.Text, maxHeader, "plain_text")
		case "section":
			if b.Text == nil && len(b.Fields) == 0 {
				return bad("must have text or fields")
			}
			if b.Text != nil {
				err = checkText(b.Text, maxSection, "plain_text", "mrkdwn")
			}
			if len(b.Fields) > maxFields {
				return bad("no more than 10 fields allowed")
			}
			for j := range b.Fields {
				total += characters(b.Fields[j].Text)
				if err == nil {
					err = checkText(&b.Fields[j], maxField, "plain_text", "mrkdwn")
				}
			}
		case "context":
			if n := len(b.Elements); n == 0 || n > maxElements {
				return bad("1 to 10 elements allowed")
			}
			for _, raw := range b.Elements {
				var t slackText
				if err = json.Unmarshal(raw, &t); err != nil {
					break
				}
				total += characters(t.Text)
				if err = checkText(&t, maxSection, "plain_text", "mrkdwn"); err != nil {
					break
				}
			}
		case "actions":
			if n := len(b.Elements); n == 0 || n > maxActions {
				return bad("1 to 25 elements allowed")
			}
			err = checkButtons(b.Elements)
		case "divider":
		default:
			return bad("unsupported type: %s", b.Type)
		}
		if err != nil {
			return bad("%v", err)
		}
	}
	if total > maxAllBlocks {
		return &slackError{"msg_blocks_too_long", ""}
	}
	return nil
}

func checkText(t *slackText, limit int, kinds ...string) error {
	if t == nil {
		return fmt.Errorf("missing required field: text")
	}
	fits := false
	for _, k := range kinds {
		fits = fits || t.Type == k
	}
	switch {
	case !fits:
		return fmt.Errorf("text of type %q", t.Type)
	case t.Text == "":
		return fmt.Errorf("must be more than 0 characters")
	case characters(t.Text) > limit:
		return fmt.Errorf("must be less than %d characters", limit+1)
	}
	return nil
}

func checkButtons(elements []json.RawMessage) error {
	seen := map[string]bool{}
	for _, raw := range elements {
		var b struct {
			Type     string     `json:"type"`
			Text     *slackText `json:"text"`
			ActionID string     `json:"action_id"`
			Value    string     `json:"value"`
			Style    string     `json:"style"`
		}
		if err := json.Unmarshal(raw, &b); err != nil {
			return err
		}
		if err := checkText(b.Text, maxButton, "plain_text"); err != nil {
			return err
		}
		switch {
		case b.Type != "button":
			return fmt.Errorf("unsupported element: %s", b.Type)
		case b.ActionID == "" || characters(b.ActionID) > maxIdentifier || seen[b.ActionID]:
			return fmt.Errorf("action_id must be unique and at most 255 characters")
		case characters(b.Value) > maxValue:
			return fmt.Errorf("value is too long")
		case b.Style != "" && b.Style != "primary" && b.Style != "danger":
			return fmt.Errorf("unknown style %s", b.Style)
		}
		seen[b.ActionID] = true
	}
	return nil
}

// characters counts as the strictest reading does, in UTF-16.
func characters(s string) int { return len(utf16.Encode([]rune(s))) }
