package alias

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/weirhq/weir/internal/eventtime"
)

// Register is the one writer of a topic of aliases that count, weir.aliases. It takes
// aliases in from a file or a topic and says of each from which event time on it counts:
// from the first bin of which no event can have been counted yet. Before [Register.Grant]
// was called for the first time no event was: what comes until then counts always.
//
// A process may count an event only if it is dated before what was granted. So nothing
// that was counted is ever named anew, whenever an alias comes.
type Register struct {
	grid    eventtime.Grid
	table   *Table
	inputs  map[string]int64 // next offset, by topic and partition
	records map[string]int   // of the names, how many there are of each
	out     []Record
	moved   bool // granted or inputs changed since the last Take
}

// Record is one record of weir.aliases. The topic is compacted, and no key of an alias
// is written twice.
type Record struct{ Key, Value []byte }

// completeKey is the key of the record that says up to which event time the topic is
// complete.
const completeKey = "complete"

// completeness is that record's value.
type completeness struct {
	Complete int64            `json:"complete"` // event time, Unix ms
	Inputs   map[string]int64 `json:"inputs"`
}

// NewRegister returns a register that has granted nothing.
func NewRegister(grid eventtime.Grid) *Register {
	return &Register{grid: grid, table: NewTable(Always), inputs: map[string]int64{}, records: map[string]int{}}
}

// Load takes in a record of weir.aliases, in the order of the log.
func (r *Register) Load(key, value []byte) error {
	name, inputs, err := r.table.follow(key, value)
	if err != nil {
		return err
	}
	if name != "" {
		r.records[fold(name)]++
	}
	maps.Copy(r.inputs, inputs)
	return nil
}

// Follow takes a record of weir.aliases into a table that follows the topic.
func (t *Table) Follow(key, value []byte) error {
	_, _, err := t.follow(key, value)
	return err
}

// follow takes a record of weir.aliases into a table, and returns the name of the alias,
// or how far the inputs of the topic were read.
func (t *Table) follow(key, value []byte) (name string, inputs map[string]int64, err error) {
	if string(key) == completeKey {
		var c completeness
		if err := json.Unmarshal(value, &c); err != nil {
			return "", nil, fmt.Errorf("reading how far the aliases are complete: %w", err)
		}
		t.SetComplete(c.Complete)
		return "", c.Inputs, nil
	}
	a, err := Decode(value)
	if err != nil {
		return "", nil, err
	}
	return a.Name, nil, t.Add(a)
}

// Encode returns the JSON form of an alias.
func (a *Alias) Encode() []byte {
	out := row{
		Name: a.Name, Person: a.Person, Since: timeText(a.Since, Always), Until: timeText(a.Until, Forever), CountsFrom: timeText(a.Counts, Always),
		Manager: a.Profile.Manager, Slack: a.Profile.Slack, Criticality: string(a.Profile.Criticality), Group: a.Profile.Group,
	}
	b, err := json.Marshal(&out)
	if err != nil {
		panic(fmt.Sprintf("alias: texts do not marshal: %v", err)) // a mistake in this file
	}
	return b
}

// timeText returns a time as a row has it, nothing for one that is meant where none is
// written.
func timeText(ms, none int64) string {
	if ms == none {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano)
}

// Decode reads the JSON form of an alias.
func Decode(value []byte) (Alias, error) {
	var in row
	if err := json.Unmarshal(value, &in); err != nil {
		return Alias{}, fmt.Errorf("reading an alias: %w", err)
	}
	a, err := in.alias()
	if err != nil {
		return a, fmt.Errorf("reading an alias: %w", err)
	}
	return a, nil
}

// inputKey names a partition of the input topic.
func inputKey(topic string, partition int32) string {
	return topic + "/" + strconv.Itoa(int(partition))
}

// Input returns the next offset of a partition of the input.
func (r *Register) Input(topic string, partition int32) int64 {
	return r.inputs[inputKey(topic, partition)]
}

// TakeRecord takes in a record of the input topic: an alias as JSON, or no value under
// the key of a name that is nobody's any longer. An error says why it does not count.
func (r *Register) TakeRecord(topic string, partition int32, offset int64, key, value []byte) (changed bool, err error) {
	if offset < r.Input(topic, partition) {
		return false, nil
	}
	r.inputs[inputKey(topic, partition)], r.moved = offset+1, true
	if value == nil {
		return r.Add(Alias{Name: string(key), Since: Always, Until: Forever})
	}
	a, err := Decode(value)
	if err != nil {
		return false, err
	}
	return r.Add(a)
}

// TakeFile takes in what a file says: all that it knows is whose it says, and nobody's
// else. The errors say why aliases do not count.
func (r *Register) TakeFile(list []Alias) (changed int, refused []error) {
	add := func(a Alias) {
		switch ok, err := r.Add(a); {
		case err != nil:
			refused = append(refused, err)
		case ok:
			changed++
		}
	}
	named := map[string]bool{}
	for _, a := range list {
		named[fold(a.Name)] = true
	}
	for _, name := range slices.Sorted(maps.Keys(r.table.aliases)) {
		if !named[name] {
			add(Alias{Name: name, Since: Always, Until: Forever})
		}
	}
	for _, a := range list {
		add(a)
	}
	return changed, refused
}

// Add takes in an alias, unless the register knows it already, and says from when on it
// counts.
func (r *Register) Add(a Alias) (changed bool, err error) {
	if r.knows(&a) {
		return false, nil
	}
	a.Counts = Always
	if c := r.table.Complete(); c != Always {
		if a.Counts = r.grid.BinStart(r.grid.BinOf(c)); a.Counts < c {
			a.Counts += r.grid.Bin
		}
	}
	if err := r.table.Add(a); err != nil {
		return false, err
	}
	name := fold(a.Name)
	r.out = append(r.out, Record{Key: []byte(name + "\x00" + strconv.Itoa(r.records[name])), Value: a.Encode()})
	r.records[name]++
	return true, nil
}

// knows reports whether an alias says nothing new: the last of its name for that span
// of time says the same, or it ends what there is not.
func (r *Register) knows(a *Alias) bool {
	if !a.links() {
		known := r.table.Profile(a.Person, Forever)
		return a.Profile.over(known) == known
	}
	list := r.table.aliases[fold(a.Name)]
	if a.Person == "" && len(list) == 0 {
		return true
	}
	for i := len(list) - 1; i >= 0; i-- {
		if b := &list[i]; a.same(b) {
			return true
		} else if a.Since < b.Until && b.Since < a.Until {
			return false // a later one has taken its place
		}
	}
	return false
}

// Granted returns the event time before which events may be counted, Unix ms; Always
// if none may.
func (r *Register) Granted() int64 { return r.table.Complete() }

// Grant lets events be counted that are dated before an event time, Unix ms.
func (r *Register) Grant(ms int64) {
	if ms > r.table.Complete() {
		r.table.SetComplete(ms)
		r.moved = true
	}
}

// Take hands out what there is to write since the last call: in one transaction, and in
// this order.
func (r *Register) Take() []Record {
	out := r.out
	if r.moved || len(out) > 0 {
		value, err := json.Marshal(completeness{r.table.Complete(), r.inputs})
		if err != nil {
			panic(fmt.Sprintf("alias: numbers do not marshal: %v", err)) // a mistake in this file
		}
		out = append(out, Record{[]byte(completeKey), value})
	}
	r.out, r.moved = nil, false
	return out
}
