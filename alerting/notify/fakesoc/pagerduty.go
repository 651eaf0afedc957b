package fakesoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// Incident is an incident of PagerDuty.
type Incident struct {
	DedupKey string          `json:"dedup_key"`
	Status   string          `json:"status"` // triggered, acknowledged or resolved
	Summary  string          `json:"summary"`
	Severity string          `json:"severity"`
	Source   string          `json:"source"`
	Class    string          `json:"class,omitempty"`
	Client   string          `json:"client,omitempty"`
	Links    []Link          `json:"links,omitempty"`
	Details  json.RawMessage `json:"details,omitempty"`
	Events   int             `json:"events"` // how many events it got
	Opened   time.Time       `json:"opened"`
	Changed  time.Time       `json:"changed"`
}

// Link is a link of an incident.
type Link struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// pagerEvent is the body of POST /v2/enqueue.
type pagerEvent struct {
	RoutingKey  string `json:"routing_key"`
	EventAction string `json:"event_action"`
	DedupKey    string `json:"dedup_key"`
	Client      string `json:"client"`
	ClientURL   string `json:"client_url"`
	Links       []Link `json:"links"`
	Payload     *struct {
		Summary   string          `json:"summary"`
		Source    string          `json:"source"`
		Severity  string          `json:"severity"`
		Timestamp string          `json:"timestamp"`
		Component string          `json:"component"`
		Group     string          `json:"group"`
		Class     string          `json:"class"`
		Details   json.RawMessage `json:"custom_details"`
	} `json:"payload"`
}

// PagerDuty's limits.
const (
	maxEvent   = 512 << 10 // bytes
	maxDedup   = 255
	maxSummary = 1024
	routingKey = 32 // its length
)

// enqueue is POST /v2/enqueue.
func (s *Server) enqueue(w http.ResponseWriter, r *http.Request) {
	q := new(pagerEvent)
	if !readEvent(w, r, q) {
		return
	}
	if faults := checkEvent(q); len(faults) > 0 {
		refuse(w, faults)
		return
	}
	s.mu.Lock()
	s.take(q)
	s.touch()
	s.mu.Unlock()
	writeJSON(w, http.StatusAccepted, map[string]string{"status": "success", "message": "Event processed", "dedup_key": q.DedupKey})
}

// readEvent reads the body of a request. It answers itself, and reports false, where
// there is none to take.
func readEvent(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxEvent+1))
	if err != nil {
		return false // it broke off
	}
	if len(body) > maxEvent {
		http.Error(w, "", http.StatusRequestEntityTooLarge)
		return false
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(into); err != nil {
		refuse(w, []string{"Unable to parse the event: " + err.Error()})
		return false
	}
	return true
}

// Change is a change event of PagerDuty, the body of POST /v2/change/enqueue. It opens
// no incident.
type Change struct {
	RoutingKey string `json:"routing_key,omitempty"`
	Payload    struct {
		Summary   string          `json:"summary"`
		Source    string          `json:"source"`
		Timestamp string          `json:"timestamp"`
		Details   json.RawMessage `json:"custom_details"`
	} `json:"payload"`
}

// change is POST /v2/change/enqueue.
func (s *Server) change(w http.ResponseWriter, r *http.Request) {
	q := new(Change)
	if !readEvent(w, r, q) {
		return
	}
	var faults []string
	if len(q.RoutingKey) != routingKey {
		faults = append(faults, "Length of 'routing_key' is incorrect (should be 32 characters)")
	}
	if q.Payload.Summary == "" || characters(q.Payload.Summary) > maxSummary {
		faults = append(faults, "'payload.summary' is missing or longer than 1024 characters")
	}
	if _, err := time.Parse(time.RFC3339, q.Payload.Timestamp); err != nil && q.Payload.Timestamp != "" {
		faults = append(faults, "'payload.timestamp' is no ISO 8601 time")
	}
	if len(faults) > 0 {
		refuse(w, faults)
		return
	}
	q.RoutingKey = ""
	s.mu.Lock()
	s.state.Changes = append(s.state.Changes, *q)
	s.touch()
	s.mu.Unlock()
	writeJSON(w, http.StatusAccepted, map[string]string{"status": "success", "message": "Change event processed"})
}

func refuse(w http.ResponseWriter, faults []string) {
	writeJSON(w, http.StatusBadRequest, map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": faults})
}

func checkEvent(q *pagerEvent) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if len(q.RoutingKey) != routingKey {
		fault("Length of 'routing_key' is incorrect (should be 32 characters)")
	}
	if !slices.Contains([]string{"trigger", "acknowledge", "resolve"}, q.EventAction) {
		fault("'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")
	}
	if characters(q.DedupKey) > maxDedup {
		fault("'dedup_key' is too long (maximum is 255 characters)")
	}
	if q.EventAction != "trigger" {
		if q.DedupKey == "" {
			fault("'dedup_key' is missing or blank")
		}
		return faults
	}
	if q.Payload == nil {
		fault("'payload' is missing or blank")
		return faults
	}
	p := q.Payload
	if p.Summary == "" || characters(p.Summary) > maxSummary {
		fault("'payload.summary' is missing or longer than 1024 characters")
	}
	if p.Source == "" {
		fault("'payload.source' is missing or blank")
	}
	if !slices.Contains([]string{"critical", "error", "warning", "info"}, p.Severity) {
		fault("'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")
	}
	if p.Timestamp != "" {
		if _, err := time.Parse(time.RFC3339, p.Timestamp); err != nil {
			fault("'payload.timestamp' is no ISO 8601 time")
		}
	}
	if len(p.Details) > 0 && p.Details[0] != '{' && p.Details[0] != '"' {
		fault("'payload.custom_details' is invalid (must be an object)")
	}
	for _, l := range q.Links {
		if l.Href == "" {
			fault("'links.href' is missing or blank")
		}
	}
	return faults
}

// take applies an event to the open incident of its key; s.mu must be held. A
// trigger without an open incident opens a new one, also where an earlier one was
// resolved; any other event without an open incident is accepted and does
// nothing.
func (s *Server) take(q *pagerEvent) {
	now := s.o.Now().UTC()
	var open *Incident
	for i := range s.state.Incidents {
		if in := &s.state.Incidents[i]; in.DedupKey == q.DedupKey && in.Status != "resolved" {
			open = in
		}
	}
	if open == nil {
		if q.EventAction != "trigger" {
			return
		}
		s.state.Incidents = append(s.state.Incidents, Incident{DedupKey: q.DedupKey, Status: "triggered", Opened: now})
		open = &s.state.Incidents[len(s.state.Incidents)-1]
	}
	open.Events++
	open.Changed = now
	switch q.EventAction {
	case "acknowledge":
		open.Status = "acknowledged"
	case "resolve":
		open.Status = "resolved"
	default:
		open.Summary, open.Severity, open.Source, open.Class = q.Payload.Summary, q.Payload.Severity, q.Payload.Source, q.Payload.Class
		open.Details, open.Links, open.Client = q.Payload.Details, q.Links, q.Client
	}
}
