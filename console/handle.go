package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/oidc"
)

// guarded lets in who may see.
func (s *Server) guarded(next func(http.ResponseWriter, *http.Request, *call)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{shown: s.Feed.current.Load()}
		var err error
		c.person, err = s.Access.Who(r)
		w.Header().Set("Cache-Control", "private, no-cache")
		w.Header().Set("Vary", "Authorization, Cookie")
		switch {
		case errors.Is(err, access.ErrSignIn) && s.SignIn != nil && isPage(r):
			http.Redirect(w, r, oidc.SignInPath+"?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		case errors.Is(err, access.ErrSignIn):
			how := `Bearer realm="weir"` // RFC 9110 wants one; a browser asks for nothing by it
			if s.Access.AsksPassword() {
				how = `Basic realm="weir", charset="UTF-8"`
			}
			w.Header().Set("WWW-Authenticate", how)
			s.fail(w, r, c, &fault{http.StatusUnauthorized, "sign in"})
		case errors.Is(err, access.ErrTooMany):
			s.fail(w, r, c, &fault{http.StatusTooManyRequests, err.Error()})
		case err != nil:
			s.fail(w, r, c, &fault{http.StatusForbidden, err.Error()})
		default:
			c.shown = s.veiled(c.shown, c.person)
			next(w, r, c)
		}
	}
}

// isPage reports whether a request is a browser's, for a page.
func isPage(r *http.Request) bool {
	return r.Method == http.MethodGet && !strings.HasPrefix(r.URL.Path, "/api/") && !strings.HasPrefix(r.URL.Path, "/console/")
}

// page answers with HTML.
func (s *Server) page(w http.ResponseWriter, r *http.Request, c *call, p *page) {
	if view, ok := s.view(w, r, c, p); ok {
		s.render(w, http.StatusOK, p.name, s.frame(r, c, p.title, view))
	}
}

// api answers with JSON.
func (s *Server) api(w http.ResponseWriter, r *http.Request, c *call, p *page) {
	if view, ok := s.view(w, r, c, p); ok {
		writeJSON(w, http.StatusOK, view)
	}
}

// view returns what a page and its twin show. It returns false where the request has
// its answer: the reader has the page already, or may not see it.
func (s *Server) view(w http.ResponseWriter, r *http.Request, c *call, p *page) (any, bool) {
	if s.unchanged(w, r, c) {
		return nil, false
	}
	view, err := p.view(s, r, c)
	if err != nil {
		s.fail(w, r, c, err)
		return nil, false
	}
	s.viewed(r, c)
	return view, true
}

// viewed logs who looked at what: those who are watched have a right to know.
func (s *Server) viewed(r *http.Request, c *call) {
	s.Log.Info("console: viewed", "by", c.person.Name, "role", c.person.Role.String(), "path", r.URL.Path, "query", r.URL.RawQuery)
}

// unchanged answers 304 where the reader has what would be sent. A page is a
// function of its URL, its version and who asks.
func (s *Server) unchanged(w http.ResponseWriter, r *http.Request, c *call) bool {
	who := sha256.Sum256([]byte(c.person.Role.String() + "\x00" + c.person.Name))
	tag := fmt.Sprintf(`W/"%s-%x"`, s.version(c.shown, r.URL.Path), who[:4])
	w.Header().Set("ETag", tag)
	if s.Health != nil && strings.HasSuffix(r.URL.Path, "/health") || !strings.Contains(r.Header.Get("If-None-Match"), tag) {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

// version names what a page of this process shows: a snapshot and, where it is about
// tuning, a run.
func (s *Server) version(of *shown, path string) string {
	name := fmt.Sprintf("%s-%d", s.started, of.version)
	if s.Tuning != nil && strings.HasSuffix(path, tuningPath) {
		_, run := s.Tuning.Latest()
		name += fmt.Sprintf("-%d", run)
	}
	return name
}

// fail answers with what went wrong, in the form that was asked for.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, c *call, err error) {
	var f *fault
	if !errors.As(err, &f) {
		s.Log.Error("console", "path", r.URL.Path, "error", err)
		f = &fault{http.StatusInternalServerError, "this could not be answered; weir's log says why"}
	}
	w.Header().Del("ETag")
	if strings.HasPrefix(r.URL.Path, "/api/") {
		writeJSON(w, f.code, Error{f.text})
		return
	}
	view := s.frame(r, c, http.StatusText(f.code), f.text)
	view.Refused = f.code == http.StatusUnauthorized || f.code == http.StatusForbidden || f.code == http.StatusTooManyRequests
	s.render(w, f.code, "fault", view)
}

// Error is the answer to a request that failed.
type Error struct {
	Error string `json:"error"`
}

func (s *Server) render(w http.ResponseWriter, code int, name string, data *frame) {
	var b bytes.Buffer
	if err := s.templates.execute(&b, name, data); err != nil {
		s.Log.Error("console: making a page", "page", name, "error", err)
		http.Error(w, "this page could not be made; weir's log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // a reader that went away has no remedy
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // a reader that went away has no remedy
}

// frame is what every page shows around its own.
type frame struct {
	Title         string
	Name          string // of what is shown
	Path          string
	Version       string // of what is shown; the stream of events tells when it is another
	Whole         bool
	Now           int64 // event time of the snapshot, Unix ms; 0: nothing has been said yet
	Judged        int64 // event time up to which everything is judged; 0: not known
	Gone          int64
	Person        access.Person
	SignsIn       bool
	SignsOut      bool
	CanJudge      bool
	CanExtract    bool
	MayLong       bool // may say for long that something is expected
	Refused       bool // nothing of the deployment is shown
	HasDeployment bool
	HasTuning     bool
	Zone          string
	View          any
}

func (s *Server) frame(r *http.Request, c *call, title string, view any) *frame {
	return &frame{
		Title: title, Name: s.Name, Path: r.URL.Path, Version: s.version(c.shown, r.URL.Path), Whole: c.whole,
		Now: int64(c.Now()), Judged: int64(c.Judged), Gone: c.Gone,
		Person: c.person, SignsIn: s.Access.SignsIn(), SignsOut: s.SignIn != nil, CanJudge: s.canJudge(c.person), CanExtract: s.canExtract(c.person), MayLong: c.person.Role >= access.Admin,
		HasDeployment: s.Health != nil, HasTuning: s.Tuning != nil, Zone: s.Location.String(), View: view,
	}
}
