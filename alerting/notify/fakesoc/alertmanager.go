package fakesoc

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

// Alert is an alert of Alertmanager. It fires until EndsAt.
type Alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
	Firing       bool              `json:"firing"`
	Posts        int               `json:"posts"` // how often it was posted
}

// resolveTimeout is how long an alert without endsAt fires.
const resolveTimeout = 5 * time.Minute

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// postAlerts is POST /api/v2/alerts. Alerts with the same labels are one alert.
func (s *Server) postAlerts(w http.ResponseWriter, r *http.Request) {
	var alerts []Alert
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&alerts); err != nil {
		writeJSON(w, http.StatusBadRequest, "bad request: "+err.Error())
		return
	}
	now := s.o.Now().UTC()
	for i := range alerts {
		if fault := checkAlert(&alerts[i], now); fault != "" {
			writeJSON(w, http.StatusBadRequest, fault)
			return
		}
	}
	s.mu.Lock()
	for i := range alerts {
		s.fire(alerts[i])
	}
	s.touch()
	s.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}

func checkAlert(a *Alert, now time.Time) string {
	for name, value := range a.Labels {
		if value == "" {
			delete(a.Labels, name) // an empty label is no label
		} else if !labelName.MatchString(name) {
			return "invalid label name: " + name
		}
	}
	for name := range a.Annotations {
		if !labelName.MatchString(name) {
			return "invalid annotation name: " + name
		}
	}
	if a.StartsAt.IsZero() {
		a.StartsAt = now
	}
	if a.EndsAt.IsZero() {
		a.EndsAt = now.Add(resolveTimeout)
	}
	switch {
	case len(a.Labels) == 0:
		return "at least one label pair required"
	case a.EndsAt.Before(a.StartsAt):
		return "start time must be before end time"
	}
	if u, err := url.Parse(a.GeneratorURL); err != nil || a.GeneratorURL != "" && !u.IsAbs() {
		return "generatorURL is no absolute URL"
	}
	return ""
}

func (s *Server) fire(a Alert) {
	a.Posts = 1
	for i := range s.state.Alerts {
		if old := &s.state.Alerts[i]; maps.Equal(old.Labels, a.Labels) {
			a.Posts = old.Posts + 1
			if a.StartsAt.After(old.StartsAt) && !a.StartsAt.After(old.EndsAt) {
				a.StartsAt = old.StartsAt // overlapping alerts are one
			}
			*old = a
			return
		}
	}
	s.state.Alerts = append(s.state.Alerts, a)
}
