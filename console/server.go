package console

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/oidc"
	"github.com/weirhq/weir/console/tuning"
	"github.com/weirhq/weir/internal/status"
	"github.com/weirhq/weir/stream/correlate"
)

// Options are what a Server is made of.
type Options struct {
	Feed     *Feed
	Access   *access.Control
	Location *time.Location // of times on pages
	Name     string         // of what is shown, such as "demonstration"; empty for a deployment
	// Expected is what the configuration declares as known and harmless.
	Expected []Expectation
	// Names says who sees the names of people.
	Names Names
	// SignIn signs people in elsewhere; nil: nobody does.
	SignIn *oidc.SignIn
	// Judge signs a verdict of the author whom it names, writes it to weir.verdicts
	// and returns what was written; nil: nobody can judge here.
	Judge func(ctx context.Context, v correlate.Verdict) (correlate.Verdict, error)
	// Extract lists the customers of an episode; nil: nobody can have the list here.
	Extract Extract
	// Ask asks people whether what an account did was meant; nil: nobody is asked.
	Ask *Asker
	// Tuning reads the log again under other budgets; nil: there is none to read.
	Tuning *tuning.Job
	// Prepare completes an alert with advice and links, as destinations get it; nil:
	// with advice alone.
	Prepare func(*alerting.Alert) *alerting.Alert
	// Health tells how the deployment does; nil: that is not known here.
	Health func(ctx context.Context) (*status.Status, error)
	// Now is the clock that verdicts are dated by; nil: the wall clock.
	Now func() time.Time
	Log *slog.Logger
}

// Expectation is one entry of `expected` in the configuration.
type Expectation struct {
	Name      string    `json:"name"`
	Dimension string    `json:"dimension"`
	Identity  string    `json:"identity"`
	Owner     string    `json:"owner,omitempty"`
	Reason    string    `json:"reason"`
	Expires   time.Time `json:"expires,omitzero"`
}

// Server serves the pages and the API.
type Server struct {
	Options
	mux        *http.ServeMux
	protected  http.Handler
	templates  *templates
	veils      veils
	extracting sync.Mutex // one list at a time
	asking     asking
	started    string // names this process in ETags
}

// New returns a server.
func New(o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Prepare == nil {
		o.Prepare = alerting.Preparer(alerting.LinkTemplates{})
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	id := make([]byte, 6)
	_, _ = rand.Read(id) // never fails
	s := &Server{Options: o, mux: http.NewServeMux(), started: hex.EncodeToString(id)}
	var err error
	if s.templates, err = parseTemplates(o.Location); err != nil {
		return nil, fmt.Errorf("reading the templates of the console: %w", err)
	}
	for i := range pages {
		p := &pages[i]
		s.mux.HandleFunc("GET "+p.path, s.guarded(func(w http.ResponseWriter, r *http.Request, c *call) { s.page(w, r, c, p) }))
		s.mux.HandleFunc("GET "+p.api, s.guarded(func(w http.ResponseWriter, r *http.Request, c *call) { s.api(w, r, c, p) }))
	}
	s.mux.HandleFunc("POST /episodes/{key}/verdict", s.guarded(s.postForm))
	s.mux.HandleFunc("POST /api/v1/episodes/{key}/verdicts", s.guarded(s.postVerdict))
	s.mux.HandleFunc("POST /episodes/{key}/ask", s.guarded(s.askForm))
	s.mux.HandleFunc("POST /api/v1/episodes/{key}/questions", s.guarded(s.postQuestion))
	s.mux.HandleFunc("POST /episodes/{key}/extract", s.guarded(s.extractForm))
	s.mux.HandleFunc("POST /api/v1/episodes/{key}/extract", s.guarded(s.postExtract))
	s.mux.HandleFunc("POST "+tuningPath, s.guarded(s.tuneForm))
	s.mux.HandleFunc("POST "+tuningPath+"/cancel", s.guarded(s.cancelForm))
	s.mux.HandleFunc("POST /api/v1/tuning", s.guarded(s.postTuning))
	s.mux.HandleFunc("DELETE /api/v1/tuning", s.guarded(s.deleteTuning))
	s.mux.HandleFunc("GET /api/v1/openapi.json", s.guarded(s.openAPI))
	s.mux.HandleFunc("GET /console/events", s.guarded(s.events))
	s.mux.HandleFunc("GET /console/{file}", s.static)
	if o.SignIn != nil {
		s.mux.HandleFunc("GET "+oidc.SignInPath, s.known(o.SignIn.Begin))
		s.mux.HandleFunc("GET "+oidc.SignedInPath, s.known(o.SignIn.End))
		s.mux.HandleFunc("POST "+oidc.SignOutPath, s.known(o.SignIn.SignOut))
	}
	s.mux.HandleFunc("/", s.guarded(s.none))
	// A page of somebody else's must not judge here, although the browser would
	// sign in for it.
	s.protected = http.NewCrossOriginProtection().Handler(s.mux)
	return s, nil
}

// none answers what is no page, or is none for the method.
func (s *Server) none(w http.ResponseWriter, r *http.Request, c *call) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		other := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(other); pattern != "/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		s.fail(w, r, c, &fault{http.StatusNotFound, "there is no such page"})
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	s.fail(w, r, c, &fault{http.StatusMethodNotAllowed, "this takes " + strings.Join(allowed, " and ") + " only"})
}

// known lets through what asks for the console by a name of its own.
func (s *Server) known(next func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{shown: s.Feed.current.Load()}
		w.Header().Set("Cache-Control", "no-store")
		if !s.Access.Knows(r.Host) {
			s.fail(w, r, c, &fault{http.StatusForbidden, access.ErrHost.Error()})
			return
		}
		if err := next(w, r); err != nil {
			s.Log.Warn("console: signing in", "error", err)
			s.fail(w, r, c, &fault{http.StatusForbidden, "signing in failed; go back to the first page to try again. weir's log says why"})
		}
	}
}

// ServeHTTP serves a page or an answer of the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	s.protected.ServeHTTP(w, r)
}

// call is one request: who asks, and what is shown.
type call struct {
	*shown
	person access.Person
}

// fault is what an answer says that is none.
type fault struct {
	code int
	text string
}

func (f *fault) Error() string { return f.text }

// badRequest is a fault of the caller's.
func badRequest(format string, args ...any) error {
	return &fault{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// canJudge reports whether a person may give verdicts here.
func (s *Server) canJudge(p access.Person) bool { return s.Judge != nil && p.Role >= access.Analyst }
