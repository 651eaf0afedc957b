package console

import (
	"fmt"
	"html/template"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/chart"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/stream/correlate"
)

// Row is an episode or campaign in one line of a list.
type Row struct {
	Key        string                  `json:"dedup_key"`
	Kind       alerting.Kind           `json:"kind"`
	Dimension  string                  `json:"dimension"`
	Identity   string                  `json:"identity"`
	Title      string                  `json:"title"`
	Sentence   string                  `json:"sentence"`
	RestsOn    string                  `json:"rests_on"` // the fact, else the strongest measure
	Severity   episode.Severity        `json:"severity"`
	Confidence episode.Confidence      `json:"confidence,omitempty"`
	State      model.State             `json:"state"`
	Onset      alerting.Time           `json:"onset"`
	Opened     alerting.Time           `json:"opened"`
	Latest     alerting.Time           `json:"latest"` // event time of the latest message
	Exposed    alerting.Exposed        `json:"exposed"`
	Measure    string                  `json:"measure,omitempty"`
	Excess     alerting.Bounds         `json:"excess"` // in the unit of the measure
	Weight     float64                 `json:"weight"` // excess × certainty
	Members    int64                   `json:"members,omitempty"`
	Campaign   string                  `json:"campaign,omitempty"`
	Verdict    *correlate.Verdict      `json:"verdict,omitempty"`
	Holder     string                  `json:"holder,omitempty"`
	HeldBy     *correlate.SuppressedBy `json:"held_by,omitempty"`

	// Days are those of the last two weeks on which it stood out, up to its latest hour
	// that did, as far as they are kept.
	Days []model.Bin `json:"days,omitempty"`

	Unit   string        `json:"-"` // what Excess counts: customers, rows or tokens
	Now    alerting.Time `json:"-"` // event time up to which the snapshot tells
	most   float64       // the largest excess of the list
	server *Server
}

// sparkDays is how many days a row draws.
const sparkDays = 14

// rowOf returns the row of an episode of a snapshot at a time.
func (s *Server) rowOf(of *model.Snapshot, e *model.Episode, now alerting.Time) Row {
	a := e.Alert
	r := Row{
		Key: e.Key(), Kind: a.Kind, Dimension: a.Dimension, Identity: alerting.Printable(a.Identity, maxName),
		Title: alerting.Title(a), Sentence: e.Latest().Summary, RestsOn: a.RestsOn(),
		Severity: a.Severity, Confidence: a.Confidence, State: e.State(), Onset: a.Onset, Opened: e.Opened(), Latest: e.Latest().Time,
		Exposed: a.Exposed, Measure: a.Measure, Excess: a.Excess, Unit: a.ExcessUnit(), Weight: model.Weight(a), Campaign: a.Campaign,
		Verdict: e.Verdict(now), Holder: e.Holder(), HeldBy: e.HeldBy(), Now: now, server: s,
	}
	if r.Kind == "" {
		r.Kind = alerting.Statistical
	}
	if a.Members != nil {
		r.Members = a.Members.Count
	}
	from := now.Std().In(s.Location).AddDate(0, 0, -sparkDays)
	for _, day := range of.Week(a.Dimension, a.Identity).Days {
		if day.Start.Std().After(from) {
			r.Days = append(r.Days, day)
		}
	}
	return r
}

// maxName is how many bytes of an identity are shown.
const maxName = 200

// rows returns rows of episodes, with a scale in common.
func (s *Server) rows(of *model.Snapshot, list []*model.Episode, now alerting.Time) []Row {
	out, most := make([]Row, len(list)), 0.0
	for i, e := range list {
		out[i] = s.rowOf(of, e, now)
		most = max(most, float64(out[i].Excess.High))
	}
	for i := range out {
		out[i].most = most
	}
	return out
}

// Spark draws what it did on each of the last days on which it stood out, against what is
// usual; empty where none is kept.
func (r *Row) Spark() template.HTML {
	if len(r.Days) == 0 {
		return ""
	}
	var list []chart.Sample
	for i := range r.Days {
		d := &r.Days[i].Distinct
		usual, spread := float64(d.Usual), float64(d.Spread)
		list = append(list, chart.Sample{Time: int64(r.Days[i].Start), Value: float64(d.Counted), Least: max(0, usual-2*spread), Most: usual + 2*spread})
		s := &list[i]
		s.Label = fmt.Sprintf("%s: %s customers, usual %s to %s", r.Days[i].Start.Std().In(r.server.Location).Format("Mon 2 Jan"), alerting.Decimal(s.Value), alerting.Decimal(s.Least), alerting.Decimal(s.Most))
	}
	label := fmt.Sprintf("stood out on %d of the last %d days; %s", len(list), sparkDays, list[len(list)-1].Label)
	return chart.Spark(label, list, sparkDays, int64(r.Now), r.server.Location)
}

// Bar draws the excess, with its bars.
func (r *Row) Bar() template.HTML {
	x := r.Excess
	return chart.Bar("excess on a logarithmic scale", float64(x.Records), float64(x.Low), float64(x.High), r.most)
}

// exposure returns the course of what was exposed: nothing at its beginning, then
// what each message says. It counts rows where no message tells of records.
func exposure(messages []model.Message) (out []chart.Sample) {
	rows := !slices.ContainsFunc(messages, func(m model.Message) bool { return m.Exposed.Records > 0 })
	for i := range messages {
		m := &messages[i]
		e := m.Exposed
		if i == 0 && e.Since < m.Time {
			out = append(out, chart.Sample{Time: int64(e.Since)})
		}
		s := chart.Sample{Time: int64(m.Time), Value: float64(e.Records), Low: float64(e.Low), High: float64(e.High), Hollow: m.HeldBy != nil}
		if rows {
			s.Value, s.Low, s.High = float64(e.Rows), float64(e.Rows), float64(e.Rows)
		}
		out = append(out, s)
	}
	return out
}

// counts returns what was counted of the measure that an episode rests on, by the
// intervals that messages speak of. Of several messages about one interval the latest
// has it whole.
func counts(a *alerting.Alert, messages []model.Message) (out []chart.Sample) {
	for i := range messages {
		m := &messages[i]
		if m.Status == alerting.Close || m.From == 0 || m.Measure == "" || m.Measure != a.Measure {
			continue
		}
		s := chart.Sample{Time: int64(m.From), Width: int64(m.Until - m.From), Value: m.Observed, Usual: m.Expected}
		if n := len(out); n > 0 && out[n-1].Time == s.Time {
			out[n-1] = s
			continue
		}
		out = append(out, s)
	}
	return out
}
