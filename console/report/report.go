// Package report adds up a week: what opened and who was sent it, what people
// said of it, how much of the budget was used, and what was held back. It is pure.
package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/stream/correlate"
)

// Report is a week. Times are event times.
type Report struct {
	Week      string                 `json:"week"` // ISO 8601, such as 2026-W10
	From      time.Time              `json:"from"` // a Monday, in the configured zone
	To        time.Time              `json:"to"`   // exclusive
	Opened    int                    `json:"opened"`
	Sent      int                    `json:"sent"`       // of those opened: that people got
	Open      int                    `json:"still_open"` // of those opened
	Severity  map[string]int         `json:"severity"`   // of those sent, by their gravest message
	Judged    map[string]int         `json:"verdicts"`   // by kind; of those opened
	Unjudged  int                    `json:"unanswered"` // of those sent
	Rates     map[string][]FalseRate `json:"false_alarms"`
	Reasons   []Reason               `json:"reasons"`              // of what was expected or acknowledged, at most 50
	ToAnswer  int64                  `json:"to_answer_seconds"`    // median from the first message to the first answer
	Answered  int                    `json:"answered"`             // of those sent
	Budget    float64                `json:"budget_per_day"`       // of statistical openings; 0: not known
	Used      float64                `json:"used_per_day"`         // statistical openings that were sent
	HeldBack  []Held                 `json:"held_back"`            // messages of the week, by what held them
	Confirmed []Case                 `json:"confirmed"`            // leaks, those that exposed most first, at most 50
	Leaks     int                    `json:"confirmed_count"`      // all of them
	Exposed   int64                  `json:"exposed_by_confirmed"` // sum; one record may count twice
}

// FalseRate is how much of what was judged was harmless, of one value of what is
// told apart.
type FalseRate struct {
	Value    string `json:"value"`
	Judged   int    `json:"judged"`   // confirmed or expected
	Harmless int    `json:"harmless"` // expected
	Sent     int    `json:"sent"`
}

// Reason is why somebody said something.
type Reason struct {
	Key     string                `json:"dedup_key"`
	Kind    correlate.VerdictKind `json:"kind"`
	Subject string                `json:"subject"`
	Reason  string                `json:"reason"`
	Author  string                `json:"author"`
}

// Held is how many messages something held back.
type Held struct {
	Kind     correlate.SuppressedKind `json:"kind"`
	Name     string                   `json:"name"`
	Reason   string                   `json:"reason,omitempty"`
	Messages int                      `json:"messages"`
}

// Case is an episode that was confirmed.
type Case struct {
	Key      string           `json:"dedup_key"`
	Summary  string           `json:"summary"`
	Exposed  alerting.Exposed `json:"exposed"`
	Severity string           `json:"severity"`
}

// What false alarms are told apart by.
const (
	ByDetector  = "detector"
	ByRest      = "rests_on" // fact, or strongest measure
	ByDimension = "dimension"
)

// Bounds of lists.
const (
	maxReasons   = 50
	maxConfirmed = 50
)

// Severities lists how many were sent of each severity, the gravest first.
func (r *Report) Severities() (out []string) {
	for s := episode.Critical; s >= episode.Low; s-- {
		if n := r.Severity[s.String()]; n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, s))
		}
	}
	return out
}

// Further is how many leaks are not listed.
func (r *Report) Further() int { return r.Leaks - len(r.Confirmed) }

// ParseWeek returns the beginning of a week such as 2026-W10, a Monday in loc. An
// empty text is the week of a time.
func ParseWeek(text string, at time.Time, loc *time.Location) (time.Time, error) {
	if text == "" {
		text = Name(at.In(loc))
	}
	var year, week int
	if n, err := fmt.Sscanf(text, "%4d-W%2d", &year, &week); n != 2 || err != nil || year < 1970 || year > 9999 || text != fmt.Sprintf("%04d-W%02d", year, week) {
		return time.Time{}, fmt.Errorf("%q is no week; want one such as 2026-W10", text)
	}
	// The 4th of January lies in the first week (ISO 8601).
	day := time.Date(year, time.January, 4, 0, 0, 0, 0, loc)
	monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7+7*(week-1))
	if y, w := monday.ISOWeek(); y != year || w != week {
		return time.Time{}, fmt.Errorf("%d has no week %d", year, week)
	}
	return monday, nil
}

// Name returns the name of the week of a time.
func Name(at time.Time) string {
	year, week := at.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, week)
}

// Of adds up the week that begins at from.
func Of(s *model.Snapshot, from time.Time) *Report {
	to := from.AddDate(0, 0, 7)
	r := &Report{
		Week: Name(from), From: from, To: to,
		Severity: map[string]int{}, Judged: map[string]int{}, Reasons: []Reason{}, HeldBack: []Held{}, Confirmed: []Case{},
	}
	a := adder{
		Report: r, from: alerting.Time(from.UnixMilli()), to: alerting.Time(to.UnixMilli()),
		rates: map[string]map[string]*FalseRate{ByDetector: {}, ByRest: {}, ByDimension: {}}, held: map[[2]string]*Held{},
	}
	for _, e := range s.Episodes() {
		a.messages(e)
		if opened := e.Opened(); opened >= a.from && opened < a.to {
			a.episode(e)
		}
	}
	a.finish(min(a.to, max(s.Now(), a.from)))
	return r
}

// adder adds up a report.
type adder struct {
	*Report
	from, to    alerting.Time
	rates       map[string]map[string]*FalseRate
	held        map[[2]string]*Held
	waits       []time.Duration
	statistical int
}

// messages counts the messages of the week that were held back.
func (r *adder) messages(e *model.Episode) {
	for i := range e.Messages {
		m := &e.Messages[i]
		if m.HeldBy == nil || m.Time < r.from || m.Time >= r.to {
			continue
		}
		id := [2]string{string(m.HeldBy.Kind), m.HeldBy.Name}
		if r.held[id] == nil {
			r.held[id] = &Held{Kind: m.HeldBy.Kind, Name: m.HeldBy.Name, Reason: m.HeldBy.Reason}
		}
		r.held[id].Messages++
	}
}

// episode counts an episode that opened in the week.
func (r *adder) episode(e *model.Episode) {
	a := e.Alert
	r.Opened++
	if e.IsOpen() {
		r.Open++
	}
	sent := e.FirstSent()
	if sent != 0 {
		r.Sent++
		r.Severity[gravest(e).String()]++
		if a.Kind != alerting.KindFact {
			r.statistical++
			r.Budget = max(r.Budget, a.Evidence.Budget)
		}
	}
	kind := r.verdicts(e, sent)
	for by, value := range map[string]string{ByDetector: a.Detector, ByRest: a.RestsOn(), ByDimension: a.Dimension} {
		rate := r.rates[by][value]
		if rate == nil {
			rate = &FalseRate{Value: value}
			r.rates[by][value] = rate
		}
		if sent != 0 {
			rate.Sent++
		}
		if kind == correlate.Expected || kind == correlate.Confirmed {
			rate.Judged++
		}
		if kind == correlate.Expected {
			rate.Harmless++
		}
	}
	if kind == correlate.Confirmed {
		r.Confirmed = append(r.Confirmed, Case{e.Key(), e.Latest().Summary, a.Exposed, a.Severity.String()})
		r.Exposed += max(a.Exposed.Records, a.Exposed.Rows)
	}
}

// gravest returns the severity of the gravest message that people got: one that comes back
// may be less grave than it was.
func gravest(e *model.Episode) (s episode.Severity) {
	for i := range e.Messages {
		if m := &e.Messages[i]; m.HeldBy == nil {
			s = max(s, m.Severity)
		}
	}
	return s
}

// verdicts counts what people said of an episode, and returns the last of it that
// was not taken back.
func (r *adder) verdicts(e *model.Episode, sent alerting.Time) (kind correlate.VerdictKind) {
	for i := range e.Verdicts {
		v := &e.Verdicts[i]
		if v.Kind.Judges() {
			kind = v.Kind
		}
		if kind == correlate.Reopened {
			kind = ""
		}
		if v.Reason != "" && len(r.Reasons) < maxReasons {
			r.Reasons = append(r.Reasons, Reason{e.Key(), v.Kind, e.Alert.Dimension + " " + alerting.Printable(e.Alert.Identity, 200), alerting.Printable(v.Reason, 500), v.Author})
		}
	}
	if kind != "" {
		r.Judged[string(kind)]++
	}
	if sent == 0 {
		return kind
	}
	if len(e.Verdicts) == 0 {
		r.Unjudged++
		return kind
	}
	r.Answered++
	r.waits = append(r.waits, max(0, time.Duration(e.Verdicts[0].Time-sent)*time.Millisecond))
	return kind
}

// finish writes what is known only at the end; end is how far the week has come.
func (r *adder) finish(end alerting.Time) {
	if days := float64(end-r.from) / float64(24*time.Hour/time.Millisecond); days > 0 {
		r.Used = float64(int(float64(r.statistical)/max(days, 1)*100+0.5)) / 100
	}
	if len(r.waits) > 0 {
		slices.Sort(r.waits)
		r.ToAnswer = int64(r.waits[len(r.waits)/2].Seconds())
	}
	r.Rates = map[string][]FalseRate{}
	for by, rates := range r.rates {
		r.Rates[by] = []FalseRate{}
		for _, value := range slices.Sorted(maps.Keys(rates)) {
			r.Rates[by] = append(r.Rates[by], *rates[value])
		}
	}
	for _, h := range r.held {
		r.HeldBack = append(r.HeldBack, *h)
	}
	slices.SortFunc(r.HeldBack, func(a, b Held) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	slices.SortStableFunc(r.Confirmed, func(a, b Case) int {
		return cmp.Compare(max(b.Exposed.Records, b.Exposed.Rows), max(a.Exposed.Records, a.Exposed.Rows))
	})
	r.Leaks = len(r.Confirmed)
	r.Confirmed = r.Confirmed[:min(r.Leaks, maxConfirmed)]
}
