// Package fakesoc fakes what a security team uses: the parts of Slack's Web API,
// of PagerDuty's Events API v2, of Alertmanager's API v2 and of Teams' workflows
// that weir calls. It refuses what breaks the rules that the vendors publish, and serves one page on
// which messages are seen to arrive, change and resolve.
//
// It is for trying weir without an account, for the demonstration, and for
// tests. It keeps the latest messages in memory and authenticates nobody: serve
// it on the loopback interface only.
package fakesoc

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/weirhq/weir/internal/webserver"
)

// Options of a Server; the zero value is ready to use.
type Options struct {
	// Token is the bot token that the fake of Slack knows; empty: it takes any
	// token that begins with xoxb-.
	Token string
	// PerSecond is how many messages a second a channel takes before it answers
	// 429 with Retry-After; 0: any number. Slack's is 1.
	PerSecond float64
	// Interactivity is the URL that clicks on buttons are sent to, signed under
	// SigningSecret as Slack signs them; empty: buttons do nothing.
	Interactivity, SigningSecret string
	// Now is the wall clock; default time.Now.
	Now func() time.Time
}

// keep is how many messages, incidents, alerts and cards are kept, of each; the oldest
// go first.
const keep = 500

// Server is the fake, to be served over HTTP:
//
//	/                                      the page
//	/state                                 what it shows, as JSON (State)
//	/events                                says that it has changed (server-sent events)
//	/api/chat.postMessage, chat.update     Slack's Web API; the base is /api
//	/services/…                            Slack's incoming webhooks
//	/v2/enqueue, /v2/change/enqueue        PagerDuty's Events API v2
//	/api/v2/alerts                         Alertmanager's API v2
//	/workflows/…?sig=…                     workflows of Microsoft Teams
type Server struct {
	o   Options
	mux http.Handler

	mu      sync.Mutex
	state   State
	posted  map[string][]time.Time // by channel: the messages that count towards the limit
	last    int64                  // the latest timestamp given to a message, in microseconds
	changed chan struct{}          // closed at the next change
}

// State is what the fake has received.
type State struct {
	Version   int64      `json:"version"` // grows with each change
	Messages  []Message  `json:"messages"`
	Incidents []Incident `json:"incidents"`
	Alerts    []Alert    `json:"alerts"`
	Changes   []Change   `json:"changes"`
	Cards     []Card     `json:"cards"`
	Clickable bool       `json:"clickable"` // buttons are sent to somebody
}

//go:embed page.html
var page []byte

// New returns a server that has received nothing.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{o: o, posted: map[string][]time.Time{}, changed: make(chan struct{})}
	s.state = State{Messages: []Message{}, Incidents: []Incident{}, Changes: []Change{}, Alerts: []Alert{}, Cards: []Card{}, Clickable: o.Interactivity != ""}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.HandleFunc("GET /state", s.serveState)
	mux.HandleFunc("GET /events", s.serveEvents)
	mux.HandleFunc("POST /click", s.click)
	mux.HandleFunc("POST /response", s.response)
	mux.HandleFunc("POST /api/chat.postMessage", s.webAPI(s.postMessage))
	mux.HandleFunc("POST /api/chat.update", s.webAPI(s.updateMessage))
	mux.HandleFunc("POST /services/", s.incomingWebhook)
	mux.HandleFunc("POST /v2/enqueue", s.enqueue)
	mux.HandleFunc("POST /v2/change/enqueue", s.change)
	mux.HandleFunc("POST /api/v2/alerts", s.postAlerts)
	mux.HandleFunc("POST /workflows/", s.workflow)
	// A page of somebody else's must not click here.
	s.mux = http.NewCrossOriginProtection().Handler(mux)
	return s
}

// ServeHTTP answers as the vendors do.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// State returns what the server has received so far. Its slices are not changed
// later.
func (s *Server) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshot()
}

func (s *Server) snapshot() State {
	out := s.state
	out.Messages = make([]Message, len(s.state.Messages))
	for i, m := range s.state.Messages {
		m.Thread = append([]Reply{}, m.Thread...)
		out.Messages[i] = m
	}
	out.Incidents = append([]Incident{}, s.state.Incidents...)
	out.Changes = append([]Change{}, s.state.Changes...)
	out.Cards = append([]Card{}, s.state.Cards...)
	now := s.o.Now()
	out.Alerts = append([]Alert{}, s.state.Alerts...)
	for i := range out.Alerts {
		out.Alerts[i].Firing = now.Before(out.Alerts[i].EndsAt)
	}
	return out
}

// touch drops what is beyond keep and tells the pages that something has changed;
// s.mu must be held.
func (s *Server) touch() {
	s.state.Version++
	s.state.Messages = s.state.Messages[max(0, len(s.state.Messages)-keep):]
	s.state.Incidents = s.state.Incidents[max(0, len(s.state.Incidents)-keep):]
	s.state.Changes = s.state.Changes[max(0, len(s.state.Changes)-keep):]
	s.state.Alerts = s.state.Alerts[max(0, len(s.state.Alerts)-keep):]
	s.state.Cards = s.state.Cards[max(0, len(s.state.Cards)-keep):]
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) servePage(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	// The page shows other people's text: even if some of it were taken for
	// markup, it could load and run nothing.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(page) // a reader that went away has no remedy
}

func (s *Server) serveState(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.State())
}

// serveEvents sends the version of the state now and after each change.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	webserver.Stream(w)
	flush := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	for {
		s.mu.Lock()
		version, changed := s.state.Version, s.changed
		s.mu.Unlock()
		if _, err := fmt.Fprintf(w, "data: %d\n\n", version); err != nil || flush.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // a reader that went away has no remedy
}
