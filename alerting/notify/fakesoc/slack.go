package fakesoc

import (
	"bytes"
	"cmp"
	"crypto/rand"
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

	"github.com/weirhq/weir/alerting/notify/slack"
)

// Message is one message in a channel, with the thread under it.
type Message struct {
	Channel string          `json:"channel"`
	TS      string          `json:"ts"`
	Text    string          `json:"text"`
	Blocks  json.RawMessage `json:"blocks,omitempty"`
	Edited  int             `json:"edited"` // how often it was changed
	Thread  []Reply         `json:"thread"`
	Clicked string          `json:"clicked,omitempty"` // the button that was pressed last
}

// Analyst is the id of the user who presses buttons on the page.
const Analyst = "U0ANALYST"

// Reply is one message in a thread.
type Reply struct {
	TS        string          `json:"ts"`
	Text      string          `json:"text"`
	Blocks    json.RawMessage `json:"blocks,omitempty"`
	Broadcast bool            `json:"broadcast,omitempty"` // also shown in the channel
}

// slackRequest is the body of chat.postMessage, chat.update and incoming webhooks.
type slackRequest struct {
	Channel   string          `json:"channel"`
	TS        string          `json:"ts"`
	ThreadTS  string          `json:"thread_ts"`
	Broadcast bool            `json:"reply_broadcast"`
	Text      string          `json:"text"`
	Blocks    json.RawMessage `json:"blocks"`
	Metadata  json.RawMessage `json:"metadata"`
}

// slackError is a refusal: one of Slack's words for what is wrong, and an
// explanation.
type slackError struct {
	word   string
	detail string
}

// maxBody bounds a request of any vendor's, above each vendor's own limit.
const maxBody = 4 << 20

// webAPI serves a method of the Web API: a POST of JSON under a bearer token,
// which is refused with status 200 and a word.
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

// limited returns how long a channel must wait for its next message. If it need
// not wait, the message is counted. A burst of a few messages is let through, as
// Slack does.
func (s *Server) limited(channel string) time.Duration {
	const burst = 4 // seconds, over which the limit is averaged
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
		m.Thread = append(m.Thread, Reply{TS: ts, Text: q.Text, Blocks: q.Blocks, Broadcast: q.Broadcast})
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

// incomingWebhook is POST /services/…, which posts to a channel of its own and is
// refused with status 400 and a word in plain text.
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

// find returns a message, or nil; s.mu must be held.
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
		User     string `json:"user"` // empty: Analyst
		// Inputs are what was written, by the id of block and action.
		Inputs map[string]string `json:"inputs"`
	}
	if json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&q) != nil {
		http.Error(w, "want JSON", http.StatusBadRequest)
		return
	}
	if s.o.Interactivity == "" {
		http.Error(w, "nobody takes clicks here", http.StatusConflict)
		return
	}
	message, inputs := map[string]any{"ts": q.TS}, map[string]any{}
	for id, text := range q.Inputs {
		inputs[id] = map[string]any{id: map[string]string{"type": "plain_text_input", "value": text}}
	}
	s.mu.Lock()
	if m := s.find(q.Channel, q.TS); m != nil {
		message["text"], message["blocks"] = m.Text, m.Blocks
	}
	s.mu.Unlock()
	answer := url.URL{Scheme: "http", Host: r.Host, Path: "/response", RawQuery: url.Values{"channel": {q.Channel}, "ts": {q.TS}}.Encode()}
	payload, err := json.Marshal(map[string]any{
		"type": "block_actions", "team": map[string]string{"id": "T0WEIR"},
		"user":    map[string]string{"id": cmp.Or(q.User, Analyst), "username": strings.ToLower(strings.TrimPrefix(cmp.Or(q.User, Analyst), "U0"))},
		"state":   map[string]any{"values": inputs},
		"channel": map[string]string{"id": q.Channel}, "message": message, "response_url": answer.String(),
		"actions":    []map[string]string{{"type": "button", "action_id": q.ActionID, "value": q.Value, "action_ts": strconv.FormatInt(s.o.Now().UnixNano(), 10)}},
		"trigger_id": rand.Text(),
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

// response is what a response_url leads to: it changes the message of a click.
func (s *Server) response(w http.ResponseWriter, r *http.Request) {
	q := struct {
		slackRequest
		Replace bool `json:"replace_original"`
	}{}
	if json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&q) != nil || !q.Replace {
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	q.Channel, q.TS = r.URL.Query().Get("channel"), r.URL.Query().Get("ts")
	fault := checkMessage(&q.slackRequest)
	if fault == nil {
		s.mu.Lock()
		_, fault = s.updateMessage(&q.slackRequest)
		s.mu.Unlock()
	}
	if fault != nil {
		http.Error(w, fault.word, http.StatusBadRequest)
		return
	}
	_, _ = io.WriteString(w, "ok") // a sender that went away has no remedy
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
