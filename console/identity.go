package console

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"

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
	Peers     string           `json:"peers,omitempty"`      // the group that it is held against
	Person    *alerting.Person `json:"person,omitempty"`     // what is known of the person whose it is, by the latest alert
	Names     []string         `json:"names"`                // by which the person acted, by the latest alert that says it
	Week      []model.Bin      `json:"week"`                 // hours in which its evidence stood out, as far as they are kept
	Days      []model.Bin      `json:"days"`                 // the days that they are in, up to the last of these hours
	PeerLevel *PeerLevel       `json:"peer_level,omitempty"` // what others read; absent where that is not known
	Episodes  []Row            `json:"episodes"`             // the latest first
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
	week := c.Snapshot.Week(v.Dimension, v.Name)
	v.Week, v.Days = append([]model.Bin{}, week.Hours...), append([]model.Bin{}, week.Days...)
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
	v.PeerLevel = levelOf(c.Snapshot, v.Dimension, v.Peers)
	others := c.Snapshot.OfPeers(v.Peers, v.Name, v.AsOf-alerting.Time(historyDays*eventtime.Day))
	v.Further = max(0, len(others)-maxOthers)
	v.Others = append([]model.Identity{}, others[:min(len(others), maxOthers)]...)
	v.Episodes = s.rows(c.Snapshot, v.list[:min(len(v.list), maxLimit)], v.AsOf)
	return v, nil
}

// PeerLevel is what the peers of an identity read on a mean day with work, in customers.
type PeerLevel struct {
	model.Level
	All bool `json:"all_of_dimension"` // peers are too few, or not known: it is of all of the dimension
}

// levelOf returns what the peers of an identity read, who are named by DIMENSION:NAME of
// what they work with.
func levelOf(s *model.Snapshot, dimension, peers string) *PeerLevel {
	_, with, _ := strings.Cut(peers, ":")
	for _, name := range []string{with, ""} {
		if l, known := s.Level(model.Group{Dimension: dimension, Name: name}); known {
			return &PeerLevel{l, name == ""}
		}
	}
	return nil
}

// Bounds of what is shown beside the episodes.
const (
	historyDays = 180
	maxOthers   = 20
)

// Lanes draws the identity's episodes of the last half year.
func (v *IdentityView) Lanes() template.HTML {
	return v.server.lanesOf(v.list, nil, v.AsOf, historyDays)
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

// Heat draws its week by hours, and whole days beside what its peers do; empty where nothing
// of it is kept.
func (v *IdentityView) Heat() template.HTML {
	if len(v.Week) == 0 {
		return ""
	}
	var cells []chart.Cell
	for i := range v.Week {
		b := &v.Week[i]
		cells = append(cells, chart.Cell{At: int64(b.Start), Value: float64(b.Distinct.Counted), Level: beyond(&b.Distinct), Label: v.label(b, timeLayout, "in an hour with work")})
	}
	var days []chart.Day
	for i := range v.Days {
		d := &v.Days[i]
		days = append(days, chart.Day{At: int64(d.Start), Value: float64(d.Distinct.Counted), Usual: float64(d.Distinct.Usual), Label: v.label(d, "Mon 2 Jan 2006", "on a day with work")})
	}
	peers := -1.0
	if v.PeerLevel != nil {
		peers = v.PeerLevel.Distinct
	}
	return chart.Heat("The week by hours, and by whole days", cells, days, peers, int64(v.Week[len(v.Week)-1].Start), v.server.Location)
}

// label says what was counted in an hour or on a day.
func (v *IdentityView) label(b *model.Bin, layout, when string) string {
	label := fmt.Sprintf("%s: %s customers; usual %s %s", b.Start.Std().In(v.server.Location).Format(layout), alerting.Decimal(float64(b.Distinct.Counted)), alerting.Decimal(float64(b.Distinct.Usual)), when)
	if b.FirstTouch.Counted > 0 {
		label += fmt.Sprintf("; %s new to it", alerting.Decimal(float64(b.FirstTouch.Counted)))
	}
	return label
}

// beyond returns how far a count is above the usual: 0 up to it, then up to twice, up to
// five times, and more.
func beyond(c *model.Measured) int {
	switch {
	case c.Counted <= c.Usual:
		return 0
	case c.Counted <= 2*c.Usual:
		return 1
	case c.Counted <= 5*c.Usual:
		return 2
	}
	return 3
}

// ADay says what it and its peers read on a day with work; empty where that is not kept.
func (v *IdentityView) ADay() string {
	if len(v.Days) == 0 {
		return ""
	}
	text := fmt.Sprintf("On a day with work it usually reads about %s customers.", alerting.Group(int64(v.Days[len(v.Days)-1].Distinct.Usual+0.5)))
	if v.PeerLevel != nil {
		who := "Its peers"
		if v.PeerLevel.All {
			who = "All of its dimension"
		}
		text += fmt.Sprintf(" %s are expected to read about %s each.", who, alerting.Group(int64(v.PeerLevel.Distinct+0.5)))
	}
	return text
}

// NewShare says what part of what it read in these bins was new to it, and what
// is usual; empty where nothing of it is kept.
func (v *IdentityView) NewShare() string {
	var read, first, usual, usualNew float64
	for i := range v.Week {
		b := &v.Week[i]
		if b.FirstTouch.Usual == 0 {
			continue // it is not known
		}
		read, first = read+float64(b.Distinct.Counted), first+float64(b.FirstTouch.Counted)
		usual, usualNew = usual+float64(b.Distinct.Usual), usualNew+float64(b.FirstTouch.Usual)
	}
	if read <= 0 || usual <= 0 {
		return ""
	}
	return fmt.Sprintf("%.0f %% of what it read in these hours was new to it (not touched within time.retention); usual are %.0f %%.", 100*min(first/read, 1), 100*min(usualNew/usual, 1))
}
