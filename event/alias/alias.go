// Package alias makes one identity of the names that a person has in several
// sources: kim, kim@example.com and S-1-5-21-7 are one person, whose counts belong
// together. Which names are whose stands in a table that is read once, so that every
// process resolves a name alike, in whatever order events come.
package alias

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/weirhq/weir/event"
)

// Alias says that a name is a person's from Since on and before Until, Unix ms.
type Alias struct {
	Name, Person string
	Since, Until int64
	Line         int // of the file
}

// MaxChain is how many aliases are followed one after the other: a name of a name.
const MaxChain = 4

// MaxAliases bounds a table: five names each of 200,000 people.
const MaxAliases = 1_000_000

// shared are accounts that several people act by. They are nobody's.
var shared = map[string]bool{
	"root": true, "system": true, "local system": true, "administrator": true, "admin": true, "guest": true, "anonymous": true, "nobody": true,
	"daemon": true, "service": true, "localservice": true, "local service": true, "networkservice": true, "network service": true, "everyone": true,
	"postgres": true, "sa": true, "sys": true, "dba": true, "oracle": true, "mysql": true, "www-data": true, "ec2-user": true, "ubuntu": true,
	"s-1-1-0": true, "s-1-5-7": true, "s-1-5-18": true, "s-1-5-19": true, "s-1-5-20": true, "unknown": true, "-": true,
}

// Shared reports whether a name is one that several people act by, with or without
// the domain that it is of.
func Shared(name string) bool {
	name = fold(name)
	if shared[name] {
		return true
	}
	if i := strings.LastIndexAny(name, `\/`); i >= 0 {
		name = name[i+1:]
	}
	name, _, _ = strings.Cut(name, "@")
	return shared[name]
}

// Table says whose each name is. A nil Table knows none.
type Table struct{ byName map[string][]Alias } // by folded name, in order of time

// New returns a table, or what is wrong with the aliases: the first fault.
func New(aliases []Alias) (*Table, error) {
	t := &Table{byName: make(map[string][]Alias, len(aliases))}
	if len(aliases) > MaxAliases {
		return nil, fmt.Errorf("there are %d aliases, and at most %d are taken", len(aliases), MaxAliases)
	}
	for _, a := range aliases {
		switch {
		case a.Name == "" || a.Person == "":
			return nil, fmt.Errorf("line %d: name and person must both be given", a.Line)
		case len(a.Name) > event.MaxText || len(a.Person) > event.MaxText:
			return nil, fmt.Errorf("line %d: names are at most %d bytes long", a.Line, event.MaxText)
		case Shared(a.Name) || Shared(a.Person):
			return nil, fmt.Errorf("line %d: several people act by %s or %s, so it is no name of one; leave the line out", a.Line, a.Name, a.Person)
		case a.Since >= a.Until:
			return nil, fmt.Errorf("line %d: until is not after since", a.Line)
		case a.Name == a.Person:
			continue
		}
		t.byName[fold(a.Name)] = append(t.byName[fold(a.Name)], a)
	}
	return t, t.check()
}

// check returns an error if a name is two people's at a time, or a chain is too long.
func (t *Table) check() error {
	for _, list := range t.byName {
		slices.SortFunc(list, func(a, b Alias) int { return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.Line, b.Line)) })
		for i := 1; i < len(list); i++ {
			if a, b := list[i-1], list[i]; b.Since < a.Until && a.Person != b.Person {
				return fmt.Errorf("lines %d and %d: %s is of %s and of %s at one time; a name that several people use is no alias", min(a.Line, b.Line), max(a.Line, b.Line), a.Name, a.Person, b.Person)
			}
		}
	}
	for _, list := range t.byName {
		for _, a := range list {
			if depth := t.depth(a.Person, 1); depth > MaxChain {
				return fmt.Errorf("line %d: %s is an alias of an alias, more than %d times, or of itself; name the person", a.Line, a.Name, MaxChain)
			}
		}
	}
	return nil
}

// depth returns how many aliases are followed from a name at most, whatever the time.
func (t *Table) depth(name string, already int) int {
	most := already
	if already > MaxChain {
		return most
	}
	for _, a := range t.byName[fold(name)] {
		if a.Person != name { // a person may be written as one of the names
			most = max(most, t.depth(a.Person, already+1))
		}
	}
	return most
}

// fold returns a name as names are compared: without regard to case.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Person returns whose a name is at a time, Unix ms: the name itself if it is nobody's.
func (t *Table) Person(name string, at int64) string {
	for range MaxChain {
		next := name
		for _, a := range t.byName[fold(name)] {
			if at >= a.Since && at < a.Until {
				next = a.Person
				break
			}
		}
		if next == name {
			break
		}
		name = next
	}
	return name
}

// Apply puts persons in the place of names: of who acted, and of whom a fact is about.
func (t *Table) Apply(ev *event.Event) {
	if t == nil {
		return
	}
	if ev.Actor != "" {
		ev.Actor = t.Person(ev.Actor, ev.Time)
	}
	if ev.Subject != "" && !ev.Action.Access() {
		ev.Subject = t.Person(ev.Subject, ev.Time)
	}
}

// Len returns how many aliases there are.
func (t *Table) Len() (n int) {
	if t == nil {
		return 0
	}
	for _, list := range t.byName {
		n += len(list)
	}
	return n
}
