package console

import (
	"fmt"
	"html/template"
	"net/http"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/chart"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/correlate"
)

// IdentityView is what is known of one identity.
type IdentityView struct {
	AsOf      alerting.Time    `json:"as_of,omitempty"` // event time
	Dimension string           `json:"dimension"`
	Name      string           `json:"identity"`
	FirstSeen alerting.Time    `json:"first_seen,omitempty"` // by the latest alert; 0: not known
	LastSeen  alerting.Time    `json:"last_seen,omitempty"`
	Peers     string           `json:"peers,omitempty"`  // the group that it is held against
	Person    *alerting.Person `json:"person,omitempty"` // what is known of the person whose it is, by the latest alert
	Names     []string         `json:"names"`            // by which the person acted, by the latest alert that says it
	Week      []model.Bin      `json:"week"`             // bins in which its evidence stood out, as far as they are kept
	Episodes  []Row            `json:"episodes"`         // the latest first
	// Others are those of its group of peers that had an episode in the half year that is
	// shown, at most maxOthers; Further is how many more there are.
	Others  []model.Identity `json:"peers_with_episodes"`
	Further int              `json:"peers_with_episodes_further,omitempty"`

	list   []*model.Episode
	server *Server
}

func (s *Server) identity(r *http.Request, c *call) (any, error) {
	q := r.URL.Query()
	v := &IdentityView{AsOf: c.Now(), Dimension: q.Get("dimension"), Name: q.Get("name"), Names: []string{}, server: s}
	if v.Dimension == "" || v.Name == "" {
		return nil, badRequest("an identity has a dimension and a name: ?dimension=user&name=ana")
	}
	v.list = c.Snapshot.OfIdentity(v.Dimension, v.Name)
	v.Week = append([]model.Bin{}, c.Snapshot.Week(v.Dimension, v.Name)...)
	if len(v.list) == 0 && len(v.Week) == 0 {
		return nil, &fault{http.StatusNotFound, "of that identity nothing is known: it had no episode, and nothing of it stood out in the week that is kept. Look for a part of its name under Identities"}
	}
	if len(v.list) > 0 {
		a := v.list[0].Alert
		v.FirstSeen, v.LastSeen, v.Peers, v.Person = a.FirstSeen, a.LastSeen, a.Evidence.Peers, a.Person
	}
	for _, e := range v.list {
		if names := e.Alert.Top.Names; len(names) > 0 {
			for i := range names {
				v.Names = append(v.Names, names[i].Value)
			}
			break
		}
	}
	others := c.Snapshot.OfPeers(v.Peers, v.Name, v.AsOf-alerting.Time(historyDays*eventtime.Day))
	v.Further = max(0, len(others)-maxOthers)
	v.Others = append([]model.Identity{}, others[:min(len(others), maxOthers)]...)
	v.Episodes = s.rows(v.list[:min(len(v.list), maxLimit)], v.AsOf)
	return v, nil
}

// Bounds of what is shown beside the episodes.
const (
	historyDays = 180
	maxOthers   = 20
)

// Lanes draws the identity's episodes of the last half year.
func (v *IdentityView) Lanes() template.HTML {
	return v.server.lanesOf(v.list, v.AsOf, historyDays)
}

// Said says how many episodes of the half year people called what.
func (v *IdentityView) Said() string {
	episodes, confirmed, expected := 0, 0, 0
	for _, e := range v.list {
		if int64(v.AsOf-e.Latest().Time) > historyDays*eventtime.Day {
			continue
		}
		episodes++
		switch said := e.Verdict(e.Latest().Time); { // as of then: it may have expired since
		case said == nil:
		case said.Kind == correlate.Confirmed:
			confirmed++
		case said.Kind == correlate.Expected:
			expected++
		}
	}
	return fmt.Sprintf("Episodes: %d; true positives: %d; expected: %d; without such a verdict: %d.", episodes, confirmed, expected, episodes-confirmed-expected)
}

// Heat draws its week by hours; empty where nothing of it is kept.
func (v *IdentityView) Heat() template.HTML {
	if len(v.Week) == 0 {
		return ""
	}
	var cells []chart.Cell
	for i := range v.Week {
		b := &v.Week[i]
		label := fmt.Sprintf("%s: %s customers; usual %s in an hour with work", b.Start.Std().In(v.server.Location).Format(timeLayout), decimal(b.Distinct), decimal(b.Usual))
		if b.FirstTouch > 0 {
			label += fmt.Sprintf("; %s never opened before", decimal(b.FirstTouch))
		}
		cells = append(cells, chart.Cell{At: int64(b.Start), Value: b.Distinct, Level: beyond(b), Label: label})
	}
	return chart.Heat("The week by hours", cells, 7, int64(v.Week[len(v.Week)-1].Start), v.server.Location)
}

// beyond returns how far a bin is above the usual: 0 up to it, then up to twice, up to
// five times, and more.
func beyond(b *model.Bin) int {
	switch {
	case b.Distinct <= b.Usual:
		return 0
	case b.Distinct <= 2*b.Usual:
		return 1
	case b.Distinct <= 5*b.Usual:
		return 2
	}
	return 3
}

// NewShare says what part of what it read in these bins it had never read before, and what
// is usual; empty where nothing of it is kept.
func (v *IdentityView) NewShare() string {
	var read, first, usual, usualNew float64
	for i := range v.Week {
		b := &v.Week[i]
		read, first, usual, usualNew = read+b.Distinct, first+b.FirstTouch, usual+b.Usual, usualNew+b.UsualNew
	}
	if read <= 0 || usual <= 0 {
		return ""
	}
	return fmt.Sprintf("%.0f %% of what it read in these hours it had never read before; usual are %.0f %%.", 100*min(first/read, 1), 100*min(usualNew/usual, 1))
}
