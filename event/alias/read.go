package alias

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// Load reads the table in a file.
func Load(path string) (*Table, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the aliases: %w", err)
	}
	defer file.Close()
	t, err := Read(file)
	if err != nil {
		return nil, fmt.Errorf("reading the aliases in %s: %w", path, err)
	}
	return t, nil
}

// columns are those of a table of aliases. Others are not read.
var columns = [...]string{"name", "person", "since", "until"}

// Read reads a table: CSV with a header, or one JSON object a line, with name, person
// and, where the name was not always the person's, since and until.
func Read(r io.Reader) (*Table, error) {
	text := bufio.NewReader(r)
	if bom, _ := text.Peek(3); string(bom) == "\ufeff" {
		_, _ = text.Discard(3)
	}
	head, _ := text.Peek(1024)
	rows := csvRows
	if bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) {
		rows = jsonRows
	}
	var list []Alias
	err := rows(text, func(line int, row [len(columns)]string) error {
		a := Alias{Name: row[0], Person: row[1], Until: math.MaxInt64, Since: math.MinInt64, Line: line}
		for i, into := range []*int64{&a.Since, &a.Until} {
			if row[2+i] == "" {
				continue
			}
			at, err := parseTime(row[2+i])
			if err != nil {
				return fmt.Errorf("line %d: %s: %w", line, columns[2+i], err)
			}
			*into = at
		}
		if list = append(list, a); len(list) > MaxAliases {
			return fmt.Errorf("line %d: at most %d aliases are taken", line, MaxAliases)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return New(list)
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

func csvRows(r io.Reader, yield func(line int, row [len(columns)]string) error) error {
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
		var row [len(columns)]string
		for i, j := range at {
			if j >= 0 {
				row[i] = strings.TrimSpace(cells[j])
			}
		}
		line, _ := in.FieldPos(0)
		if err := yield(line, row); err != nil {
			return err
		}
	}
}

func jsonRows(r io.Reader, yield func(line int, row [len(columns)]string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var row struct{ Name, Person, Since, Until string }
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := yield(n, [len(columns)]string{strings.TrimSpace(row.Name), strings.TrimSpace(row.Person), row.Since, row.Until}); err != nil {
			return err
		}
	}
	return lines.Err()
}
