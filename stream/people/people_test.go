package people

import (
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/internal/eventtime"
)

// What is known of a person is told, and raises the severity by one step or two: the
// person's own criticality, else that of the group. It does so from when on it counts, in
// the dimension of people, and opens nothing.
func TestPeople(t *testing.T) {
	table := alias.NewTable(alias.Always)
	for _, a := range []alias.Alias{
		{Name: "kim", Person: "kim", Until: alias.Forever, Since: alias.Always, Counts: alias.Always, Profile: alias.Profile{Group: "dba", Manager: "bo"}},
		{Name: "ben", Person: "ben", Until: alias.Forever, Since: alias.Always, Counts: 1000, Profile: alias.Profile{Criticality: alias.High}},
		{Name: "joe", Person: "joe", Until: alias.Forever, Since: alias.Always, Counts: alias.Always, Profile: alias.Profile{Group: "dba", Criticality: alias.Normal}},
		{Name: "bo@corp", Person: "bo", Until: alias.Forever, Since: alias.Always, Counts: alias.Always, Profile: alias.Profile{Slack: "U0BO"}},
		{Name: "pat", Person: "pat", Until: alias.Forever, Since: alias.Always, Counts: alias.Always, Profile: alias.Profile{Manager: "BO@corp", Slack: "U0PAT"}},
	} {
		if err := table.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	people := &People{Table: table, Dimension: "user", Criticality: map[string]alias.Criticality{"dba": alias.Critical}}
	for _, c := range []struct {
		dimension, identity string
		end                 int64
		raise               int
		want                *alerting.Person
	}{
		{"user", "kim", 1, 2, &alerting.Person{Manager: "bo", ManagerSlack: "U0BO", Criticality: "critical", Group: "dba"}},
		{"user", "KIM", 1, 2, &alerting.Person{Manager: "bo", ManagerSlack: "U0BO", Criticality: "critical", Group: "dba"}},
		{"key", "kim", 1, 0, nil},
		{"user", "ben", 1000, 0, nil},
		{"user", "ben", 1001, 1, &alerting.Person{Criticality: "high"}},
		{"user", "joe", 1, 0, &alerting.Person{Group: "dba"}},
		{"user", "pat", 1, 0, &alerting.Person{Manager: "BO@corp", ManagerSlack: "U0BO", Slack: "U0PAT"}},
		{"user", "ann", 1, 0, nil},
	} {
		got, raise := people.Of(c.dimension, c.identity, c.end), people.Raise(c.dimension, c.identity, c.end)
		if raise != c.raise || (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s %s at %d: %+v, raised by %d", c.dimension, c.identity, c.end, got, raise)
		}
	}
	var nobody *People
	if nobody.Raise("user", "kim", 1) != 0 || nobody.Of("user", "kim", 1) != nil {
		t.Error("something is known of people where nothing is")
	}

	var all episode.Episodes
	if d := all.Judge(episode.Observation{Dimension: "user", Identity: "kim", Tick: 1, Log: 1, Threshold: 5, Raise: 2}); d.Action != episode.Nothing {
		t.Errorf("criticality is evidence: %+v", d)
	}
	for raise, want := range []episode.Severity{episode.Medium, episode.High, episode.Critical, episode.Critical} {
		var all episode.Episodes
		if d := all.Judge(episode.Observation{Dimension: "user", Identity: "kim", Tick: 1, Log: 9, Threshold: 5, Excess: 100, Raise: raise}); d.Episode.Severity != want {
			t.Errorf("raised by %d: %v, want %v", raise, d.Episode.Severity, want)
		}
	}
}

// A tick is worked through once it is known for good what is known of people in it.
func TestPeopleAreComplete(t *testing.T) {
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	table := alias.NewTable(alias.Always)
	people := &People{Table: table}
	table.SetComplete(grid.TickEnd(7))
	if got := people.Limit(20, grid); got != 7 {
		t.Errorf("up to tick %d, want 7", got)
	}
	if got := people.Limit(5, grid); got != 5 {
		t.Errorf("up to tick %d, want 5", got)
	}
	table.SetComplete(alias.Forever)
	if got := people.Limit(20, grid); got != 20 {
		t.Errorf("up to tick %d, want 20", got)
	}
}
