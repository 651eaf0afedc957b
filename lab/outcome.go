package lab

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/eventtime"
)

// Outcome is what became of one leak in one run.
type Outcome struct {
	Identity string        `json:"identity"`
	Role     string        `json:"role,omitempty"`
	Work     string        `json:"work,omitempty"` // the endpoint through which it mostly works
	Usual    float64       `json:"usual_per_day"`  // distinct records on an active day before the leak
	Start    alerting.Time `json:"start"`
	Caught   bool          `json:"caught"`
	// By is the episode that caught it, dimension and identity, and Why its fact,
	// measure or kind.
	By    string  `json:"by,omitempty"`
	Why   string  `json:"why,omitempty"`
	Delay float64 `json:"delay_hours,omitempty"` // from the first stolen record to the alert
	// Gone is how many records were taken before the alert (all, if it was not
	// caught), of Taken in all; of a report they are rows.
	Gone   int64 `json:"gone"`
	Taken  int64 `json:"taken"`
	ByLuck bool  `json:"by_chance"` // the log without the leak has an episode open at the same places in that time, too
	// Anyway is that episode, as By and Why say it of the one that caught the leak.
	Anyway string `json:"anyway,omitempty"`
}

// FormatDelay writes a delay in hours: as minutes below two hours, else as hours.
func FormatDelay(h float64) string {
	if h < 2 {
		return fmt.Sprintf("%.0f min", h*60)
	}
	return fmt.Sprintf("%.1f h", h)
}

// passes is the part of an identity's accesses that must be the leak's for a
// statistical alert on it to count as the leak's.
const passes = 0.2

// Judge says what became of the leak, from the alerts of the run with it and of
// the run without. An episode that is open without the leak at that moment is no
// catch.
func (p *Plan) Judge(with, without []alerting.Alert) Outcome {
	o := Outcome{Identity: p.Identity, Role: p.Role, Work: p.Work, Usual: math.Round(10*p.Usual) / 10, Start: alerting.Time(p.From)}
	first := p.From
	for i := range p.events {
		if p.events[i].Action.Access() {
			first = p.events[i].Time
			break
		}
	}
	o.Taken = int64(len(p.taken)) + p.rows
	o.Gone = o.Taken
	if a := p.found(with, without); a != nil {
		o.Caught, o.By, o.Why = true, a.Dimension+" "+a.Identity, a.RestsOn()
		o.Delay = float64(int64(a.Time)-first) / float64(eventtime.Hour)
		o.Gone = p.goneBefore(int64(a.Time))
	}
	if a := p.anyway(without); a != nil {
		o.ByLuck, o.Anyway = true, fmt.Sprintf("%s %s (%s)", a.Dimension, a.Identity, a.RestsOn())
	}
	return o
}

func (p *Plan) goneBefore(t int64) int64 {
	n := int64(sort.Search(len(p.taken), func(i int) bool { return p.taken[i] >= t }))
	for i := range p.events {
		if ev := &p.events[i]; ev.Time < t {
			n += ev.Rows
		}
	}
	return n
}

// found returns the first alert that opened an episode at a place of the leak
// while it lasted, or within a day of it, unless the episode is open at that moment
// without the leak, too.
func (p *Plan) found(with, without []alerting.Alert) *alerting.Alert {
	for i := range with {
		if a := &with[i]; p.opens(a) && !openAt(without, a, int64(a.Time)) {
			return a
		}
	}
	return nil
}

// opens reports whether the alert opens an episode at a place of the leak while it
// lasts, or within a day of it.
func (p *Plan) opens(a *alerting.Alert) bool {
	return a.Status == alerting.Open && int64(a.Time) > p.From && !p.Over(int64(a.Time)) && p.at(a)
}

// anyway returns the first alert by which the log without the leak has an episode
// open at a place of the leak in its time; nil if there is none.
func (p *Plan) anyway(without []alerting.Alert) *alerting.Alert {
	for i := range without {
		a := &without[i]
		before := a.Status == alerting.Open && int64(a.Time) <= p.From && p.at(a) && openAt(without, a, p.From)
		if before || p.opens(a) {
			return a
		}
	}
	return nil
}

// openAt reports whether, by the alerts in the order of time, the episode of an
// alert is open at a time (Unix ms).
func openAt(alerts []alerting.Alert, of *alerting.Alert, t int64) bool {
	open := false
	for i := range alerts {
		if a := &alerts[i]; a.Dimension == of.Dimension && a.Identity == of.Identity && int64(a.Time) <= t {
			open = a.Status != alerting.Close
		}
	}
	return open
}

// at reports whether the alert is about an identity that the leak goes through:
// one to which it brings a good part of what it does or, where it is a fact or
// a campaign, any.
func (p *Plan) at(a *alerting.Alert) bool {
	if a.Kind == alerting.KindCampaign {
		dim, id, _ := strings.Cut(a.Identity, " ")
		if p.through(dim, id, 0) {
			return true
		}
		if a.Members == nil {
			return false
		}
		for _, m := range a.Members.Named() {
			if p.through(m.Dimension, m.Identity, 0) {
				return true
			}
		}
		return false
	}
	least := passes
	if a.Kind == alerting.KindFact {
		least = 0
	}
	return p.through(a.Dimension, a.Identity, least)
}

func (p *Plan) through(dimension, identity string, least float64) bool {
	for i := range p.dims {
		if p.dims[i].Name != dimension {
			continue
		}
		t := p.marks[mark{i, identity}]
		return t != nil && t.stolen > 0 && float64(t.stolen) >= least*float64(t.own+t.stolen)
	}
	return false
}

// Chance returns the share of identities at which the log without any leak
// raises an alert in the leak's time: what a detector that knows nothing of the
// leak would score. identities are those of Qualifying, in the leak's dimension.
func (p *Profile) Chance(l *Leak, identities []string, alerts []alerting.Alert) float64 {
	from, to, err := p.Window(l)
	if err != nil || len(identities) == 0 {
		return 0
	}
	hit := map[string]bool{}
	for i := range alerts {
		a := &alerts[i]
		if a.Status == alerting.Open && a.Dimension == l.Dimension && int64(a.Time) > from && int64(a.Time) <= to+eventtime.Day {
			hit[a.Identity] = true
		}
	}
	n := 0
	for _, id := range identities {
		if hit[id] {
			n++
		}
	}
	return float64(n) / float64(len(identities))
}
