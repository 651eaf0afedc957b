package tuning

import (
	"cmp"
	"slices"
	"sort"

	"github.com/weirhq/weir/alerting"
)

// Trial is what came of one budget: the figures of weir tune -o json.
type Trial struct {
	Budget    float64   `json:"budget"` // alerts a day
	PerDay    float64   `json:"alerts_per_day"`
	FirstWeek float64   `json:"alerts_per_day_first_week"`
	Opened    int64     `json:"opened"`   // on the log as it is
	Openings  []Opening `json:"openings"` // the latest of them
	Leaks     []Leak    `json:"leaks"`
}

// Cut reports whether Openings lacks some of what opened.
func (t *Trial) Cut() bool { return t.Opened > int64(len(t.Openings)) }

// Opening is an episode that would have opened.
type Opening struct {
	Time      alerting.Time `json:"time"`
	Dimension string        `json:"dimension"`
	Identity  string        `json:"identity"`
	Severity  string        `json:"severity"`
	Why       string        `json:"why"`
}

// Leak is what came of one leak that was added to the log.
type Leak struct {
	Kind       string    `json:"kind"`
	Rate       string    `json:"rate"`
	Dimension  string    `json:"dimension"`
	Tried      int       `json:"tried"`
	Caught     int       `json:"caught"`
	Median     float64   `json:"median_delay_hours,omitempty"` // of the caught
	Chance     float64   `json:"chance"`                       // share of the comparable that raise an alert then without any leak
	Comparable int       `json:"comparable"`
	Outcomes   []Outcome `json:"outcomes"`
}

// Outcome is what became of a leak by one identity.
type Outcome struct {
	Identity string  `json:"identity"`
	Role     string  `json:"role,omitempty"`
	Work     string  `json:"work,omitempty"` // the endpoint through which it mostly works
	Usual    float64 `json:"usual_per_day"`
	Caught   bool    `json:"caught"`
	Delay    float64 `json:"delay_hours,omitempty"`
	Gone     int64   `json:"gone"`
	Taken    int64   `json:"taken"`
	ByLuck   bool    `json:"by_chance"`
}

// ByRole is what became of all leaks by the people of one role.
type ByRole struct {
	Name   string  `json:"role"` // or the endpoint that they mostly work through
	Tried  int     `json:"tried"`
	Caught int     `json:"caught"`
	Median float64 `json:"median_delay_hours,omitempty"` // of the caught
}

// Roles returns what became of the leaks by role, in the order of their names.
func (t *Trial) Roles() []ByRole {
	delays, roles := map[string][]float64{}, map[string]*ByRole{}
	for i := range t.Leaks {
		for _, o := range t.Leaks[i].Outcomes {
			name := cmp.Or(o.Role, o.Work)
			r := roles[name]
			if r == nil {
				r = &ByRole{Name: name}
				roles[name] = r
			}
			if r.Tried++; o.Caught {
				r.Caught++
				delays[name] = append(delays[name], o.Delay)
			}
		}
	}
	out := []ByRole{}
	for name, r := range roles {
		if list := delays[name]; len(list) > 0 {
			sort.Float64s(list)
			r.Median = (list[(len(list)-1)/2] + list[len(list)/2]) / 2
		}
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b ByRole) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
