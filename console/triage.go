package console

import (
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/chart"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/correlate"
)

// Count is a value and how many episodes have it.
type Count struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// TriageView is what there is to decide.
type TriageView struct {
	AsOf       alerting.Time `json:"as_of,omitempty"` // event time
	Total      int           `json:"total"`           // that the filter chooses
	Offset     int           `json:"offset"`
	Limit      int           `json:"limit"`
	Next       string        `json:"next,omitempty"` // query of the next part
	States     []Count       `json:"states"`         // of all episodes
	Dimensions []Count       `json:"dimensions"`     // of those in the state that was asked for
	Measures   []Count       `json:"measures"`
	Episodes   []Row         `json:"episodes"`

	filter model.Filter
	query  url.Values
	chosen []*model.Episode
	all    []*model.Episode
	server *Server
}

// Limits of one part of a list.
const (
	defaultLimit = 50
	maxLimit     = 1000
)

func filterParams() []param {
	return []param{
		{name: "state", doc: "open: sent to people and going on (the default); held: going on and held back; closed; all.", in: "query", values: []string{"open", "held", "closed", "all"}},
		{name: "severity", doc: "The least severity.", in: "query", values: []string{"low", "medium", "high", "critical"}},
		{name: "dimension", doc: "The dimension, such as user; campaign for campaigns.", in: "query"},
		{name: "rests_on", doc: "The fact, or the strongest measure.", in: "query"},
		{name: "verdict", doc: "What people said last; none: nobody said anything.", in: "query", values: []string{"none", "acknowledge", "expected", "confirmed"}},
		{name: "holder", doc: "Who holds it; nobody; me: who asks.", in: "query"},
		{name: "q", doc: "Part of the identity or of the dedup key, whatever its case.", in: "query"},
		{name: "sort", doc: "severity: the gravest first, then by excess × certainty (the default); newest; exposed.", in: "query", values: []string{"severity", "newest", "exposed"}},
	}
}

// filterOf reads a filter from a URL that a person asks for.
func filterOf(q url.Values, who access.Person) (f model.Filter, err error) {
	for _, p := range filterParams() {
		if v := q.Get(p.name); v != "" && p.values != nil && !slices.Contains(p.values, v) {
			return f, badRequest("%s is one of %v", p.name, p.values)
		}
	}
	f = model.Filter{
		State: model.State(q.Get("state")), Dimension: q.Get("dimension"), Measure: q.Get("rests_on"),
		Verdict: q.Get("verdict"), Holder: q.Get("holder"), Text: q.Get("q"), Sort: model.Sort(q.Get("sort")),
	}
	if f.Holder == "me" {
		f.Holder = holderName(who.Name)
	}
	if f.State == "" {
		f.State = model.Open
	}
	if name := q.Get("severity"); name != "" {
		f.Severity, err = episode.ParseSeverity(name)
	}
	return f, err
}

// part reads offset and limit.
func part(q url.Values) (offset, limit int, err error) {
	number := func(name string, otherwise, least, most int) (int, error) {
		text := q.Get(name)
		if text == "" {
			return otherwise, nil
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, badRequest("%s is a number from %d to %d", name, least, most)
		}
		return n, nil
	}
	if offset, err = number("offset", 0, 0, model.MaxEpisodes); err != nil {
		return 0, 0, err
	}
	limit, err = number("limit", defaultLimit, 1, maxLimit)
	return offset, limit, err
}

// nextPart returns the query of what follows, empty if nothing does.
func nextPart(q url.Values, offset, limit, total int) string {
	if offset+limit >= total {
		return ""
	}
	next := maps.Clone(q)
	if next == nil {
		next = url.Values{}
	}
	next.Set("offset", strconv.Itoa(offset+limit))
	return "?" + next.Encode()
}

func (s *Server) triage(r *http.Request, c *call) (any, error) {
	q := r.URL.Query()
	f, err := filterOf(q, c.person)
	if err != nil {
		return nil, err
	}
	offset, limit, err := part(q)
	if err != nil {
		return nil, err
	}
	chosen := c.Snapshot.Select(f)
	v := &TriageView{
		AsOf: c.Now(), Total: len(chosen), Offset: offset, Limit: limit, Next: nextPart(q, offset, limit, len(chosen)),
		filter: f, query: q, chosen: chosen, all: c.Snapshot.Episodes(), server: s,
	}
	v.count(c.Snapshot)
	v.Episodes = s.rows(c.Snapshot, chosen[min(offset, len(chosen)):min(offset+limit, len(chosen))], v.AsOf)
	return v, nil
}

// count counts the episodes by what can be filtered by.
func (v *TriageView) count(s *model.Snapshot) {
	v.States = []Count{}
	for _, state := range []model.State{model.Open, model.Held, model.Closed} {
		v.States = append(v.States, Count{string(state), s.Counts(state).Episodes})
	}
	of := s.Counts(v.filter.State)
	v.Dimensions, v.Measures = sorted(of.Dimensions), sorted(of.RestOn)
}

func sorted(m map[string]int) []Count {
	out := []Count{}
	for _, value := range slices.Sorted(maps.Keys(m)) {
		out = append(out, Count{value, m[value]})
	}
	return out
}

// laneDays and laneSpans bound the picture of the fleet.
const (
	laneDays  = 14
	laneSpans = 200 // of a lane, the most urgent
)

// Lanes draws the episodes of the last two weeks, by dimension, and those paler that the
// filter does not choose.
func (v *TriageView) Lanes() template.HTML {
	others := v.all
	if len(v.chosen) == len(others) {
		others = nil
	}
	return v.server.lanesOf(v.chosen, others, v.AsOf, laneDays)
}

// lanesOf draws episodes of the days before a time, by dimension: first those that are
// chosen, and where there is room others of all.
func (s *Server) lanesOf(chosen, all []*model.Episode, now alerting.Time, days int64) template.HTML {
	to := int64(now)
	from := to - days*eventtime.Day
	lanes := map[string]*chart.Lane{}
	drawn := map[*model.Episode]bool{}
	add := func(e *model.Episode, other bool) {
		a := e.Alert
		lane := lanes[a.Dimension]
		full := lane != nil && len(lane.Spans) >= laneSpans
		if other && (full || drawn[e]) {
			return
		}
		end := to
		if !e.IsOpen() {
			end = int64(a.Time)
		}
		switch {
		case end < from:
			return
		case full:
			lane.Further++
			return
		case lane == nil:
			lane = &chart.Lane{Name: a.Dimension}
			lanes[a.Dimension] = lane
		}
		drawn[e] = true
		lane.Spans = append(lane.Spans, chart.Span{
			From: int64(a.Onset), To: end, Class: a.Severity.String(), Closed: !e.IsOpen(), Other: other,
			Label: alerting.Printable(a.Identity, maxName) + ", " + a.Severity.String(),
		})
	}
	for _, e := range chosen {
		add(e, false)
	}
	for _, e := range all {
		add(e, true)
	}
	var list []chart.Lane
	for _, name := range slices.Sorted(maps.Keys(lanes)) {
		list = append(list, *lanes[name])
	}
	if len(list) == 0 {
		return ""
	}
	return chart.Lanes(fmt.Sprintf("episodes of the last %d days, one bar each from its onset, by dimension", days), list, from, to, s.Location)
}

// First returns the number of the first episode of this part of the list.
func (v *TriageView) First() int { return v.Offset + 1 }

// Last returns the number of the last episode of this part of the list.
func (v *TriageView) Last() int { return v.Offset + len(v.Episodes) }

// With returns the page's query with one value changed, from the beginning of the
// list.
func (v *TriageView) With(name, value string) string {
	q := maps.Clone(v.query)
	if q == nil {
		q = url.Values{}
	}
	q.Del("offset")
	if q.Set(name, value); value == "" {
		q.Del(name)
	}
	return "?" + q.Encode()
}

// Is reports whether a value of the query is the one that was asked for.
func (v *TriageView) Is(name, value string) bool {
	got := v.query.Get(name)
	if name == "state" && got == "" {
		got = string(model.Open)
	}
	return got == value
}

// Query returns a value of the query.
func (v *TriageView) Query(name string) string { return v.query.Get(name) }

// Severities returns the severities that can be filtered by.
func (*TriageView) Severities() []string { return []string{"low", "medium", "high", "critical"} }

// Verdicts returns the verdicts that can be filtered by.
func (*TriageView) Verdicts() []string {
	return []string{model.NoVerdict, string(correlate.Acknowledged), string(correlate.Confirmed), string(correlate.Expected)}
}
