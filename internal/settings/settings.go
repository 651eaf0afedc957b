// Package settings translates a configuration into the terms of the operators:
// dimensions, grid, record key, engine, facts and expectations. Every command
// that decides anything (run, demo, backtest, tune, explain) gets its operators'
// settings here, so that all of them decide alike.
package settings

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/correlate/ask"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Settings is a configuration in the terms of the operators.
type Settings struct {
	Config    *config.Config
	Grid      eventtime.Grid
	Hasher    event.Hasher // under the record key; under a fixed key if the configuration names none
	Ingest    ingest.Config
	Detect    detect.Config
	Correlate correlate.Config
	Authority *authority.Authority // whose verdicts count
}

// New translates a configuration that package config has checked. It reads the
// record key.
func New(c *config.Config) (*Settings, error) {
	s := &Settings{Config: c, Hasher: event.FixedHasher()}
	var err error
	if s.Grid, err = eventtime.NewGrid(c.Time.Tick, c.Time.Bin); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if c.RecordKeyFile != "" {
		if s.Hasher, err = files.ReadKey(c.RecordKeyFile); err != nil {
			return nil, c.At("record_key_file", err)
		}
	}
	var names []string
	for _, d := range c.Dimensions {
		names = append(names, d.Name)
	}
	engine := score.NewEngine(c.Time.Bin, c.Time.Zone, score.DefaultTuning())
	ms := time.Duration.Milliseconds
	s.Ingest = ingest.Config{
		Grid: s.Grid, Dimensions: c.Dimensions, Hasher: s.Hasher, Partitions: int32(c.Partitions),
		Lateness: ms(c.Time.Lateness), Future: ms(c.Time.FutureLimit), Retention: ms(c.Time.Retention),
	}
	if c.Facts.Sessions {
		s.Ingest.SessionsTopic = topics.Named(c.TopicPrefix).Sessions
	}
	s.Detect = detect.Config{
		Grid: s.Grid, Dimensions: names, Persons: detect.Persons(c.Dimensions), Peers: peers(c), Engine: engine,
		Lateness: ms(c.Time.Lateness), Retention: ms(c.Time.Retention),
		SnapshotTicks: 24 * s.Grid.Bin / s.Grid.Tick,
		Identities:    c.Identities, Partitions: c.Partitions,
		Facts: factsConfig(c),
	}
	s.Correlate = correlate.Config{
		Grid: s.Grid, Dimensions: names, Engine: engine, Partitions: int32(c.Partitions), Retention: ms(c.Time.Retention),
		Budget: fleet.NewConfig(float64(c.Alerts.Budget), names, float64(24*time.Hour)/float64(c.Time.Bin)), Location: c.Time.Zone,
		Expected: expectations(c), Reaches: reaches(c),
	}
	people, err := aliases(c)
	if err != nil {
		return nil, err
	}
	s.SetAliases(people)
	s.Authority = authority.New(s.Hasher.Derive("verdicts"), authors(c))
	s.Correlate.Authority, s.Correlate.SecondPerson = s.Authority.Check, c.SecondPerson
	if c.Ask.Through != "" {
		s.Correlate.Ask = ask.Whom(c.Ask.Whom)
	}
	if c.RecordKeyFile != "" { // else the keys follow from a key that everybody knows, and need none
		secret := s.Hasher.Derive("dedup keys")
		s.Correlate.DedupSecret = secret[:]
	}
	return s, nil
}

func authors(c *config.Config) (out []authority.Author) {
	for _, a := range c.Authors {
		out = append(out, authority.Author(a))
	}
	return out
}

// AuthorOf returns the proof of an author who signs with the key in a PEM file. It needs no
// record key.
func AuthorOf(c *config.Config, keyFile string) (authority.Proof, error) {
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the signing key: %w", err)
	}
	key, err := authority.ParsePrivateKey(text)
	if err != nil {
		return nil, err
	}
	return Authors(c).PrivateKey(key), nil
}

// Authors knows those of a configuration whose verdicts count by a key of their own. It
// takes no record key.
func Authors(c *config.Config) *authority.Authority { return authority.New([32]byte{}, authors(c)) }

// peers returns, for each dimension, the one by which its identities are grouped.
func peers(c *config.Config) []int {
	out := detect.DefaultPeers(c.Dimensions)
	for i, d := range c.Dimensions {
		switch by, ok := c.Peers[d.Name]; {
		case by == config.NoPeers:
			out[i] = detect.NoPeers
		case ok:
			out[i] = slices.IndexFunc(c.Dimensions, func(o event.Dimension) bool { return o.Name == by })
		}
	}
	return out
}

// Dimension returns the dimension of a name.
func (s *Settings) Dimension(name string) (event.Dimension, bool) {
	i := slices.IndexFunc(s.Config.Dimensions, func(d event.Dimension) bool { return d.Name == name })
	if i < 0 {
		return event.Dimension{}, false
	}
	return s.Config.Dimensions[i], true
}

// SourceTopics returns the names of the source topics.
func SourceTopics(c *config.Config) (names []string) {
	for _, s := range c.Sources {
		names = append(names, s.Topic)
	}
	return names
}

// InputTopics returns the names of all topics that are read and are not weir's own.
func InputTopics(c *config.Config) []string {
	if c.Aliases.Topic == "" {
		return SourceTopics(c)
	}
	return append(SourceTopics(c), c.Aliases.Topic)
}

// Instance is the stable name of this process: the configured one, else the
// host's name.
func Instance(c *config.Config) (string, error) {
	if c.Instance != "" {
		return c.Instance, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("naming this process: %w; set `instance` in the configuration", err)
	}
	return name, nil
}
