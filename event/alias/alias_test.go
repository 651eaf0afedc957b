package alias

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/event"
)

const table = `Name,Person,Since,Until,Team
kim@example.com,kim,,,x
S-1-5-21-7,KIM@example.com,,,
arn:aws:iam::1:user/kim, kim,2026-03-01,,
desk7,kim,2026-01-01,2026-02-01,
desk7,ben,2026-02-01T00:00:00Z,,
ben,ben,,,
`

func read(t *testing.T, text string) *Table {
	t.Helper()
	list, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return Of(list)
}

// A name is a person's in its time, through names of names, without regard to case.
func TestPerson(t *testing.T) {
	of := read(t, "\ufeff"+table)
	if of.Len() != 5 {
		t.Errorf("%d aliases", of.Len())
	}
	json := read(t, `{"name":"kim@example.com","person":"kim"}`+"\n\n"+`{"name":"x","person":"y","since":"2026-03-01","until":"2026-03-02"}`)
	for _, c := range []struct {
		of             *Table
		name, at, want string
	}{
		{of, "Kim@Example.COM", "2026-01-15", "kim"},
		{of, "s-1-5-21-7", "2026-01-15", "kim"},
		{of, "kim", "2026-01-15", "kim"},
		{of, "arn:aws:iam::1:user/kim", "2026-02-28", "arn:aws:iam::1:user/kim"},
		{of, "arn:aws:iam::1:user/kim", "2026-03-01", "kim"},
		{of, "desk7", "2025-12-31", "desk7"},
		{of, "desk7", "2026-01-31", "kim"},
		{of, "desk7", "2026-02-01", "ben"},
		{of, "ben", "2026-02-01", "ben"},
		{of, "ann", "2026-02-01", "ann"},
		{json, "kim@example.com", "2026-02-01", "kim"},
		{json, "x", "2026-03-01", "y"},
		{json, "x", "2026-03-02", "x"},
	} {
		at, err := time.Parse(time.DateOnly, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.of.Person(c.name, at.UnixMilli()); got != c.want {
			t.Errorf("%s at %s is %s, want %s", c.name, c.at, got, c.want)
		}
	}
}

// Who acted, and whom a fact is about, becomes the person; what is read does not.
func TestApply(t *testing.T) {
	of := read(t, table)
	for _, c := range []struct{ ev, want event.Event }{
		{event.Event{Actor: "kim@example.com", Subject: "kim@example.com"}, event.Event{Actor: "kim", Subject: "kim@example.com"}},
		{event.Event{Action: event.Leave, Actor: "hr", Subject: "kim@example.com"}, event.Event{Action: event.Leave, Actor: "hr", Subject: "kim"}},
		{event.Event{IP: "192.0.2.7"}, event.Event{IP: "192.0.2.7"}},
	} {
		got := c.ev
		if of.Apply(&got, got.Time); got.Actor != c.want.Actor || got.Subject != c.want.Subject {
			t.Errorf("%+v became %+v", c.ev, got)
		}
		var none *Table
		if none.Apply(&c.ev, c.ev.Time); got.Actor != c.want.Actor {
			t.Errorf("no table: %+v", c.ev)
		}
	}
}

// manyNames is a table of a person with n names.
func manyNames(n int) string {
	var rows strings.Builder
	rows.WriteString("name,person\n")
	for i := range n {
		fmt.Fprintf(&rows, "k%d,kim\n", i)
	}
	return rows.String()
}

// What cannot be one person's is refused, with its line.
func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "nothing is in it",
		"who,whom\na,b\n":                        "the header must name the columns name and person",
		"name,person\na,\n":                      "line 2: name and person must both be given",
		"name,person\nroot,kim\n":                "line 2: several people or programs act by root",
		"name,person\nDOM\\Administrator,k\n":    "several people or programs act by",
		"name,person\nk,root@db1\n":              "several people or programs act by",
		"name,person\na,kim\nA,ben\n":            "lines 2 and 3: a is of kim and of ben at one time",
		"name,person\na,b\nb,a\n":                "alias of an alias",
		"name,person\na,b\nb,c\nc,d\nd,e\ne,f\n": "alias of an alias, more than 4 times",
		"name,person,since\na,b,soon\n":          `line 2: since: "soon" is no time`,
		"name,person,since,until\na,b,2026-03-02,2026-03-01\n": "until is not after since",
		"name,person\na,b,c\n":                                 "wrong number of fields",
		`{"name":"a","person":7}`:                              "line 1:",
		"name,person\nsvc-billing,kim\n":                       "line 2: several people or programs act by svc-billing",
		"name,person\nCORP\\web7$,kim\n":                       "act by",
		"name,person\nS-1-5-21-8-9-500,kim\n":                  "act by",
		"name,person,criticality\na,kim,huge\n":                `line 2: criticality is "huge", want normal, high or critical`,
		"name,person,manager\na,kim,bo\nb,Kim,jo\n":            "lines 2 and 3: they tell two things of Kim",
		manyNames(MaxNames + 1):                                "line 34: kim would have 33 names, and a person has at most 32",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// Whatever the table, a name that resolves to a person resolves no further.
func FuzzRead(f *testing.F) {
	f.Add(table, "kim@example.com")
	f.Add(`{"name":"a","person":"b"}`, "a")
	f.Add("name,person\na,b\nb,c\nc,d\n", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		list, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		of := Of(list)
		if once := of.Person(name, 0); of.Person(once, 0) != once {
			t.Errorf("%q is %q, and that %q", name, once, of.Person(once, 0))
		}
	})
}

// Names become people's when an alias begins to hold that was nobody's before: not at the
// first event, not when it changes hands, and by whatever it leads to in the end.
func TestJoins(t *testing.T) {
	table := NewTable(Forever)
	for _, a := range []Alias{
		{Name: "always", Person: "kim", Since: Always, Until: Forever, Counts: Always},
		{Name: "Late", Person: "crm-kim", Since: Always, Until: Forever, Counts: 500},
		{Name: "crm-kim", Person: "kim", Since: Always, Until: Forever, Counts: 500},
		{Name: "desk", Person: "ben", Since: 100, Until: 500, Counts: Always},
		{Name: "desk", Person: "kim", Since: 500, Until: Forever, Counts: Always},
		{Name: "over", Person: "kim", Since: Always, Until: 300, Counts: 500},
		{Name: "later", Person: "kim", Since: 900, Until: Forever, Counts: Always},
	} {
		if err := table.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		from, until int64
		want        string
	}{
		{Always, Forever, "100 map[desk:ben] 500 map[crm-kim:kim late:kim] 900 map[later:kim] "},
		{101, 900, "500 map[crm-kim:kim late:kim] "},
		{501, 900, ""},
	} {
		var got strings.Builder
		table.Joins(c.from, c.until, func(at int64, people map[string]string) { fmt.Fprint(&got, at, " ", people, " ") })
		if got.String() != c.want {
			t.Errorf("from %d until %d: %q, want %q", c.from, c.until, got.String(), c.want)
		}
	}
}
