// Package guess says what a file of unknown form looks like: its charset, whether
// it is JSON, a table, key=value pairs or lines of text, which of the formats that
// come with weir fits, and else a field map to start from. It looks at the
// beginning of the file only.
package guess

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
)

// sampleSize is how many bytes of a file are looked at, and maxValues how many
// values in them.
const (
	sampleSize = 1 << 20
	maxValues  = 500
)

// Guess is what a file looks like.
type Guess struct {
	Looks  string `json:"looks"`            // as in "this looks like …"
	Preset string `json:"preset,omitempty"` // the format that comes with weir and fits; "" for none
	Map    string `json:"map,omitempty"`    // a field map to start from; "" where there is none to give
}

// File guesses what a file is.
func File(path string) (*Guess, error) {
	in, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	sample, err := io.ReadAll(io.LimitReader(in, sampleSize))
	if err != nil && len(sample) == 0 {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return Of(sample), nil
}

// Of guesses what a file is by its beginning.
func Of(sample []byte) *Guess {
	if text, err := io.ReadAll(files.Recoded(bytes.NewReader(sample))); err == nil {
		sample = text
	}
	charset := charsetOf(sample)
	if name, input, events := preset(sample); name != "" {
		g := &Guess{Looks: fmt.Sprintf("the format %s (%d events of its beginning can be read)", name, events), Preset: name}
		if input != "" {
			g.Looks, g.Preset = fmt.Sprintf("%s of the format %s (%d events of its beginning can be read)", holder(input), name, events), ""
		}
		g.Map = fmt.Sprintf("name: mine\nbase: %s\n%s", name, input)
		if charset != "" {
			g.Map += "charset: " + charset + "\n"
		}
		return g
	}
	head := ""
	if charset != "" {
		head = "charset: " + charset + "\n"
	}
	text := decoded(sample, charset)
	var looks string
	var docs [][]byte
	switch kind, detail := kindOf(text); kind {
	case "":
		return &Guess{Looks: detail}
	default:
		looks = detail
		input := ""
		if kind != "json" {
			input = "input: " + kind + "\n"
			head += input
		}
		docs = values([]byte(text), input)
	}
	if areAlerts(docs) {
		return &Guess{Looks: "alerts of weir itself, which are no events; weir extract KEY lists the events behind one"}
	}
	if charset != "" {
		looks += ", in the charset " + charset
	}
	d := draftOf(docs)
	return &Guess{Looks: looks, Map: d.yaml(head)}
}

// holder says in what events of a format are, by the line of the field map.
func holder(input string) string {
	if what, path, _ := strings.Cut(strings.TrimSpace(input), ": "); what != "input" {
		return "JSON that holds, at " + path + ", events"
	}
	return "a table"
}

// areAlerts reports whether most documents are alerts of weir's own.
func areAlerts(docs [][]byte) bool {
	alerts := 0
	for _, doc := range docs {
		var a struct {
			Key      string `json:"dedup_key"`
			Identity string `json:"identity"`
		}
		if json.Unmarshal(doc, &a) == nil && strings.HasPrefix(a.Key, "weir-") && a.Identity != "" {
			alerts++
		}
	}
	return 2*alerts > len(docs)
}

// charsetOf returns the charset of a text that is not UTF-8; "" for UTF-8.
func charsetOf(sample []byte) string {
	if utf8.Valid(sample) {
		return ""
	}
	for cut := 1; cut < utf8.UTFMax && cut < len(sample); cut++ { // the sample may end within a letter
		if len(sample) == sampleSize && utf8.Valid(sample[:len(sample)-cut]) {
			return ""
		}
	}
	return "windows-1252"
}

// decoded returns the sample as UTF-8.
func decoded(sample []byte, charset string) string {
	if charset != "" {
		if enc, err := fieldmap.Charset(charset); err == nil && enc != nil {
			if out, err := enc.NewDecoder().Bytes(sample); err == nil {
				return string(out)
			}
		}
	}
	return string(sample)
}

// preset returns the format that comes with weir under which most of a sample can be
// read, as it is, as a table or within what a wrapper holds (input), and how many events
// that are.
func preset(sample []byte) (name, input string, events int) {
	best := 0
	try := func(as string, strict bool) {
		for _, candidate := range fieldmap.Names() {
			if candidate == "native" && as == "input: csv\n" {
				continue // a table of any names is drafted
			}
			f, err := fieldmap.Parse("guess", []byte("name: x\nbase: "+candidate+"\n"+as))
			if err != nil {
				continue
			}
			if score, n := fit(f, sample, strict); score > best {
				best, name, input, events = score, candidate, as, n
			}
		}
	}
	try("", false)
	try("input: csv\n", true)
	if best > 0 {
		return name, input, events
	}
	for _, wrapper := range wrappers(gather(values(sample, ""))) {
		try(wrapper, true)
	}
	return name, input, events
}

// maxWrappers is how many ways are tried in which a sample may hold events of a format.
const maxWrappers = 16

// wrappers returns the lines of a field map that reach into what a sample holds: texts
// that are JSON, lists of objects, and objects.
func wrappers(l *leaves) (out []string) {
	add := func(line string) {
		if len(out) < maxWrappers && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(l.parsed)) {
		if !strings.Contains(path, "[") {
			add("under: " + quoted(path) + "\n")
		}
	}
	for _, f := range l.all {
		if i := strings.Index(f.path, "[]."); i > 0 {
			add("explode: " + quoted(f.path[:i+2]) + "\n")
		} else if i := strings.IndexByte(f.path, '.'); i > 0 && !strings.ContainsAny(f.path, "[\"") {
			add("under: " + f.path[:i] + "\n")
		}
	}
	return out
}

// fit returns how well a format fits a sample, by how many fields it fills, and how
// many events it reads; 0 if less than half can be read, or nobody and nothing is
// named in what is read. What is strict must tell of what was touched too, else its other
// columns are better drafted.
func fit(f *fieldmap.Format, sample []byte, strict bool) (score, events int) {
	left, rejected, named, touched := 0, 0, 0, 0
	each(f, sample, func(ev *event.Event, rej *event.Reject) {
		switch {
		case rej != nil && rej.Reason == event.Ignored:
			left++
		case rej != nil:
			rejected++
		default:
			events++
			n := 0
			for _, s := range []string{ev.Actor, ev.Subject, ev.KeyID, ev.IP, ev.Client, ev.Endpoint, ev.ID, ev.Role} {
				if s != "" {
					n++
				}
			}
			if len(ev.Records) > 0 || ev.Rows > 0 {
				n++
			}
			if len(ev.Records) > 0 || ev.Rows > 0 || ev.Endpoint != "" {
				touched++
			}
			if ev.Actor+ev.Subject+ev.KeyID+ev.IP != "" {
				named++
			}
			score += n
		}
	})
	if events == 0 || events+left <= rejected || named*2 < events || strict && touched*2 < events {
		return 0, 0
	}
	return score * 100 / (events + rejected), events
}

// each decodes the values of a sample.
func each(f *fieldmap.Format, sample []byte, yield func(*event.Event, *event.Reject)) {
	r, d := files.NewReader(bytes.NewReader(sample), f), f.NewDecoder()
	for range maxValues {
		value, _, err := r.Next()
		if err != nil {
			return
		}
		d.Decode(value, yield)
	}
}

// values returns the values of a sample as JSON objects.
func values(sample []byte, input string) [][]byte {
	f, err := fieldmap.Parse("guess", []byte("name: x\n"+input+"maps: [{fields: {time: t}}]"))
	if err != nil {
		return nil
	}
	r, in := files.NewReader(bytes.NewReader(sample), f), f.Input()
	var all [][]byte
	for range maxValues {
		value, _, err := r.Next()
		if err != nil {
			break
		}
		if value, ok := in.JSON(value); ok {
			all = append(all, bytes.Clone(value))
		}
	}
	return all
}

// kindOf returns the input of a text, and what it looks like; the input is "" for
// what no field map can read.
func kindOf(text string) (input, looks string) {
	text = strings.TrimPrefix(text, "\ufeff")
	lines := strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == '\r' })
	switch {
	case strings.TrimSpace(text) == "":
		return "", "an empty file"
	case strings.HasPrefix(strings.TrimSpace(text), "{") || strings.HasPrefix(strings.TrimSpace(text), "["):
		if len(values([]byte(text), "")) > 0 {
			return "json", "JSON, but no format that comes with weir"
		}
		return "", "JSON that was cut off or is broken"
	case len(text) > 1 && text[0] == '<' && (text[1] < '0' || text[1] > '9'): // <134> begins a line of syslog
		return "", "XML or HTML, which weir does not read"
	case strings.IndexByte(text, 0) >= 0 && text[0] == 0:
		return "", "values of Kafka with the ids of their schemas; weir reads them from the topic, with schema_registry in the source (docs/formats.md)"
	case strings.IndexByte(text, 0) >= 0:
		return "", "binary data"
	}
	if columns := table(lines); columns != nil {
		return "csv", "CSV with the columns " + strings.Join(columns[:min(len(columns), 8)], ", ")
	}
	pairs := 0
	for _, line := range lines {
		if strings.Count(line, "=") >= 2 && !strings.Contains(line, "{\"") {
			pairs++
		}
	}
	switch {
	case pairs*5 >= len(lines)*4:
		return "logfmt", "key=value pairs"
	case strings.Contains(lines[0], "{\""):
		input := jsonAfter(lines[0])
		return input, "lines of text with JSON in them; a field map with input: " + input + " and parse: {json: json} can read them"
	}
	return "", `lines of text; a field map with input: {text: "{time} {user} …"} can read them (docs/formats.md)`
}

// jsonAfter returns the input of lines that have JSON after so many words as this one has.
func jsonAfter(line string) string {
	before, _, _ := strings.Cut(line, "{\"")
	var pattern strings.Builder
	for _, c := range before {
		switch {
		case c == ' ' || c == '\t':
			pattern.WriteRune(c)
		case pattern.Len() == 0 || !strings.HasSuffix(pattern.String(), "{}"):
			pattern.WriteString("{}")
		}
	}
	return fmt.Sprintf("{text: %q}", pattern.String()+"{json}")
}

// table returns the columns of a text that is a table with a header, or nil.
func table(lines []string) []string {
	if len(lines) > 0 && strings.HasPrefix(lines[0], "sep=") {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.HasPrefix(lines[0], "#") {
		if name, rest, _ := strings.Cut(strings.TrimLeft(lines[0], "#"), " "); strings.EqualFold(strings.TrimRight(name, ":"), "fields") {
			return strings.Fields(rest)
		} else if fields, ok := strings.CutPrefix(lines[0], "#fields\t"); ok {
			return strings.Split(fields, "\t")
		}
		lines = lines[1:]
	}
	if len(lines) < 2 {
		return nil
	}
	for _, comma := range ",;\t|" {
		header := cells(lines[0], comma)
		if len(header) < 2 {
			continue
		}
		rows, fit := 0, 0
		r := csv.NewReader(strings.NewReader(strings.Join(lines[1:min(len(lines), 60)], "\n")))
		r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
		for row, err := r.Read(); err == nil && rows < 20; row, err = r.Read() {
			if rows++; len(row) == len(header) {
				fit++
			}
		}
		if fit*2 > rows && isHeader(header) {
			return header
		}
	}
	return nil
}

// cells returns the cells of a row.
func cells(line string, comma rune) []string {
	r := csv.NewReader(strings.NewReader(line))
	r.Comma, r.LazyQuotes = comma, true
	row, err := r.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return row
}

// isHeader reports whether the cells of a row are names.
func isHeader(cells []string) bool {
	seen := map[string]bool{}
	for _, c := range cells {
		c = strings.TrimSpace(c)
		if c == "" || seen[c] || len(c) > 64 || c[0] >= '0' && c[0] <= '9' || strings.ContainsAny(c, "{}=") {
			return false
		}
		seen[c] = true
	}
	return true
}
