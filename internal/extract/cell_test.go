package extract

import (
	"encoding/csv"
	"strings"
	"testing"
)

// An id is one cell of one line, which no spreadsheet takes for a formula.
func TestIDLine(t *testing.T) {
	lines := map[string]string{}
	for id, want := range map[string]string{
		"1":             "1",
		"cust-7":        "cust-7",
		"김영희":           "김영희",
		`a\b`:           `a\b`,
		"=1+1":          `"'=1+1"`,
		"+821012345678": `"'+821012345678"`,
		"-5":            `"'-5"`,
		"@SUM(A1)":      `"'@SUM(A1)"`,
		"\t=1":          "\"'\t=1\"",
		"\r=1":          `"'\r=1"`,
		"\n=1":          `"'\n=1"`,
		"＝1":            `"'＝1"`,
		"'=1":           `"''=1"`,
		"a,=1+1":        `"a,=1+1"`,
		"a;=1+1":        `"a;=1+1"`,
		`a",=1+1`:       `"a"",=1+1"`,
		`=1"`:           `"'=1"""`,
		"a\n,b":         `"a\n,b"`,
		`a\n,b`:         `"a\\n,b"`,
		"=,":            `"'=,"`,
		"'=,":           `"''=,"`,
	} {
		got := idLine(id)
		if got != want {
			t.Errorf("%q: %s, want %s", id, got, want)
		}
		if other, ok := lines[got]; ok {
			t.Errorf("%q and %q are both %s", id, other, got)
		}
		lines[got] = id
		cells, err := csv.NewReader(strings.NewReader(got + "\n")).ReadAll()
		if err != nil || len(cells) != 1 || len(cells[0]) != 1 || strings.IndexAny(cells[0][0], "=+-@\t\r\n＝＋－＠") == 0 {
			t.Errorf("%q is read as %q, %v", id, cells, err)
		}
	}
}
