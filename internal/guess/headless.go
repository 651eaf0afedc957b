package guess

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// headlessInput returns the input of a field map for a table without the names of its
// columns, which are named by what their values tell; "" if the text is none.
func headlessInput(text string) string {
	for _, comma := range ",;\t|" {
		rows := rowsOf(text, comma)
		if len(rows) == 0 || len(rows[0]) < 3 {
			continue
		}
		var columns []string
		timed := false
		for i := range rows[0] {
			f := &leaf{}
			for _, row := range rows {
				f.texts = append(f.texts, row[i])
			}
			name := meaningOf(f)
			if name == "" || slices.Contains(columns, quoted(name)) {
				name = fmt.Sprintf("column%d", i+1)
			}
			timed = timed || name == "time" || name == "clock"
			columns = append(columns, quoted(name))
		}
		if timed {
			return fmt.Sprintf("{csv: [%s], separator: %q}", strings.Join(columns, ", "), string(comma))
		}
	}
	return ""
}

// rowsOf returns the rows of a text that have as many cells as its first; nil if one of
// five has not.
func rowsOf(text string, comma rune) (rows [][]string) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = comma, -1, true
	read := 0
	for ; read < maxValues; read++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil
		}
		if rows == nil || len(row) == len(rows[0]) {
			rows = append(rows, row)
		}
	}
	if len(rows)*5 < read*4 {
		return nil
	}
	return rows
}
