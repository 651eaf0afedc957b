// Package fieldmap turns the records of any source (native JSON, OCSF,
// CloudTrail, a field map of the user's own) into events. A Format is a field map
// once read; its Decoder is pure, and allocates nothing in the steady state.
package fieldmap

import (
	"embed"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/event/timeform"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/encoding"
)

//go:embed presets/*.yaml
var presets embed.FS

// presetNames are the formats that come with weir, most used first.
var presetNames = []string{"native", "ocsf", "cloudtrail", "gcp", "azure", "m365", "okta", "github", "snowflake", "pgaudit", "pgaudit_text", "nginx", "envoy", "alb", "salesforce"}

// Names returns the names of the formats that come with weir, most used first.
func Names() []string { return slices.Clone(presetNames) }

// Format is a compiled field map: it says how the values of a source become
// events. It is safe for concurrent use; each goroutine decodes with its own
// Decoder.
type Format struct {
	name    string
	about   string
	input   Input
	charset encoding.Encoding // nil for UTF-8
	until   int64             // times without a year are before it, Unix milliseconds; 0 if nothing tells
	some    bool              // the source tells of some keys only, see event.Event.SomeKeys
	message *besideValue      // nil where nothing is taken of a message but its value
	entry   *stage            // nil where each value is one event
	pattern *jsonscan.Pattern // what an event's values are taken from
	maps    []mapping         // the first that holds makes the event
}

// mapping makes events of one kind: where when holds, fields say what becomes
// what.
type mapping struct {
	name   string
	when   []condition
	ignore bool // leave such events out
	fields [numFields][]source
}

// condition is what a map asks of the first of some paths that has a value.
type condition struct {
	slots  []int              // of the paths
	exists bool               // what is asked, if equals is nil
	equals *jsonscan.ValueMap // any of these
	not    bool               // none of these, instead
}

// field is a field of Event that a map can fill.
type field uint8

const (
	fieldTime field = iota
	fieldID
	fieldAction
	fieldActor
	fieldRole
	fieldSubject
	fieldKeyID
	fieldSession
	fieldIP
	fieldClient
	fieldEndpoint
	fieldRecords
	fieldRows
	numFields
)

// fieldNames are the fields' names in field maps and in the native form.
var fieldNames = [numFields]string{"time", "id", "action", "actor", "role", "subject", "key_id", "session",
	"ip", "client", "endpoint", "records", "rows"}

// FieldNames returns the names of an event's fields in the native form.
func FieldNames() []string { return slices.Clone(fieldNames[:]) }

// source is one place that a field can come from: a path, a constant, or
// several paths joined.
type source struct {
	path     string // as written, for rejects
	slot     int    // of the path; -1 if there is none
	list     int    // of the path, for records; -1 otherwise
	bare     bool   // the text at the slot is taken as it stands
	constant string
	join     []part
	between  string
	values   *jsonscan.ValueMap
	edits    *edits           // nil where the text stays as it stands
	forms    []*timeform.Form // of a time; none to take what has one meaning
	zone     *time.Location   // of a time that has none
}

// part is one part of a join: a slot, or a constant if it is not empty.
type part struct {
	slot     int
	constant string
}

// Name returns the format's name.
func (f *Format) Name() string { return f.name }

// About returns what the format says of itself, in a sentence.
func (f *Format) About() string { return f.about }

// Explodes reports whether one value of the format may hold several events.
func (f *Format) Explodes() bool { return f.entry != nil }

// Input returns the form of the format's values.
func (f *Format) Input() Input { return f.input }

// Charset returns the encoding of the format's text; nil for UTF-8.
func (f *Format) Charset() encoding.Encoding { return f.charset }

// Preset returns a format that comes with weir (see Names); false if none is
// called so.
func Preset(name string) (*Format, bool, error) {
	if !slices.Contains(presetNames, name) {
		return nil, false, nil
	}
	file, src, err := presetSource(name)
	if err != nil {
		return nil, true, err
	}
	f, err := Parse(file, src)
	return f, true, err
}

// presetSource returns the field map of a preset.
func presetSource(name string) (file string, src []byte, err error) {
	file = "presets/" + name + ".yaml"
	if src, err = presets.ReadFile(file); err != nil {
		return "", nil, fmt.Errorf("reading the format %s: %w", name, err)
	}
	return file, src, nil
}

// presetDocuments are the field maps of presets as YAML, once they were asked for: a
// guess compiles each many times.
var presetDocuments sync.Map

// presetDocument returns the field map of a preset as YAML, which is not to be changed.
func presetDocument(name string) (*yaml.Node, error) {
	if doc, ok := presetDocuments.Load(name); ok {
		return doc.(*yaml.Node), nil
	}
	file, src, err := presetSource(name)
	if err != nil {
		return nil, err
	}
	doc, err := document(file, src)
	if err == nil {
		presetDocuments.Store(name, doc)
	}
	return doc, err
}
