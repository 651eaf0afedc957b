package alerting

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Heartbeat is weir's word that it watches. Every destination gets one at fixed
// times, whether or not there is anything to tell, so that silence is an alarm. It
// says what was seen, told and held back since the one before, and what will be held
// back. Its JSON is what a webhook is posted.
type Heartbeat struct {
	Schema      int      `json:"schema"`
	Type        string   `json:"type"`              // HeartbeatType
	Group       string   `json:"group"`             // name of the deployment
	Destination string   `json:"destination"`       // name of the destination that gets it
	Due         Time     `json:"due"`               // wall clock at which it was due; it names the heartbeat
	Time        Time     `json:"time"`              // wall clock at which it was made
	Since       Time     `json:"since"`             // wall clock from which on it tells: the Time of the heartbeat before
	Next        Time     `json:"next"`              // wall clock at which the next heartbeat is due
	Reached     Time     `json:"reached,omitempty"` // event time up to which events are judged; 0: not known
	Events      int64    `json:"events"`            // records that came on the sources and were read
	Waiting     int64    `json:"waiting"`           // records of the sources that are not read yet
	Rejected    int64    `json:"rejected"`          // events that were rejected within a day
	Messages    int64    `json:"messages"`          // alerts that were written for people
	Opened      int64    `json:"opened"`            // episodes that alerts among Messages opened
	Open        int64    `json:"open"`              // episodes that are open now
	Held        []Held   `json:"held_back,omitempty"`
	Refused     int64    `json:"refused_verdicts"`
	Thresholds  []Limit  `json:"thresholds,omitempty"`
	Expected    []Awaits `json:"expected,omitempty"`
	Settings    *InForce `json:"settings,omitempty"` // nil: not known
	Faults      []string `json:"faults,omitempty"`   // what somebody must mend, a sentence each
}

// HeartbeatType is the type that tells the JSON of a heartbeat from that of an alert.
const HeartbeatType = "heartbeat"

// Held counts the alerts that one thing has held back.
type Held struct {
	By     string `json:"by"`             // what kind of thing: config, verdict or campaign
	Name   string `json:"name,omitempty"` // name of the entry, or id of the verdict; empty for a campaign
	Owner  string `json:"owner,omitempty"`
	Alerts int64  `json:"alerts"`
}

// Limit is what evidence must reach to open an episode.
type Limit struct {
	Dimension string  `json:"dimension"`
	Group     string  `json:"group"` // group of statistics, such as volume
	Nats      float64 `json:"nats"`
}

// Awaits is what is declared to be harmless, by whom, and until when, in event time.
type Awaits struct {
	By     string `json:"by"` // config or verdict
	Name   string `json:"name"`
	What   string `json:"what"` // dimension and identity
	Owner  string `json:"owner"`
	Reason string `json:"reason,omitempty"`
	Until  Time   `json:"until"`
}

// InForce says since when the settings are as they are, and who ran the process that
// brought them into force.
type InForce struct {
	Since Time   `json:"since"`
	By    string `json:"by"`
}

// MessageID returns the id of the message to a destination. It is the same whenever
// the heartbeat of that time is sent again.
func (h *Heartbeat) MessageID() string {
	return HeartbeatType + "_" + h.Destination + "_" + strconv.FormatInt(int64(h.Due), 10)
}

// HeldBack returns how many alerts were held back.
func (h *Heartbeat) HeldBack() (n int64) {
	for i := range h.Held {
		n += h.Held[i].Alerts
	}
	return n
}

// Sound reports whether there is nothing that somebody must mend.
func (h *Heartbeat) Sound() bool { return len(h.Faults) == 0 }

// AppendJSON appends the heartbeat as one line of JSON, without the newline.
func (h *Heartbeat) AppendJSON(b []byte) []byte {
	text, err := json.Marshal(h)
	if err != nil {
		panic(fmt.Sprintf("alerting: a heartbeat does not encode: %v", err)) // a mistake in this file: it holds plain values
	}
	return append(b, text...)
}

// Report is what a message says of a heartbeat, as Content does of an alert.
type Report struct {
	Title    string
	Sentence string
	Figures  []Field
	Sections []Section
}

// Section is a heading and its lines.
type Section struct {
	Heading string
	Lines   []string
}

// Report returns what messages say of the heartbeat, with times in loc (nil: UTC).
func (h *Heartbeat) Report(loc *time.Location) *Report {
	if loc == nil {
		loc = time.UTC
	}
	at := func(t Time) string { return t.Std().In(loc).Format(dayTimeLayout) }
	r := &Report{Title: h.title()}
	r.Sentence = fmt.Sprintf("Between %s and %s (%s) weir read %s and %s; %s held back. The next such word is due %s. If it does not come, nobody watches.",
		at(h.Since), at(h.Time), loc, plural(h.Events, "event", "events"), h.reported(),
		were(h.HeldBack()), at(h.Next))
	r.Figures = []Field{{"Events read", Group(h.Events)}, {"Waiting to be read", Group(h.Waiting)}, {"Rejected", Group(h.Rejected)}}
	if h.Reached != 0 {
		r.Figures = append(r.Figures, Field{"Judged up to", at(h.Reached)})
	}
	r.Figures = append(r.Figures,
		Field{"Opened", Group(h.Opened)}, Field{"Open now", Group(h.Open)}, Field{"Held back", Group(h.HeldBack())},
		Field{"Verdicts refused", Group(h.Refused)})
	if h.Settings != nil {
		r.Figures = append(r.Figures, Field{"Settings in force since", at(h.Settings.Since) + ", by " + Printable(h.Settings.By, maxValue)})
	}
	section := func(heading string, lines []string) {
		if len(lines) > 0 {
			r.Sections = append(r.Sections, Section{heading, more(lines)})
		}
	}
	section("What must be mended", lines(h.Faults))
	section("What was held back", h.heldLines())
	section("What is expected", h.expectedLines(at))
	section("Evidence that opens an episode, in nats", h.thresholdLines())
	return r
}

func (h *Heartbeat) title() string {
	switch {
	case !h.Sound():
		return "weir watches, but not all is well: " + plural(int64(len(h.Faults)), "fault", "faults")
	case h.Opened > 0:
		return "weir watches: " + plural(h.Opened, "episode", "episodes") + " opened"
	case h.Open > 0:
		return "weir watches: nothing new, " + plural(h.Open, "episode", "episodes") + " still open"
	}
	return "weir watches: all quiet"
}

// reported says what people were told, such as "wrote 7 messages, by which 3 episodes opened".
func (h *Heartbeat) reported() string {
	switch {
	case h.Messages == 0:
		return "had nothing to tell"
	case h.Opened == 0:
		return "wrote " + plural(h.Messages, "message", "messages") + " about episodes that were known"
	}
	return "wrote " + plural(h.Messages, "message", "messages") + ", by which " + plural(h.Opened, "episode", "episodes") + " opened"
}

func were(n int64) string {
	switch n {
	case 0:
		return "nothing was"
	case 1:
		return "1 alert was"
	}
	return Group(n) + " alerts were"
}

func (h *Heartbeat) heldLines() (out []string) {
	for i := range h.Held {
		x := &h.Held[i]
		line := Group(x.Alerts) + " by "
		switch x.By {
		case "campaign":
			line += "the message of another episode, which names them"
		case "config":
			line += "the entry " + Printable(x.Name, maxValue) + " of expected, of " + Printable(x.Owner, maxValue)
		default:
			line += "a verdict of " + Printable(cmp.Or(x.Owner, x.Name), maxValue)
		}
		out = append(out, line)
	}
	return out
}

func (h *Heartbeat) expectedLines(at func(Time) string) (out []string) {
	for i := range h.Expected {
		x := &h.Expected[i]
		name := "verdict"
		if x.By == "config" {
			name = Printable(x.Name, maxValue)
		}
		line := name + ": " + Printable(x.What, maxValue) + ", until " + at(x.Until) + ", by " + Printable(x.Owner, maxValue)
		if x.Reason != "" {
			line += ": " + Printable(x.Reason, maxValue)
		}
		out = append(out, line)
	}
	return out
}

// thresholdLines has one line for each dimension.
func (h *Heartbeat) thresholdLines() (out []string) {
	last := ""
	for i := range h.Thresholds {
		x := &h.Thresholds[i]
		text := x.Group + " " + strconv.FormatFloat(x.Nats, 'f', 2, 64)
		if x.Dimension == last {
			out[len(out)-1] += ", " + text
			continue
		}
		last = x.Dimension
		out = append(out, Printable(x.Dimension, maxValue)+": "+text)
	}
	return out
}

// more keeps the first lines of a list, and says how many there are beside them.
func more(list []string) []string {
	if len(list) <= maxLines {
		return list
	}
	return append(list[:maxLines-1:maxLines-1], fmt.Sprintf("and %d more", len(list)-maxLines+1))
}

// Lines returns the report as plain text for people: the sentence, the figures and the
// sections.
func (r *Report) Lines() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Sentence)
	for _, f := range r.Figures {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
	}
	for _, s := range r.Sections {
		fmt.Fprintf(&b, "\n%s\n", s.Heading)
		for _, l := range s.Lines {
			fmt.Fprintf(&b, "  %s\n", l)
		}
	}
	return b.String()
}
