package console

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/stream/correlate"
)

// How long something may be said to be expected.
const (
	longestExpected = 7 * 24 * time.Hour  // by an analyst
	longestByAdmin  = 90 * 24 * time.Hour // by an admin: correlate takes no more
)

// given are the verdicts that people give here. The others are written when a list or a
// person is asked for.
var given = []correlate.VerdictKind{correlate.Acknowledged, correlate.Expected, correlate.Confirmed, correlate.Reopened, correlate.Assigned, correlate.Released}

// VerdictRequest is a verdict as the API takes it.
type VerdictRequest struct {
	Kind   correlate.VerdictKind `json:"kind"`             // acknowledge, expected, confirmed, reopened, assigned or released
	Reason string                `json:"reason,omitempty"` // must be given with expected and confirmed
	// Assignee is who holds the episode, with assigned; empty: who asks.
	Assignee string `json:"assignee,omitempty"`
	// Expires is until when expected holds, RFC 3339.
	Expires time.Time `json:"expires,omitzero"`
}

// verdict builds the verdict of a person but for its ID, or says what is wrong with it.
func (s *Server) verdict(c *call, key string, q *VerdictRequest) (*correlate.Verdict, error) {
	switch {
	case s.Judge == nil:
		return nil, &fault{http.StatusForbidden, "verdicts cannot be given here: what is shown is no deployment"}
	case c.person.Role < access.Analyst && !s.Access.SignsIn():
		return nil, &fault{http.StatusForbidden, "without users or tokens the console is read-only: set http.users or http.tokens, or use weir ack, expect and confirm"}
	case c.person.Role < access.Analyst:
		return nil, &fault{http.StatusForbidden, "a viewer gives no verdicts; that takes the role analyst"}
	case c.Snapshot.Episode(key) == nil:
		return nil, s.unknown(c)
	case !c.Snapshot.Episode(key).WasSent():
		return nil, &fault{http.StatusConflict, "nobody was sent a message of this episode; a verdict of it would be refused"}
	case !slices.Contains(given, q.Kind):
		return nil, badRequest("there is no verdict %q to give; want one of %s", q.Kind, given)
	case q.Kind == correlate.Confirmed && q.Reason == "":
		return nil, badRequest("a true positive needs a reason: say what you found")
	}
	now := s.Now()
	v := &correlate.Verdict{
		Time: alerting.Time(now.UnixMilli()), Kind: q.Kind, DedupKey: key, Author: c.person.Name, Reason: q.Reason, Assignee: q.Assignee,
	}
	if q.Kind == correlate.Expected {
		if q.Expires.IsZero() {
			return nil, badRequest("what is expected needs a time until which it holds")
		}
		limit, by := longestExpected, "an analyst says for at most 7 days"
		if c.person.Role >= access.Admin {
			limit, by = longestByAdmin, "an admin says for at most 90 days"
		}
		if d := q.Expires.Sub(now); d <= 0 || d > limit {
			return nil, badRequest("expires must lie ahead, and %s that something is expected", by)
		}
		v.Expires = alerting.Time(q.Expires.UnixMilli())
	}
	return v, nil
}

// holderName is how a user of the console stands in verdicts, see package authority.
func holderName(user string) string { return "console:" + user }

// verdictID follows from what is said, so that a form that is sent twice within a
// second is one verdict.
func verdictID(v *correlate.Verdict) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%s\x00%d\x00%d", v.Kind, v.DedupKey, v.Author, v.Reason, v.Assignee, v.Expires, v.Time.Std().Unix()))
	return hex.EncodeToString(sum[:12])
}

// judge writes a verdict.
func (s *Server) judge(r *http.Request, c *call, q *VerdictRequest) (*correlate.Verdict, error) {
	v, err := s.verdict(c, r.PathValue("key"), q)
	if err != nil {
		return nil, err
	}
	return s.write(r, v)
}

// write checks a verdict, signs it and writes it.
func (s *Server) write(r *http.Request, v *correlate.Verdict) (*correlate.Verdict, error) {
	v.ID = verdictID(v)
	if err := v.Validate(); err != nil {
		return nil, badRequest("%s", err)
	}
	written, err := s.Judge(r.Context(), *v)
	if err != nil {
		s.Log.Error("a verdict of the console could not be recorded", "by", v.Author, "dedup_key", v.DedupKey, "error", err)
		return nil, &fault{http.StatusServiceUnavailable, "the verdict could not be recorded; try again"}
	}
	s.Log.Info("console: verdict", "by", written.Author, "kind", v.Kind, "dedup_key", v.DedupKey)
	return &written, nil
}

// postForm takes a verdict from a page.
func (s *Server) postForm(w http.ResponseWriter, r *http.Request, c *call) {
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, c, badRequest("the form could not be read"))
		return
	}
	q := VerdictRequest{Kind: correlate.VerdictKind(r.PostForm.Get("kind")), Reason: r.PostForm.Get("reason"), Assignee: r.PostForm.Get("assignee")}
	if span := r.PostForm.Get("for"); q.Kind == correlate.Expected {
		d, err := time.ParseDuration(span)
		if err != nil {
			s.fail(w, r, c, badRequest("say until when it is expected"))
			return
		}
		q.Expires = s.Now().Add(d)
	}
	v, err := s.judge(r, c, &q)
	if err != nil {
		s.fail(w, r, c, err)
		return
	}
	http.Redirect(w, r, "/episodes/"+url.PathEscape(v.DedupKey)+"?done="+url.QueryEscape(string(v.Kind)), http.StatusSeeOther)
}

// postVerdict takes a verdict from a program.
func (s *Server) postVerdict(w http.ResponseWriter, r *http.Request, c *call) {
	var q VerdictRequest
	if err := readJSON(r, &q); err != nil {
		s.fail(w, r, c, err)
		return
	}
	v, err := s.judge(r, c, &q)
	if err != nil {
		s.fail(w, r, c, err)
		return
	}
	writeJSON(w, http.StatusCreated, v)
}

// readJSON reads the body of a request, which must be one JSON object. A form of
// somebody else's page cannot send that type.
func readJSON(r *http.Request, into any) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return &fault{http.StatusUnsupportedMediaType, "want Content-Type: application/json"}
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &fault{http.StatusRequestEntityTooLarge, "the body is too large"}
	case err != nil:
		return badRequest("the body is not as /api/v1/openapi.json describes it: %s", alerting.Printable(err.Error(), 200))
	case d.More():
		return badRequest("more than one value is in the body")
	}
	return nil
}
