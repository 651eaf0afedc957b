package guess

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/event/textform"
	"github.com/weirhq/weir/event/timeform"
)

// kindOf returns the input of a text, and what it looks like; the input is "" for
// what no field map can read.
func kindOf(text string) (input, looks string) {
	trimmed := strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	switch {
	case trimmed == "":
		return "", "an empty file"
	case strings.HasPrefix(trimmed, "{'"):
		return "", "objects as Python prints them, which are no JSON; write them by json.dumps"
	case trimmed[0] == '{' || strings.HasPrefix(trimmed, `"{\"`) || trimmed[0] == '[' && strings.ContainsAny(firstOf(trimmed[1:]), "{[]\""):
		if len(values([]byte(text), "")) > 0 {
			return "json", "JSON, but no format that comes with weir"
		}
		return "", "JSON that was cut off or is broken"
	case trimmed[0] == '<':
		return "", "XML or HTML, which weir does not read"
	case sqlDump.MatchString(trimmed):
		return "", "a dump of SQL, which weir does not read; export the table as CSV"
	case text[0] == 0:
		return "", "values of Kafka with the ids of their schemas; weir reads them from the topic, with schema_registry in the source (docs/formats.md)"
	case strings.IndexByte(text, 0) >= 0:
		return "", "binary data"
	}
	lines := linesOf(text)
	for _, kind := range []struct{ input, begins, looks string }{
		{"cef", "CEF:", "CEF, the Common Event Format"}, {"leef", "LEEF:", "LEEF, the Log Event Extended Format"},
	} {
		if most(lines, func(s string) bool { return strings.HasPrefix(s, kind.begins) }) {
			return kind.input, kind.looks
		}
	}
	if columns := table(text); columns != nil {
		return "csv", "CSV with the columns " + strings.Join(columns[:min(len(columns), 8)], ", ")
	}
	if most(lines, isPairs) {
		return "logfmt", "key=value pairs"
	}
	if input := headlessInput(text); input != "" {
		return input, "CSV without the names of its columns"
	}
	if input := linesInput(text); input != "" {
		return input, "lines of text"
	}
	return "", `lines of text; a field map with input: {text: "{time} {user} …"} can read them (docs/formats.md)`
}

// sqlDump is how the files begin that databases are restored from.
var sqlDump = regexp.MustCompile(`^(?i)(insert into |create table |copy [\w."]+ \(|-- (mysql|postgresql|mariadb) .*dump)`)

// firstOf returns the first character of a text that is no blank.
func firstOf(text string) string {
	text = strings.TrimLeft(text, " \t\r\n")
	return text[:min(len(text), 1)]
}

// linesOf returns the lines of a text that are not empty, but no more than maxValues.
func linesOf(text string) []string {
	lines := strings.FieldsFunc(strings.TrimPrefix(text, "\ufeff"), func(c rune) bool { return c == '\n' || c == '\r' })
	return lines[:min(len(lines), maxValues)]
}

// most reports whether four of five lines hold.
func most(lines []string, holds func(string) bool) bool {
	n := 0
	for _, s := range lines {
		if holds(s) {
			n++
		}
	}
	return len(lines) > 0 && n*5 >= len(lines)*4
}

// isPairs reports whether a line is one of key=value pairs.
func isPairs(line string) bool {
	return strings.Count(line, "=") >= 2 && !strings.Contains(line, "{\"")
}

// headerOf returns the line of a field map that says what stands before each record of a
// text, and the text without it; "" where nothing does.
func headerOf(text string) (line, rest string) {
	lines := linesOf(text)
	if len(lines) == 0 || strings.ContainsAny(lines[0][:1], "{[") {
		return "", text
	}
	if most(lines, isSyslog) {
		return "header: syslog\n", without(textform.Syslog, text)
	}
	if lines[0][0] == '<' {
		return "", text
	}
	if most(lines, func(s string) bool { return strings.HasPrefix(s, "CEF:") || strings.HasPrefix(s, "LEEF:") }) || table(text) != nil {
		return "", text
	}
	var patterns []string
	count := map[string]int{}
	for _, s := range lines {
		p := before(s)
		if count[p]++; p != "" && count[p] == 1 {
			patterns = append(patterns, p)
		}
	}
	slices.SortStableFunc(patterns, func(a, b string) int { return count[b] - count[a] })
	patterns = patterns[:min(len(patterns), maxHeaders)]
	covered := 0
	var templates []*textform.Template
	for i, p := range patterns {
		t, err := textform.ParseTemplate(p)
		if err != nil {
			return "", text
		}
		covered += count[p]
		templates, patterns[i] = append(templates, t), quoted(p)
	}
	if covered*5 < len(lines)*4 {
		return "", text
	}
	return "header: [" + strings.Join(patterns, ", ") + "]\n", without(textform.AnyHeader(templates), text)
}

// maxHeaders is how many patterns of a header are drafted.
const maxHeaders = 4

// without returns a text without the headers of its lines.
func without(header textform.Header, text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		_, rest := header(line)
		out.WriteString(strings.TrimRight(rest, "\r\n"))
		out.WriteByte('\n')
	}
	return out.String()
}

// isSyslog reports whether a line begins with a header of syslog, rather than with a time
// that something else wrote.
func isSyslog(line string) bool {
	head, rest := textform.Syslog(line)
	if head == nil {
		return false
	}
	for _, sure := range []string{`"priority":`, `"app":`} {
		if bytes.Contains(head, []byte(sure)) {
			return true
		}
	}
	return slices.ContainsFunc([]string{"{", "CEF:", "LEEF:"}, func(s string) bool { return strings.HasPrefix(rest, s) })
}

// before returns the pattern of what stands before the JSON, CEF, LEEF or pairs in a line:
// words, of which those that are a time have a name. "" if there is nothing of the kind.
func before(line string) string {
	end := -1
	for _, mark := range []string{`{"`, "CEF:", "LEEF:"} {
		if i := strings.Index(line, mark); i >= 0 && (end < 0 || i < end) {
			end = i
		}
	}
	if i := strings.IndexByte(line, '='); end < 0 && isPairs(line) {
		end = strings.LastIndexAny(line[:i], " \t|") + 1
	}
	if end <= 0 || strings.ContainsAny(line[:end], "{}") {
		return ""
	}
	var pattern strings.Builder
	for word := range strings.FieldsSeq(line[:end]) {
		at := strings.Index(line, word)
		pattern.WriteString(line[:at])
		pattern.WriteString(namedPart(word))
		line = line[at+len(word):]
		end -= at + len(word)
	}
	pattern.WriteString(line[:end])
	if strings.HasSuffix(pattern.String(), "}") { // nothing tells where the last word ends
		return ""
	}
	return pattern.String()
}

// namedPart returns the part of a pattern that takes a word; of name:time it takes the time.
func namedPart(word string) string {
	if i := strings.IndexAny(word, ":="); i > 0 && strings.Trim(word[:i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") == "" {
		if part := namedPart(word[i+1:]); strings.Contains(part, "{time}") {
			return word[:i+1] + part
		}
	}
	bare := strings.Trim(word, "[],;|")
	at := strings.Index(word, bare)
	part := "{}"
	if _, outcome := timeform.Guess(bare, timeform.Beside{}, event.MinTime, event.MaxTime); outcome != timeform.Unreadable && len(bare) >= len("1772442927123") {
		part = "{time}"
	} else if isClock(bare) {
		part = "{clock}"
	} else if dateForm(bare) != "" {
		part = "{date}"
	} else if bare == "" || strings.Trim(bare, "-:|=>#") == "" {
		return word
	}
	return word[:at] + part + word[at+len(bare):]
}

// table returns the columns of a text that is a table with a header, or nil.
func table(text string) []string {
	r := files.NewReader(strings.NewReader(text), tableFormat)
	var columns []string
	rows, fit := 0, 0
	for rows < 20 {
		row, _, err := r.Next()
		if err != nil {
			break
		}
		if rows++; row[0] != '{' {
			continue
		}
		if fit++; columns == nil {
			columns = keysOf(row)
		}
	}
	if fit*2 <= rows || len(columns) < 2 || slices.ContainsFunc(columns, func(c string) bool { return !isName(c) }) {
		return nil
	}
	return columns
}

var tableFormat = mustParse("name: table\ninput: csv\nmaps: [{fields: {time: t}}]")

// keysOf returns the keys of a JSON object in their order.
func keysOf(object []byte) (keys []string) {
	d := json.NewDecoder(bytes.NewReader(object))
	for {
		t, err := d.Token()
		if err != nil {
			return keys
		}
		if key, ok := t.(string); ok {
			keys = append(keys, key)
			if _, err := d.Token(); err != nil {
				return keys
			}
		}
	}
}

// isName reports whether a cell can be the name of a column.
func isName(cell string) bool {
	return cell != "" && len(cell) <= 64 && (cell[0] < '0' || cell[0] > '9') && !strings.ContainsAny(cell, "{}=")
}

// holder says in what events of a format are, by the lines of the field map.
func holder(head string) string {
	line, _, _ := strings.Cut(head, "\n")
	what, path, _ := strings.Cut(line, ": ")
	switch {
	case what == "input":
		return "a table"
	case line == "header: syslog":
		return "lines of syslog"
	case what == "header":
		return "lines with a header"
	case what == "zone":
		region, _, _ := strings.Cut(path, " ")
		return "a log, in the zone of " + region + ","
	}
	return fmt.Sprintf("JSON that holds, at %s, events", path)
}
