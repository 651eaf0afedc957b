package console

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/chart"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/correlate"
)

// EpisodeView is all that is known of one episode or campaign.
type EpisodeView struct {
	AsOf     alerting.Time       `json:"as_of,omitempty"` // event time
	Summary  Row                 `json:"summary"`
	Alert    *alerting.Alert     `json:"alert"`                       // the latest
	Messages []model.Message     `json:"messages"`                    // oldest first
	LeftOut  int                 `json:"messages_left_out,omitempty"` // after the first
	Verdicts []correlate.Verdict `json:"verdicts"`
	StandFor []Row               `json:"stands_for,omitempty"` // episodes that this message stands for; at most 100
	Hidden   int                 `json:"stands_for_further,omitempty"`
	Past     int                 `json:"past_episodes"` // further ones of the identity
	Commands []Command           `json:"commands"`      // what to run to go on

	Sent    bool              `json:"-"` // people were sent a message of it
	Content *alerting.Content `json:"-"` // what a message says
	Done    string            `json:"-"` // the verdict that was just given
	MayAsk  string            `json:"-"` // who may be asked whether it was meant, in words; empty: nobody
	People  []string          `json:"-"` // who may hold it, as far as is known
	hours   []model.Bin       // in which its evidence stood out
	server  *Server
}

// Command is a command line and what it is for.
type Command struct {
	For  string `json:"for"`
	Line string `json:"line"`
}

// maxStandFor is how many episodes of a campaign are listed.
const maxStandFor = 100

func (s *Server) episode(r *http.Request, c *call) (any, error) {
	e := c.Snapshot.Episode(r.PathValue("key"))
	if e == nil {
		return nil, s.unknown(c)
	}
	now, a := c.Now(), s.Prepare(e.Alert)
	v := &EpisodeView{
		AsOf: now, Summary: s.rowOf(c.Snapshot, e, now), Alert: a, Messages: e.Messages, LeftOut: e.LeftOut, Verdicts: e.Verdicts,
		Past: len(c.Snapshot.OfIdentity(e.Alert.Dimension, e.Alert.Identity)) - 1, Commands: commands(e),
		Sent:    e.FirstSent() != 0 || e.LeftOut > 0,
		Content: alerting.Compose(a, s.Location), server: s,
	}
	if v.Verdicts == nil {
		v.Verdicts = []correlate.Verdict{}
	}
	v.hours = hoursOf(c.Snapshot, e)
	v.Summary.most = float64(v.Summary.Excess.High)
	stand := slices.Clone(c.Snapshot.OfCampaign(e.Key()))
	slices.SortStableFunc(stand, func(a, b *model.Episode) int { return cmp.Compare(model.Weight(b.Alert), model.Weight(a.Alert)) })
	v.Hidden = max(0, len(stand)-maxStandFor)
	v.StandFor = s.rows(c.Snapshot, stand[:min(len(stand), maxStandFor)], now)
	for _, name := range s.Access.Judges() {
		v.People = append(v.People, holderName(name))
	}
	v.Done = done(r)
	if _, err := s.mayAsk(c, e.Key()); err == nil {
		v.MayAsk = s.askedName(e.Alert)
	}
	return v, nil
}

// done returns the verdict that the page says was just given, empty where the address does
// not come from the console itself: a link of somebody else's must not say it, nor anything.
func done(r *http.Request) string {
	kind := r.URL.Query().Get("done")
	from := r.Header.Get("Sec-Fetch-Site") // absent: an old browser's, or no browser's
	if from != "" && from != "same-origin" || !slices.Contains(given, correlate.VerdictKind(kind)) && kind != string(correlate.Asked) {
		return ""
	}
	return kind
}

// unknown says that there is no episode of a key, or that it is not known yet.
func (s *Server) unknown(c *call) error {
	if !c.whole {
		return &fault{http.StatusNotFound, "this episode has not been read yet: weir is still reading what it said before; the page will show it"}
	}
	return &fault{http.StatusNotFound, "there is no episode of that key; look for its identity by name under Identities"}
}

// commands returns what to run to go on.
func commands(e *model.Episode) (out []Command) {
	if e.Alert.Dimension == alerting.DestinationDimension {
		return []Command{}
	}
	out = append(out, Command{"List exactly which customers were touched (needs the record key and the right to read the sources)", "weir extract " + e.Key() + " -c weir.yaml --out customers.txt"})
	if !e.IsCampaign() && e.Alert.Kind != alerting.KindFact {
		out = append(out, Command{"Compute the evidence again, step by step", "weir explain " + e.Key() + " -c weir.yaml"})
	}
	return out
}

// Exposure draws what has been exposed, over time.
func (v *EpisodeView) Exposure() template.HTML {
	list := exposure(v.Messages)
	if len(list) < 2 {
		return ""
	}
	from, to := list[0].Time, list[len(list)-1].Time
	for i := range list[1:] {
		s := &list[i+1]
		s.Label = v.server.local(alerting.Time(s.Time)) + ": " + alerting.Group(int64(s.Value))
	}
	return chart.Exposure("exposed since the onset, over time", list, v.marks(from, to), v.server.Location)
}

// Hours draws what was counted hour by hour against what is usual, nil where fewer than
// two hours are kept, or in none of them anything was.
func (v *EpisodeView) Hours() *HoursChart {
	h := measureOf(v.Alert)
	width := v.Alert.BinWidth().Milliseconds()
	var list []chart.Sample
	any := false
	for i := range v.hours {
		n := h.of(&v.hours[i])
		if h.fresh && n.Usual == 0 {
			continue // it is not known
		}
		s := chart.Sample{Time: int64(v.hours[i].Start), Width: width, Value: float64(n.Counted), Usual: -1}
		s.Label = v.server.local(alerting.Time(s.Time)) + ": " + alerting.Decimal(s.Value)
		if n.Counted > 0 {
			any = true
			usual, spread := float64(n.Usual), float64(n.Spread)
			s.Usual, s.Least, s.Most = usual, max(0, usual-2*spread), usual+2*spread
			s.Label += ", usual " + alerting.Decimal(usual)
		}
		list = append(list, s)
	}
	if !any || len(list) < 2 {
		return nil
	}
	first, last := list[0].Time, list[len(list)-1].Time+width
	from := max(int64(v.Alert.Onset), first-eventtime.Day)
	if earliest, _, vague := v.Alert.Began(); vague {
		from = max(int64(earliest), first-eventtime.Day)
	}
	from = min(from, first)
	h.Picture = chart.Counts(h.Measure+", hour by hour, against what is usual", list, from-width, last+width, v.marks(from-width, last+width), v.server.Location)
	return h
}

// HoursChart draws a measure hour by hour.
type HoursChart struct {
	Picture template.HTML
	Measure string // in words

	of    func(*model.Bin) *model.Measured
	fresh bool // it is that of customers new to the identity
}

// measureOf returns which of the measures that are kept by hours an alert rests on.
func measureOf(a *alerting.Alert) *HoursChart {
	switch {
	case alerting.CountsRows(a.Measure):
		return &HoursChart{Measure: "rows", of: func(b *model.Bin) *model.Measured { return &b.Rows }}
	case alerting.CountsNew(a.Measure):
		return &HoursChart{Measure: "customers new to it", fresh: true, of: func(b *model.Bin) *model.Measured { return &b.FirstTouch }}
	}
	return &HoursChart{Measure: "distinct customers", of: func(b *model.Bin) *model.Measured { return &b.Distinct }}
}

// hoursOf returns the hours of an episode that are kept: from when it may have begun to its
// latest message, or on while it is open.
func hoursOf(s *model.Snapshot, e *model.Episode) []model.Bin {
	a := e.Alert
	from, to := a.Onset, e.Latest().Time
	if earliest, _, vague := a.Began(); vague {
		from = earliest
	}
	if e.IsOpen() {
		to = s.Now()
	}
	return slices.DeleteFunc(slices.Clone(s.Week(a.Dimension, a.Identity).Hours), func(b model.Bin) bool { return b.Start < from || b.Start > to })
}

// Counts draws what was counted against what is usual, empty where messages say
// nothing of it.
func (v *EpisodeView) Counts() template.HTML {
	list := counts(v.Alert, v.Messages)
	if len(list) == 0 {
		return ""
	}
	last := list[len(list)-1]
	from, to := min(int64(v.Alert.Onset), list[0].Time), max(last.Time+last.Width, int64(v.Messages[0].Time))
	margin := max((to-from)/20, eventtime.Minute)
	for i := range list {
		s := &list[i]
		s.Label = v.server.local(alerting.Time(s.Time)) + ": " + alerting.Group(int64(s.Value)) + ", usual " + alerting.Group(int64(s.Usual+0.5))
	}
	return chart.Counts("counted against what is usual, by the interval that made the case", list, from-margin, to+margin, v.marks(from, to), v.server.Location)
}

// marks returns the moments of an episode within a span: onset, first message,
// verdicts.
func (v *EpisodeView) marks(from, to int64) (out []chart.Mark) {
	a := v.Alert
	began := chart.Mark{Time: int64(a.Onset), Label: "began (estimate)", Class: "onset"}
	if earliest, latest, vague := a.Began(); vague {
		began.From, began.To = int64(earliest), int64(latest)
	}
	out = append(out, began,
		chart.Mark{Time: int64(v.Messages[0].Time), Label: "first message", Class: "alert"})
	for i := range v.Verdicts {
		out = append(out, chart.Mark{Time: int64(v.Verdicts[i].Time), Label: kindWord(string(v.Verdicts[i].Kind)), Class: "verdict"})
	}
	out = slices.DeleteFunc(out, func(m chart.Mark) bool { return m.Time < from || m.Time > to })
	slices.SortStableFunc(out, func(a, b chart.Mark) int { return cmp.Compare(a.Time, b.Time) })
	return out
}

// EvidenceChart draws the evidence of the messages, and names the measures.
type EvidenceChart struct {
	Picture  template.HTML
	Measures []string
}

// Evidence draws the evidence of the latest messages by measure; nil where there
// is none, as of a fact or a campaign.
func (v *EpisodeView) Evidence() *EvidenceChart {
	const most = 24
	var list []chart.Column
	for i := range v.Messages {
		m := &v.Messages[i]
		if m.Status == alerting.Close || len(m.Measures) == 0 {
			continue
		}
		c := chart.Column{Time: int64(m.Time), Threshold: m.Threshold}
		for _, p := range m.Measures {
			c.Parts = append(c.Parts, chart.Part{Name: p.Measure, Value: p.Evidence})
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil
	}
	list = list[max(0, len(list)-most):]
	picture, names := chart.Evidence("evidence of each message by measure, against what opens an episode", list, v.server.Location)
	return &EvidenceChart{picture, names}
}

// ShareList is what exposed records went through, of one dimension.
type ShareList struct {
	Name, Dimension string
	Shares          []alerting.Share
}

// Began says between when it began, empty where that is known to the bin.
func (v *EpisodeView) Began() []alerting.Time {
	if from, to, vague := v.Alert.Began(); vague {
		return []alerting.Time{from, to}
	}
	return nil
}

// Through lists what the exposed records went through.
func (v *EpisodeView) Through() (out []ShareList) {
	t := &v.Alert.Top
	for _, l := range []ShareList{
		{"Endpoints", "endpoint", t.Endpoints}, {"Networks", "network", t.Networks}, {"Clients", "client", t.Clients},
		{"Signing keys", "key", t.Keys}, {"Users", "user", t.Users}, {"Names of the person", "", t.Names},
	} {
		if len(l.Shares) > 0 {
			l.Shares = l.Shares[:min(len(l.Shares), alerting.MaxTop)]
			out = append(out, l)
		}
	}
	return out
}

// Percent writes a share. What is listed is not nothing, however little it is.
func (ShareList) Percent(s alerting.Share) string {
	if s.Share < 0.0005 {
		return "< 0.1 %"
	}
	return percent(s.Share)
}

// Bar draws a share.
func (ShareList) Bar(s alerting.Share) template.HTML { return chart.Share("share", s.Share) }

// LogLine is one line of an episode's log: a message or a verdict.
type LogLine struct {
	Time    alerting.Time
	Message *model.Message
	Verdict *correlate.Verdict
}

// Log returns messages and verdicts, the latest first.
func (v *EpisodeView) Log() (out []LogLine) {
	for i := range v.Messages {
		out = append(out, LogLine{Time: v.Messages[i].Time, Message: &v.Messages[i]})
	}
	for i := range v.Verdicts {
		out = append(out, LogLine{Time: v.Verdicts[i].Time, Verdict: &v.Verdicts[i]})
	}
	slices.SortStableFunc(out, func(a, b LogLine) int { return cmp.Compare(b.Time, a.Time) })
	return out
}

// Measures returns the evidence of each measure of the latest alert.
func (v *EpisodeView) Measures() []alerting.MeasureEvidence { return v.Alert.Evidence.Measures }

func (s *Server) local(t alerting.Time) string { return t.Std().In(s.Location).Format(timeLayout) }
