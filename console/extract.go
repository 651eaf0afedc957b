package console

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/internal/child"
	"github.com/weirhq/weir/internal/webserver"
	"github.com/weirhq/weir/stream/correlate"
)

// Extract writes the customers that an episode has touched to w, one a line. An error
// says that the list is not whole; doubt, that it is, and lies outside of what the
// alert estimated.
type Extract func(ctx context.Context, key string, w io.Writer) (doubt string, err error)

// ExtractRequest asks for the list of customers that an episode has touched.
type ExtractRequest struct {
	Reason string `json:"reason"` // why it is needed; it goes into the ledger
}

// extractForm answers a page.
func (s *Server) extractForm(w http.ResponseWriter, r *http.Request, c *call) {
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, c, badRequest("the form could not be read"))
		return
	}
	s.extract(w, r, c, &ExtractRequest{r.PostForm.Get("reason")})
}

// postExtract answers a program.
func (s *Server) postExtract(w http.ResponseWriter, r *http.Request, c *call) {
	var q ExtractRequest
	if err := readJSON(r, &q); err != nil {
		s.fail(w, r, c, err)
		return
	}
	s.extract(w, r, c, &q)
}

// extract streams the list of customers to whom may have it. That it was asked for is
// written first, for the ledger: who breaks off has had a part of it. A list that is
// not whole ends with the connection, so that nobody takes it for whole.
func (s *Server) extract(w http.ResponseWriter, r *http.Request, c *call, q *ExtractRequest) {
	key := r.PathValue("key")
	if err := s.mayExtract(c, key, q); err != nil {
		s.fail(w, r, c, err)
		return
	}
	if !s.extracting.TryLock() {
		s.fail(w, r, c, &fault{http.StatusTooManyRequests, child.ErrBusy.Error()})
		return
	}
	defer s.extracting.Unlock()
	v := &correlate.Verdict{Time: alerting.Time(s.Now().UnixMilli()), Kind: correlate.Extracted, DedupKey: key, Author: c.person.Name, Reason: q.Reason}
	if _, err := s.write(r, v); err != nil {
		s.fail(w, r, c, err)
		return
	}
	out := webserver.Stream(w)
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+key+`.txt"`)
	h.Set("Cache-Control", "no-store")
	h.Set("Trailer", doubtTrailer)
	doubt, err := s.Extract(r.Context(), key, out)
	switch {
	case err != nil:
		if !errors.Is(err, context.Canceled) {
			s.Log.Error("console: a list of customers broke off", "by", c.person.Name, "dedup_key", key, "error", err)
		}
		panic(http.ErrAbortHandler)
	case doubt != "":
		s.Log.Warn("console: a list of customers contradicts its alert", "by", c.person.Name, "dedup_key", key, "because", doubt)
		h.Set(doubtTrailer, doubt)
	}
}

// doubtTrailer says behind a list, if it is so, that it contradicts its alert.
const doubtTrailer = "Weir-Doubt"

// mayExtract says why somebody gets no list.
func (s *Server) mayExtract(c *call, key string, q *ExtractRequest) error {
	switch e := c.Snapshot.Episode(key); {
	case s.Extract == nil || s.Judge == nil:
		return &fault{http.StatusForbidden, "customers cannot be listed here: what is shown is no deployment"}
	case c.person.Role < access.Admin:
		return &fault{http.StatusForbidden, "the list of customers takes the role admin"}
	case e == nil:
		return s.unknown(c)
	case !e.WasSent():
		return &fault{http.StatusConflict, "nobody was sent a message of this episode"}
	case q.Reason == "":
		return badRequest("say why the list is needed; it goes into the ledger")
	}
	return nil
}

// canExtract reports whether a person may have lists of customers here.
func (s *Server) canExtract(p access.Person) bool {
	return s.Extract != nil && s.Judge != nil && p.Role >= access.Admin
}
