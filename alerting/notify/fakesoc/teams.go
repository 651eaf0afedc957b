package fakesoc

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Card is an Adaptive Card that a workflow of Teams posted to a channel.
type Card struct {
	At      time.Time       `json:"at"`
	Content json.RawMessage `json:"content"`
}

// maxTeams is how large a message Teams takes, in bytes.
const maxTeams = 28 << 10

// cardElement is an element or an action of an Adaptive Card.
type cardElement struct {
	Type    string        `json:"type"`
	Text    string        `json:"text"`
	Style   string        `json:"style"`
	Title   string        `json:"title"`
	URL     string        `json:"url"`
	Items   []cardElement `json:"items"`
	Inlines []cardElement `json:"inlines"`
}

// workflow is POST /workflows/…?sig=…, a workflow with the trigger "When a Teams
// webhook request is received". The real one answers 202 and fails later, where
// only its owner sees it, for what the fake refuses.
func (s *Server) workflow(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("sig") == "" {
		http.Error(w, `{"error":{"code":"DirectApiAuthorizationRequired"}}`, http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxTeams+1))
	if err != nil {
		return // it broke off
	}
	if len(body) > maxTeams {
		http.Error(w, "RequestEntityTooLarge", http.StatusRequestEntityTooLarge)
		return
	}
	cards, err := readCards(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	for _, c := range cards {
		s.state.Cards = append(s.state.Cards, Card{At: s.o.Now().UTC(), Content: c})
	}
	s.touch()
	s.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

// readCards returns the cards of a message, or what is wrong with it.
func readCards(body []byte) (cards []json.RawMessage, err error) {
	var m struct {
		Type        string `json:"type"`
		Attachments []struct {
			ContentType string          `json:"contentType"`
			Content     json.RawMessage `json:"content"`
		} `json:"attachments"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fmt.Errorf("reading the message: %w", err)
	}
	if m.Type != "message" || len(m.Attachments) == 0 {
		return nil, fmt.Errorf("reading the message: want the type message, and attachments")
	}
	for _, a := range m.Attachments {
		if a.ContentType != "application/vnd.microsoft.card.adaptive" {
			return nil, fmt.Errorf("reading the attachments: %q is no Adaptive Card", a.ContentType)
		}
		if err := checkCard(a.Content); err != nil {
			return nil, fmt.Errorf("reading the card: %w", err)
		}
		cards = append(cards, a.Content)
	}
	return cards, nil
}

// checkCard holds a card against what Teams shows of Adaptive Cards.
func checkCard(content []byte) error {
	var c struct {
		Type    string        `json:"type"`
		Version string        `json:"version"`
		Body    []cardElement `json:"body"`
		Actions []cardElement `json:"actions"`
	}
	if err := json.Unmarshal(content, &c); err != nil {
		return err
	}
	switch {
	case c.Type != "AdaptiveCard":
		return fmt.Errorf("the type is %q", c.Type)
	case !slices.Contains([]string{"1.0", "1.1", "1.2", "1.3", "1.4", "1.5"}, c.Version):
		return fmt.Errorf("version %q is not shown", c.Version)
	case len(c.Body) == 0:
		return fmt.Errorf("it has no body")
	case len(c.Actions) > 6:
		return fmt.Errorf("it has %d actions, of which 6 are shown", len(c.Actions))
	}
	for _, a := range c.Actions {
		u, err := url.Parse(a.URL)
		if a.Type != "Action.OpenUrl" || a.Title == "" || err != nil || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("an action of type %q opens no page", a.Type)
		}
	}
	return checkElements(c.Body)
}

func checkElements(list []cardElement) error {
	styles := []string{"", "default", "emphasis", "good", "attention", "warning", "accent"}
	for _, e := range list {
		switch e.Type {
		case "Container":
			if !slices.Contains(styles, e.Style) || len(e.Items) == 0 {
				return fmt.Errorf("a container of style %q with %d items", e.Style, len(e.Items))
			}
			if err := checkElements(e.Items); err != nil {
				return err
			}
		case "RichTextBlock":
			for _, r := range e.Inlines {
				if r.Type != "TextRun" || r.Text == "" {
					return fmt.Errorf("an inline of type %q with %d bytes of text", r.Type, len(r.Text))
				}
			}
			if len(e.Inlines) == 0 {
				return fmt.Errorf("a RichTextBlock without inlines")
			}
		default:
			return fmt.Errorf("an element of type %q", e.Type)
		}
	}
	return nil
}
