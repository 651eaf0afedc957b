// Package people knows of people what aliases tell beside their names, as of a tick: what
// alerts tell of a person, and how much graver it makes them.
package people

import (
	"cmp"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/internal/eventtime"
)

// People is what is known of people beside their names. It raises how grave their alerts
// are, and is never evidence.
type People struct {
	Table       *alias.Table
	Dimension   string                       // of which the identities are people; empty: none
	Criticality map[string]alias.Criticality // of the members of a group
}

// Limit returns the last tick that may be worked through: for later ones more may become
// known.
func (p *People) Limit(complete int64, grid eventtime.Grid) int64 {
	if p == nil {
		return complete
	}
	return p.Table.LastTick(complete, grid)
}

// profile returns what is known of an identity at the end of a tick, and how critical it
// is: as is said of the person, else as is said of the group.
func (p *People) profile(dimension, identity string, end int64) (known alias.Profile, c alias.Criticality) {
	if p == nil || dimension != p.Dimension {
		return known, alias.Normal
	}
	known = p.Table.Profile(identity, end-1)
	return known, cmp.Or(known.Criticality, p.Criticality[known.Group], alias.Normal)
}

// Raise returns by how many steps what is told of an identity is graver.
func (p *People) Raise(dimension, identity string, end int64) int {
	switch _, c := p.profile(dimension, identity, end); c {
	case alias.High:
		return 1
	case alias.Critical:
		return 2
	}
	return 0
}

// Of returns what an alert tells of the person that an identity is; nil if nothing is
// known.
func (p *People) Of(dimension, identity string, end int64) *alerting.Person {
	known, c := p.profile(dimension, identity, end)
	if c == alias.Normal {
		c = ""
	}
	out := alerting.Person{Manager: known.Manager, Slack: known.Slack, Criticality: string(c), Group: known.Group}
	if known.Manager != "" {
		out.ManagerSlack = p.Table.Profile(p.Table.Person(known.Manager, end-1), end-1).Slack
	}
	if out == (alerting.Person{}) {
		return nil
	}
	return &out
}
