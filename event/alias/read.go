package alias

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Load reads the table in a file. It is complete.
func Load(path string) (*Table, error) {
	list, err := LoadList(path)
	if err != nil {
		return nil, err
	}
	return Of(list), nil
}

// Of returns a complete table of aliases that Read has returned.
func Of(list []Alias) *Table {
	t := NewTable(Forever)
	for _, a := range list {
		_ = t.Add(a) // Read has tried
	}
	return t
}

// LoadList reads the aliases in a file, and checks that they are a table.
func LoadList(path string) ([]Alias, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the aliases: %w", err)
	}
	defer file.Close()
	list, err := Read(file)
	if err != nil {
		return nil, fmt.Errorf("reading the aliases in %s: %w", path, err)
	}
	return list, nil
}

// columns are those of a file of aliases, as fields are named in its JSON form. Others
// are not read.
var columns = [...]string{"name", "person", "since", "until", "counts_from", "manager", "slack", "criticality", "group"}

// row is an alias as it is written: times in RFC 3339, or days in UTC.
type row struct {
	Name        string `json:"name"`
	Person      string `json:"person"`
	Since       string `json:"since,omitempty"`
	Until       string `json:"until,omitempty"`
	CountsFrom  string `json:"counts_from,omitempty"`
	Manager     string `json:"manager,omitempty"`
	Slack       string `json:"slack,omitempty"`
	Criticality string `json:"criticality,omitempty"`
	Group       string `json:"group,omitempty"`
}

// cells returns the fields of a row in the order of columns.
func (r *row) cells() [len(columns)]*string {
	return [...]*string{&r.Name, &r.Person, &r.Since, &r.Until, &r.CountsFrom, &r.Manager, &r.Slack, &r.Criticality, &r.Group}
}

// alias returns what a row says.
func (r *row) alias() (Alias, error) {
	a := Alias{
		Name: strings.TrimSpace(r.Name), Person: strings.TrimSpace(r.Person), Since: Always, Until: Forever, Counts: Always,
		Profile: Profile{Manager: strings.TrimSpace(r.Manager), Slack: strings.TrimSpace(r.Slack), Group: strings.TrimSpace(r.Group)},
	}
	for _, f := range []struct {
		name, text string
		into       *int64
	}{{"since", r.Since, &a.Since}, {"until", r.Until, &a.Until}, {"counts_from", r.CountsFrom, &a.Counts}} {
		if f.text == "" {
			continue
		}
		at, err := parseTime(f.text)
		if err != nil {
			return a, fmt.Errorf("%s: %w", f.name, err)
		}
		*f.into = at
	}
	var err error
	a.Profile.Criticality, err = ParseCriticality(strings.ToLower(strings.TrimSpace(r.Criticality)))
	return a, err
}

// parseTime reads a time in RFC 3339, or the beginning of a day in UTC, as Unix ms.
func parseTime(s string) (int64, error) {
	for _, form := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(form, s); err == nil {
			return at.UnixMilli(), nil
		}
	}
	return 0, fmt.Errorf("%q is no time; write 2026-03-02T09:00:00Z or 2026-03-02", s)
}

// Read reads a table: CSV with a header, or one JSON object a line. Aliases that
// contradict each other, or that cannot be a table, are an error with their lines.
func Read(r io.Reader) (list []Alias, err error) {
	text := bufio.NewReader(r)
	if bom, _ := text.Peek(3); string(bom) == "\ufeff" {
		_, _ = text.Discard(3)
	}
	head, _ := text.Peek(1024)
	rows := csvRows
	if bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) {
		rows = jsonRows
	}
	trial := NewTable(Forever)
	err = rows(text, func(line int, r *row) error {
		a, err := r.alias()
		a.Line = line
		if err == nil && a.Person == "" {
			err = errors.New("name and person must both be given")
		}
		if err == nil {
			err = trial.Add(a)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		list = append(list, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, contradictions(list)
}

// contradictions returns an error if aliases of one file give a name to two people at a
// time, or tell two things of one person.
func contradictions(list []Alias) error {
	byName, known := map[string][]Alias{}, map[string]Alias{}
	for _, a := range list {
		if a.links() {
			byName[fold(a.Name)] = append(byName[fold(a.Name)], a)
		}
		if a.Profile == (Profile{}) {
			continue
		}
		old, ok := known[fold(a.Person)]
		if ok && a.Profile.over(old.Profile) != old.Profile.over(a.Profile) {
			return fmt.Errorf("lines %d and %d: they tell two things of %s", old.Line, a.Line, a.Person)
		}
		a.Profile = a.Profile.over(old.Profile)
		known[fold(a.Person)] = a
	}
	for _, same := range byName {
		slices.SortFunc(same, func(a, b Alias) int {
			return cmp.Or(cmp.Compare(a.from(), b.from()), cmp.Compare(a.Line, b.Line))
		})
		for i := 1; i < len(same); i++ {
			if a, b := same[i-1], same[i]; b.from() < a.Until && fold(a.Person) != fold(b.Person) && a.Counts == b.Counts {
				return fmt.Errorf("lines %d and %d: %s is of %s and of %s at one time; a name that several people use is no alias",
					min(a.Line, b.Line), max(a.Line, b.Line), a.Name, a.Person, b.Person)
			}
		}
	}
	return nil
}

func csvRows(r io.Reader, yield func(line int, r *row) error) error {
	in := csv.NewReader(r)
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return errors.New("nothing is in it")
	}
	if err != nil {
		return err
	}
	var at [len(columns)]int
	for i, name := range columns {
		at[i] = slices.IndexFunc(head, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
	}
	if at[0] < 0 || at[1] < 0 {
		return fmt.Errorf("line 1: the header must name the columns name and person, not %s", strings.Join(head, ", "))
	}
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var out row
		for i, into := range out.cells() {
			if at[i] >= 0 {
				*into = strings.TrimSpace(cells[at[i]])
			}
		}
		line, _ := in.FieldPos(0)
		if err := yield(line, &out); err != nil {
			return err
		}
	}
}

func jsonRows(r io.Reader, yield func(line int, r *row) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var out row
		if err := json.Unmarshal(lines.Bytes(), &out); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := yield(n, &out); err != nil {
			return err
		}
	}
	return lines.Err()
}
