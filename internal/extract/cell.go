package extract

import "strings"

const (
	// formulas are the characters with which a spreadsheet's formula begins
	// (OWASP, "CSV Injection"), also in their full width; and the apostrophe that
	// is put before them.
	formulas = "=+-@\t\r\n＝＋－＠'"
	// separators are the characters that end a cell or a line, or quote one.
	separators = ",;\t\r\n\""
)

var escapes = strings.NewReplacer(`"`, `""`, `\`, `\\`, "\r", `\r`, "\n", `\n`)

// idLine is an id as it stands in the list: as it is, or in quotes where a
// spreadsheet would take it for a formula or for more than one cell. In quotes it
// is a cell of CSV on one line: with an apostrophe before a formula, and with \r,
// \n and \\ for a line break and a backslash. No two ids have the same line.
func idLine(id string) string {
	formula := id != "" && strings.IndexAny(id, formulas) == 0
	if !formula && !strings.ContainsAny(id, separators) {
		return id
	}
	cell := escapes.Replace(id)
	if formula {
		cell = "'" + cell
	}
	return `"` + cell + `"`
}
