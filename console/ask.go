package console

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/correlate/ask"
)

// Asker asks people whether what an account did was meant.
type Asker struct {
	Whom ask.Whom
	// Send sends a question to a member of Slack.
	Send func(ctx context.Context, q *alerting.Question) error
}

// asking keeps a form that is sent twice from asking twice.
type asking struct {
	mu     sync.Mutex
	latest string // id of the question that was sent last
}

// askForm answers a page.
func (s *Server) askForm(w http.ResponseWriter, r *http.Request, c *call) {
	v, err := s.ask(r, c)
	if err != nil {
		s.fail(w, r, c, err)
		return
	}
	http.Redirect(w, r, "/episodes/"+url.PathEscape(v.DedupKey)+"?done="+url.QueryEscape(string(v.Kind)), http.StatusSeeOther)
}

// postQuestion answers a program.
func (s *Server) postQuestion(w http.ResponseWriter, r *http.Request, c *call) {
	err := readJSON(r, &struct{}{})
	if err == nil {
		var v *correlate.Verdict
		if v, err = s.ask(r, c); err == nil {
			writeJSON(w, http.StatusCreated, v)
			return
		}
	}
	s.fail(w, r, c, err)
}

// ask writes that somebody is asked, then asks. Correlate takes no answer to a question
// that was not written.
func (s *Server) ask(r *http.Request, c *call) (*correlate.Verdict, error) {
	key := r.PathValue("key")
	member, err := s.mayAsk(c, key)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	s.asking.mu.Lock()
	defer s.asking.mu.Unlock()
	v := &correlate.Verdict{
		Time: alerting.Time(now.UnixMilli()), Kind: correlate.Asked, DedupKey: key, Author: c.person.Name, Assignee: ask.Author(member),
	}
	if v.ID = verdictID(v); v.ID == s.asking.latest {
		return v, nil
	}
	if v, err = s.write(r, v); err != nil {
		return nil, err
	}
	own := s.Ask.Whom == ask.Owner
	q := &alerting.Question{
		To: member, DedupKey: key, Own: own, Until: now.Add(time.Duration(ask.Within) * time.Millisecond),
		Text: alerting.QuestionText(c.Snapshot.Episode(key).Alert, own, s.Location),
	}
	if err := s.Ask.Send(r.Context(), q); err != nil {
		s.Log.Error("console: a question could not be sent", "by", v.Author, "dedup_key", key, "error", err)
		return nil, &fault{http.StatusBadGateway, "Slack did not take the question, so nobody was asked; weir's log says why. You can ask again"}
	}
	s.asking.latest = v.ID
	return v, nil
}

// mayAsk returns whom somebody may ask of an episode, or why nobody.
func (s *Server) mayAsk(c *call, key string) (member string, err error) {
	e := c.Snapshot.Episode(key)
	switch {
	case s.Judge == nil || s.Ask == nil:
		return "", &fault{http.StatusForbidden, "nobody is asked here: verdicts.ask is not set"}
	case c.person.Role < access.Analyst:
		return "", &fault{http.StatusForbidden, "a viewer asks nobody; that takes the role analyst"}
	case e == nil:
		return "", s.unknown(c)
	case !e.WasSent():
		return "", &fault{http.StatusConflict, "nobody was sent a message of this episode"}
	}
	member, why := s.Ask.Whom.Addressee(e.Alert)
	if why != "" {
		return "", &fault{http.StatusConflict, why}
	}
	return member, nil
}

// askedName says in words who is asked of an alert.
func (s *Server) askedName(a *alerting.Alert) string {
	if s.Ask.Whom == ask.Owner {
		return "the owner of the account"
	}
	return "the manager, " + alerting.Printable(a.Person.Manager, 100)
}
