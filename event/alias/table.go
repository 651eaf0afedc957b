package alias

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

// Table says whose each name is, and what is known of each person. A nil Table knows
// nothing. Several goroutines may use one.
//
// Aliases are only ever added, and one that is added counts from [Table.Complete] on.
// So what the table says of an earlier event time never changes.
type Table struct {
	mu       sync.RWMutex
	aliases  map[string][]Alias   // by folded name; of those that hold, the last counts
	names    map[string][]string  // by folded person: the folded names that are its own, or were
	people   map[string][]profile // by folded person, in order of time
	joins    []join               // by event time
	complete int64
	size     int
}

// join says that names become people's at an event time, Unix ms.
type join struct {
	at    int64
	names []string // folded
}

// profile is what is known of a person from an event time on.
type profile struct {
	counts int64
	Profile
}

// NewTable returns a table without aliases, complete up to an event time, Unix ms.
func NewTable(complete int64) *Table {
	return &Table{
		aliases: map[string][]Alias{}, names: map[string][]string{}, people: map[string][]profile{}, complete: complete,
	}
}

// Complete returns the event time before which the table knows all that will ever
// count, Unix ms; Forever of a nil table, and of one from a file.
func (t *Table) Complete() int64 {
	if t == nil {
		return Forever
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.complete
}

// LastTick returns the last tick up to limit of which the table knows all that will ever
// count.
func (t *Table) LastTick(limit int64, grid eventtime.Grid) int64 {
	complete := t.Complete()
	if complete == Forever {
		return limit
	}
	return min(limit, grid.TickOf(complete)-1)
}

// SetComplete says up to which event time the table is complete. That never moves back.
func (t *Table) SetComplete(ms int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.complete = max(t.complete, ms)
}

// Add takes an alias in, or returns why it cannot be one.
func (t *Table) Add(a Alias) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.check(&a); err != nil {
		return err
	}
	name, person := fold(a.Name), fold(a.Person)
	if p := a.Profile; person != "" && p != (Profile{}) {
		list := t.people[person]
		if n := len(list); n > 0 {
			p = p.over(list[n-1].Profile)
		}
		if n := len(list); n == 0 || list[n-1].Profile != p {
			t.people[person] = append(list, profile{a.Counts, p})
		}
	}
	if name == person {
		return nil
	}
	t.aliases[name] = append(t.aliases[name], a)
	t.addJoin(name, a.from())
	t.size++
	if person != "" && !slices.Contains(t.names[person], name) {
		t.names[person] = append(t.names[person], name)
	}
	return nil
}

// over returns a profile with what it leaves out taken from an older one.
func (p Profile) over(old Profile) Profile {
	for _, f := range []struct{ into, from *string }{
		{&p.Manager, &old.Manager}, {&p.Slack, &old.Slack}, {(*string)(&p.Criticality), (*string)(&old.Criticality)}, {&p.Group, &old.Group},
	} {
		if *f.into == "" {
			*f.into = *f.from
		}
	}
	return p
}

// check returns why an alias cannot be added.
func (t *Table) check(a *Alias) error {
	if err := a.check(); err != nil {
		return err
	}
	name, person := fold(a.Name), fold(a.Person)
	switch {
	case t.size >= MaxAliases:
		return fmt.Errorf("at most %d aliases are taken", MaxAliases)
	case len(t.aliases[name]) >= MaxChanges:
		return fmt.Errorf("%s has changed hands %d times, and no more is taken; a name that several people use is no alias", a.Name, MaxChanges)
	case name == person || person == "":
		return nil
	}
	if depth := t.above(person, name, 1); depth > MaxChain || depth+t.height(name, 0) > MaxChain {
		return fmt.Errorf("%s is an alias of an alias, more than %d times, or of itself; name the person", a.Name, MaxChain)
	}
	added := len(t.below(name, nil)) + 1
	for _, p := range t.ancestors(person, nil) {
		if n := len(t.below(p, []string{name})) + added; n > MaxNames {
			return fmt.Errorf("%s would have %d names, and a person has at most %d", a.Person, n, MaxNames)
		}
	}
	return nil
}

// above returns how many aliases are followed from a name at most, whatever the time;
// more than MaxChain if that leads through a name that must not be met.
func (t *Table) above(name, but string, already int) int {
	if name == but || already > MaxChain {
		return MaxChain + 1
	}
	most := already
	for _, a := range t.aliases[name] {
		if p := fold(a.Person); p != "" {
			most = max(most, t.above(p, but, already+1))
		}
	}
	return most
}

// height returns how many aliases lead to a name at most, one after the other.
func (t *Table) height(name string, already int) int {
	most := already
	for _, n := range t.names[name] {
		most = max(most, t.height(n, already+1))
	}
	return most
}

// ancestors adds to a list a name and all that it is or was an alias of.
func (t *Table) ancestors(name string, list []string) []string {
	if slices.Contains(list, name) {
		return list
	}
	list = append(list, name)
	for _, a := range t.aliases[name] {
		if p := fold(a.Person); p != "" {
			list = t.ancestors(p, list)
		}
	}
	return list
}

// below returns the names that are or were those of a name, names of names among them.
// Those in the list are not followed, and not counted.
func (t *Table) below(name string, but []string) (out []string) {
	for _, n := range t.names[name] {
		if !slices.Contains(but, n) && !slices.Contains(out, n) {
			out = append(append(out, n), t.below(n, append(but, out...))...)
		}
	}
	return out
}

// Person returns whose a name is at an event time, Unix ms: the name itself if it is
// nobody's.
func (t *Table) Person(name string, at int64) string {
	if t == nil {
		return name
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.person(name, at)
}

func (t *Table) person(name string, at int64) string {
	for range MaxChain {
		list := t.aliases[fold(name)]
		i := len(list) - 1
		for i >= 0 && !list[i].holds(at) {
			i--
		}
		if i < 0 || list[i].Person == "" {
			break
		}
		name = list[i].Person
	}
	return name
}

// addJoin notes that a name may become a person's at an event time.
func (t *Table) addJoin(name string, at int64) {
	if at == Always {
		return
	}
	i, ok := slices.BinarySearchFunc(t.joins, at, func(j join, at int64) int { return cmp.Compare(j.at, at) })
	if !ok {
		t.joins = slices.Insert(t.joins, i, join{at: at})
	}
	t.joins[i].names = append(t.joins[i].names, name)
}

// Joins hands over when names become people's that were nobody's until then, in order of
// time, from an event time on and before another: the time, Unix ms, and the people by
// folded name. The table knows of all such times before [Table.Complete].
func (t *Table) Joins(from, until int64, yield func(at int64, people map[string]string)) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	i, _ := slices.BinarySearchFunc(t.joins, from, func(j join, at int64) int { return cmp.Compare(j.at, at) })
	for ; i < len(t.joins) && t.joins[i].at < until; i++ {
		j, people := &t.joins[i], map[string]string{}
		for _, name := range j.names {
			if person := t.person(name, j.at); fold(person) != name && fold(t.person(name, j.at-1)) == name {
				people[name] = person
			}
		}
		if len(people) > 0 {
			yield(j.at, people)
		}
	}
}

// Profile returns what is known of a person at an event time, Unix ms.
func (t *Table) Profile(person string, at int64) (p Profile) {
	if t == nil {
		return p
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, known := range t.people[fold(person)] {
		if known.counts <= at {
			p = known.Profile
		}
	}
	return p
}

// Len returns how many aliases there are.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.size
}

// Apply puts persons in the place of names, as of an event time: of who acted, and of
// whom a fact is about. It returns the name of who acted, if that was not the person's.
func (t *Table) Apply(ev *event.Event, at int64) (name string) {
	if t == nil {
		return ""
	}
	if ev.Actor != "" {
		if person := t.Person(ev.Actor, at); person != ev.Actor {
			name, ev.Actor = ev.Actor, person
		}
	}
	if ev.Subject != "" && !ev.Action.Access() {
		ev.Subject = t.Person(ev.Subject, at)
	}
	return name
}
