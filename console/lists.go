package console

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/internal/status"
	"github.com/weirhq/weir/stream/correlate"
)

// ExpectedView is what is taken for harmless, and what held messages back.
type ExpectedView struct {
	AsOf     alerting.Time `json:"as_of,omitempty"` // event time
	Declared []Declared    `json:"declared"`        // in the configuration
	Judged   []Judged      `json:"judged"`          // by verdicts that hold now
	Holders  []HolderRow   `json:"held_back"`       // what held messages back, most first
	Total    int64         `json:"total"`           // messages held back
}

// Declared is an expectation of the configuration and what it did.
type Declared struct {
	Expectation
	Messages int64         `json:"messages"` // that it held back
	Last     alerting.Time `json:"last,omitempty"`
	Example  string        `json:"example,omitempty"` // dedup key
}

// Judged is an episode that somebody expects.
type Judged struct {
	Episode  Row               `json:"episode"`
	Verdict  correlate.Verdict `json:"verdict"`
	Messages int64             `json:"messages"` // that it held back
}

// HolderRow is what held messages back.
type HolderRow struct {
	model.Holder
	Title string `json:"title,omitempty"` // of the message that stands for others
}

func (s *Server) expected(_ *http.Request, c *call) (any, error) {
	snapshot := c.Snapshot
	v := &ExpectedView{AsOf: snapshot.Now(), Declared: []Declared{}, Judged: []Judged{}, Holders: []HolderRow{}}
	held := map[correlate.SuppressedKind]map[string]model.Holder{
		correlate.ByConfig: {}, correlate.ByVerdict: {}, correlate.ByCampaign: {},
	}
	for _, h := range snapshot.Holders() {
		v.Total += h.Messages
		if held[h.By.Kind] != nil {
			held[h.By.Kind][h.By.Name] = h
		}
		row := HolderRow{Holder: h}
		if lead := snapshot.Episode(h.By.Name); lead != nil {
			row.Title = alerting.Title(lead.Alert)
		}
		v.Holders = append(v.Holders, row)
	}
	for _, x := range s.Expected {
		h := held[correlate.ByConfig][x.Name]
		v.Declared = append(v.Declared, Declared{x, h.Messages, h.Last, h.Example})
	}
	for _, e := range snapshot.Episodes() {
		if verdict := e.Verdict(v.AsOf); verdict != nil && verdict.Kind == correlate.Expected {
			v.Judged = append(v.Judged, Judged{s.rowOf(snapshot, e, v.AsOf), *verdict, held[correlate.ByVerdict][verdict.ID].Messages})
		}
	}
	slices.SortStableFunc(v.Judged, func(a, b Judged) int { return cmp.Compare(a.Verdict.Expires, b.Verdict.Expires) })
	return v, nil
}

// Beyond returns what held messages back and is not listed above: campaigns, and
// rules and verdicts that are past.
func (v *ExpectedView) Beyond() (out []HolderRow) {
	listed := map[string]bool{}
	for i := range v.Declared {
		listed[v.Declared[i].Name] = true
	}
	for i := range v.Judged {
		listed[v.Judged[i].Verdict.ID] = true
	}
	for _, h := range v.Holders {
		if !listed[h.By.Name] {
			out = append(out, h)
		}
	}
	return out[:min(len(out), defaultLimit)]
}

// IdentitiesView is what a search by name finds.
type IdentitiesView struct {
	Text       string           `json:"q"`
	Total      int              `json:"total"`
	Offset     int              `json:"offset"`
	Limit      int              `json:"limit"`
	Next       string           `json:"next,omitempty"`
	Identities []model.Identity `json:"identities"`
}

func (s *Server) identities(r *http.Request, c *call) (any, error) {
	q := r.URL.Query()
	offset, limit, err := part(q)
	if err != nil {
		return nil, err
	}
	found := c.Snapshot.Search(q.Get("q"))
	return &IdentitiesView{
		Text: q.Get("q"), Total: len(found), Offset: offset, Limit: limit, Next: nextPart(q, offset, limit, len(found)),
		Identities: append([]model.Identity{}, found[min(offset, len(found)):min(offset+limit, len(found))]...),
	}, nil
}

// HealthView is how the deployment does, as weir status tells it.
type HealthView struct {
	Known bool `json:"known"` // false where there is no deployment behind the pages
	*status.Status
}

func (s *Server) health(r *http.Request, _ *call) (any, error) {
	if s.Health == nil {
		return &HealthView{}, nil
	}
	now, err := s.Health(r.Context())
	if err != nil {
		s.Log.Warn("console: reading the status", "error", err)
		return nil, &fault{http.StatusServiceUnavailable, "Kafka cannot be asked how the deployment does; weir's log says why"}
	}
	if s.Names.For > access.Viewer { // nobody was sent a message of these people
		veiled, veil := *now, model.Veil{Personal: s.Names.Personal, Secret: s.Names.Secret}
		veiled.Facts.NeverSeen.Accounts = nil
		for _, name := range now.Facts.NeverSeen.Accounts {
			veiled.Facts.NeverSeen.Accounts = append(veiled.Facts.NeverSeen.Accounts, veil.Name("user", name))
		}
		now = &veiled
	}
	return &HealthView{Known: true, Status: now}, nil
}
