// Package configtest runs unit tests of a configuration: events go in, and the
// episodes that open, and those that an entry of `expected` holds back, must be
// those that the test names. It is to a configuration what `promtool test rules`
// is to rules of Prometheus.
//
// The events go through the same operators as on Kafka. A suite is one YAML file;
// what is wrong with it is an error, what a test finds is a Result.
package configtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/episode"
)

// Suite is the tests of one file.
type Suite struct {
	Config string `yaml:"config"` // the configuration under test, beside the file; default weir.yaml
	Tests  []Test `yaml:"tests"`

	dir string // folder of the file
}

// Test is one case: what goes in, and all that must come out.
type Test struct {
	Name   string   `yaml:"name"`
	Events []Events `yaml:"events"`
	// Alerts are the episodes that must open and be sent, and no others may.
	Alerts []Want `yaml:"alerts"`
	// HeldBack are the episodes that entries of `expected` must hold back, and no
	// others may.
	HeldBack []Want `yaml:"held_back"`
	// Read is how the events must be read, where it is given.
	Read *Read `yaml:"read"`
}

// Events is one part of what goes in: a file, lines as they stand, or a pattern.
type Events struct {
	File    string   `yaml:"file"`
	Lines   string   `yaml:"lines"`
	Format  string   `yaml:"format"` // format of the file or the lines; default native
	Pattern *Pattern `yaml:"pattern"`
}

// Pattern is events of one kind that come again and again, made by the same dice in
// each run.
type Pattern struct {
	From  time.Time      `yaml:"from"`
	Until time.Time      `yaml:"until"` // excluded
	Every duration       `yaml:"every"` // mean time between two of one name
	Days  []string       `yaml:"days"`  // mon to sun, in the zone of the configuration; empty: all
	Hours string         `yaml:"hours"` // such as 09:00-17:00, in that zone; empty: all
	Names int            `yaml:"names"` // so many alike, named by {n} in the event: 1, 2, …; default 1
	Event map[string]any `yaml:"event"` // in native form, without time and records
	// Records is how many customers an event reads on average; 0: none, as of a fact.
	Records int `yaml:"records"`
	// Of is of how many customers of its own a name reads; 0: always new ones.
	Of int `yaml:"of"`
}

// Want is an episode that a test wants. Empty fields are not compared.
type Want struct {
	Dimension string    `yaml:"dimension"`
	Identity  string    `yaml:"identity"` // '*' stands for any text
	Measure   string    `yaml:"measure"`
	Fact      string    `yaml:"fact"`
	Severity  string    `yaml:"severity"` // the least
	Before    time.Time `yaml:"before"`   // event time by which it must open
	By        string    `yaml:"by"`       // name of the entry that holds it back; in HeldBack alone
}

// Read is how events must be read.
type Read struct {
	Counted  int64 `yaml:"counted"`
	Facts    int64 `yaml:"facts"`
	Rejected int64 `yaml:"rejected"` // without what the format leaves out
}

type duration time.Duration

// UnmarshalYAML reads a duration as the configuration has it, such as 10m or 1d.
func (d *duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := config.ParseDuration(n.Value)
	*d = duration(v)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

// Load reads a suite.
func Load(path string) (*Suite, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the tests: %w", err)
	}
	s := &Suite{Config: "weir.yaml", dir: filepath.Dir(path)}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the tests of %s: %s; a file of tests has `config` and `tests` (docs/testing.md)", path, inWords(err))
	}
	if len(s.Tests) == 0 {
		return nil, fmt.Errorf("reading the tests of %s: there are none under tests", path)
	}
	for i := range s.Tests {
		if err := s.Tests[i].check(); err != nil {
			return nil, fmt.Errorf("reading the tests of %s: test %d (%s): %w", path, i+1, s.Tests[i].Name, err)
		}
	}
	return s, nil
}

// inWords says what is wrong with a file of tests, in one line and without the names of
// Go's types.
func inWords(err error) string {
	var faults *yaml.TypeError
	if !errors.As(err, &faults) {
		return err.Error()
	}
	return ofType.ReplaceAllString(strings.Join(faults.Errors, "; "), "key $1 is unknown")
}

var ofType = regexp.MustCompile(`field (\S+) not found in type [\w.]+`)

func (t *Test) check() error {
	if t.Name == "" || len(t.Events) == 0 {
		return errors.New("a test needs a name and events")
	}
	for i := range t.Events {
		if err := t.Events[i].check(); err != nil {
			return fmt.Errorf("events %d: %w", i+1, err)
		}
	}
	for _, w := range slices.Concat(t.Alerts, t.HeldBack) {
		if w == (Want{}) {
			return errors.New("an entry of alerts or held_back says nothing")
		}
		if w.Severity != "" {
			if _, err := episode.ParseSeverity(w.Severity); err != nil {
				return err
			}
		}
	}
	for _, w := range t.Alerts {
		if w.By != "" {
			return errors.New("by belongs to held_back: nothing holds back what is sent")
		}
	}
	return nil
}

func (e *Events) check() error {
	given := 0
	for _, is := range []bool{e.File != "", e.Lines != "", e.Pattern != nil} {
		if is {
			given++
		}
	}
	switch p := e.Pattern; {
	case given != 1:
		return errors.New("want one of file, lines and pattern")
	case p == nil:
		return nil
	case e.Format != "":
		return errors.New("a pattern is in native form; format belongs to file and lines")
	case !p.From.Before(p.Until) || p.Every <= 0:
		return errors.New("a pattern needs from, a later until, and every")
	case p.Until.Sub(p.From)/time.Duration(p.Every)*time.Duration(max(p.Names, 1)) > maxEvents:
		return fmt.Errorf("the pattern makes more than %d events", maxEvents)
	case p.Records < 0 || p.Of < 0 || p.Names < 0:
		return errors.New("records, of and names are not negative")
	}
	_, err := e.Pattern.window()
	return err
}

// maxEvents bounds a pattern: a test is to be quick.
const maxEvents = 500_000
