// Package guess says what a file of unknown form looks like: its charset, whether
// it is JSON, a table, key=value pairs or lines of text, which of the formats that
// come with weir fits, and else a field map to start from. It looks at the
// beginning of the file only.
package guess

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

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
	var last time.Time
	if info, err := os.Stat(path); err == nil {
		last = info.ModTime()
	}
	return Of(sample, last), nil
}

// Of guesses what a file is by its beginning. last is when it was written last; zero if
// that is not known.
func Of(sample []byte, last time.Time) *Guess {
	if text, err := io.ReadAll(files.Recoded(bytes.NewReader(sample))); err == nil {
		sample = text
	}
	charset := charsetOf(sample)
	head := ""
	if charset != "" {
		head = "charset: " + charset + "\n"
	}
	text := decoded(sample, charset)
	header, bare := headerOf(text)
	if name, lines, events := preset(sample, header, last); name != "" {
		g := &Guess{Looks: fmt.Sprintf("the format %s (%d events of its beginning can be read)", name, events), Preset: name}
		if lines != "" {
			g.Looks, g.Preset = holder(lines)+" of "+g.Looks, ""
		}
		g.Map = fmt.Sprintf("name: mine\nbase: %s\n%s%s", name, lines, head)
		return g
	}
	kind, looks := kindOf(bare)
	if header != "" {
		looks = holder(header) + ", and in them " + looks
	}
	if kind == "" {
		return &Guess{Looks: looks}
	}
	input := header
	if kind != "json" {
		input += "input: " + kind + "\n"
	}
	docs := values([]byte(text), input)
	if odd := oddOf(docs); odd != "" {
		return &Guess{Looks: odd}
	}
	if charset != "" {
		looks += ", in the charset " + charset
	}
	d := draftOf(docs)
	d.last = last
	d.zone, _ = zoneLine(sample)
	return &Guess{Looks: looks, Map: d.yaml(head + input)}
}

// oddOf says what documents are that no field map can read; "" for others.
func oddOf(docs [][]byte) string {
	switch {
	case areAlerts(docs):
		return "alerts of weir itself, which are no events; weir extract KEY lists the events behind one"
	case len(docs) > 0 && docs[0][0] == '[':
		return "JSON lists of values without names, which no field map can read; write them as objects, or as CSV"
	case len(docs) > 0 && isKeyed(docs[0]):
		return "JSON in which each event stands under a name of its own, which no field map can read; write the events as a list, such as by: jq '[.[]]'"
	}
	return ""
}

// isKeyed reports whether the members of a document are several objects with the same keys.
func isKeyed(doc []byte) bool {
	var members map[string]map[string]json.RawMessage
	if json.Unmarshal(doc, &members) != nil || len(members) < 2 {
		return false
	}
	var first []string
	for _, m := range members {
		keys := slices.Sorted(maps.Keys(m))
		if first == nil {
			first = keys
		}
		if len(keys) < 2 || !slices.Equal(keys, first) {
			return false
		}
	}
	return true
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
// read, as it is, as a table, after a header or within what a wrapper holds (input), and how
// many events that are.
func preset(sample []byte, header string, last time.Time) (name, input string, events int) {
	best := 0
	try := func(as string) {
		for _, candidate := range fieldmap.Names() {
			if candidate == "native" && as != "" && !strings.HasPrefix(as, "under") && !strings.HasPrefix(as, "explode") {
				continue // a table of any names, or JSON after a header, is drafted
			}
			f, err := fieldmap.Parse("guess", []byte("name: x\nbase: "+candidate+"\n"+as))
			if err != nil {
				continue
			}
			strict := candidate != "native" || as != ""
			if score, n := fit(f, sample, strict); score > best {
				best, name, input, events = score, candidate, as, n
			}
		}
	}
	try("")
	try("input: csv\n")
	zone, placed := zoneLine(sample)
	if best == 0 && placed {
		try(zone)
	}
	if best == 0 && header != "" {
		try(header)
		if best == 0 && !last.IsZero() { // its time may have neither year nor zone
			try(header + zone + untilLine(last))
		}
	}
	if best > 0 {
		return name, input, events
	}
	for _, wrapper := range wrappers(gather(values(sample, ""))) {
		try(wrapper)
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
	// list leads to a list of events, in texts or not.
	list := func(path string) {
		outer := l.within(path)
		line := underLine(outer)
		if len(outer) > 0 {
			path = below(path, outer[len(outer)-1])
		}
		add(line + "explode: " + quoted(path) + "\n")
	}
	for _, path := range slices.Sorted(maps.Keys(l.parsed)) {
		outer := l.within(path)
		if len(outer) > 0 && strings.Contains(below(path, outer[len(outer)-1]), "[]") {
			list(path)
		} else if strings.Count(path, "[") == strings.Count(path, "[]") {
			add(underLine(append(outer, path)))
		}
	}
	for _, f := range l.all {
		if i := strings.Index(f.path, "[]."); i > 0 {
			list(f.path[:i+2])
		} else if i := strings.IndexByte(f.path, '.'); i > 0 && !strings.ContainsAny(f.path, "[\"") {
			add("under: " + f.path[:i] + "\n")
		}
	}
	return out
}

// fit returns how well a format fits a sample, by how many fields it fills, and how
// many events it reads; 0 if less than half can be read, or nobody and nothing is
// named in what is read. What is strict must tell of what was touched too, else its other
// columns are better drafted; weir's own form may be facts only.
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
		value, ok := in.JSON(value)
		var text string
		if ok && value[0] == '"' && json.Unmarshal(value, &text) == nil { // a document that was taken for a text
			value = []byte(text)
		}
		if ok {
			all = append(all, bytes.Clone(value))
		}
	}
	return all
}

// mustParse compiles a field map of weir's own.
func mustParse(src string) *fieldmap.Format {
	f, err := fieldmap.Parse("guess", []byte(src))
	if err != nil {
		panic(err) // it is a constant
	}
	return f
}
