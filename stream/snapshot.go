package stream

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors"
)

// Keys of the fleet topic: the checkpoint of correlate, and each episode.
const (
	FleetKey      = "fleet"
	episodePrefix = "episode\x00"
)

// Snapshot returns the changes that bring the fleet topic up to where the task
// stands. With a restore from them and weir.evidence from the replay offset in
// the checkpoint, everything goes on as if nothing had happened.
func (c *Correlate) Snapshot() []Change {
	ids := make([]episodeID, 0, len(c.changed))
	for id := range c.changed {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b episodeID) int {
		return cmp.Or(cmp.Compare(a.dimension, b.dimension), cmp.Compare(a.identity, b.identity))
	})
	var out []Change
	for _, id := range ids {
		out = append(out, c.encodeEpisode(id))
	}
	clear(c.changed)

	replay := c.offset
	for _, offset := range c.first {
		replay = min(replay, offset)
	}
	b := []byte{StateVersion}
	b = binary.AppendVarint(b, replay)
	b = binary.AppendVarint(b, c.closed)
	b = binary.AppendVarint(b, c.bin)
	b = binary.AppendUvarint(b, uint64(len(c.done)))
	for _, d := range c.done {
		b = binary.AppendVarint(b, d)
	}
	b = appendBytes(b, c.params.AppendBinary(nil))
	b = c.fleet.AppendBinary(b)
	return append(out, Change{[]byte(FleetKey), b})
}

func (c *Correlate) encodeEpisode(id episodeID) Change {
	key := []byte(episodePrefix + id.dimension + "\x00" + id.identity)
	ep, ok := c.episodes.Get(id.dimension, id.identity)
	if !ok {
		return Change{Key: key}
	}
	b := appendBytes(nil, ep.AppendBinary(nil))
	return Change{key, c.last[id].AppendJSON(b)}
}

// Load takes in one record of the fleet topic, in the order of the log, into a
// task that has not applied anything yet. Records that are not correlate's are
// passed over.
func (c *Correlate) Load(key, value []byte) error {
	switch name := string(key); {
	case name == FleetKey:
		return c.loadFleet(value)
	case strings.HasPrefix(name, episodePrefix):
		dimension, identity, _ := strings.Cut(name[len(episodePrefix):], "\x00")
		return c.loadEpisode(episodeID{dimension, identity}, value)
	}
	return nil
}

func (c *Correlate) loadFleet(value []byte) error {
	r := reader{b: value}
	r.version(StateVersion)
	c.offset, c.closed, c.bin = r.varint(), r.varint(), r.varint()
	if n := r.count(); r.err == nil && n != len(c.done) {
		return fmt.Errorf("reading the fleet: reports of %d partitions, want %d: %w", n, len(c.done), ErrCorrupt)
	}
	for i := range c.done {
		c.done[i] = r.varint()
	}
	params := r.bytes()
	if r.err != nil {
		return fmt.Errorf("reading the fleet: %w", r.err)
	}
	var err error
	if c.params, _, err = detectors.DecodeParameters(params); err != nil {
		return fmt.Errorf("reading the fleet: %w", err)
	}
	if c.fleet, _, err = c.cfg.Engine.DecodeFleet(r.b); err != nil {
		return fmt.Errorf("reading the fleet: %w", err)
	}
	return nil
}

func (c *Correlate) loadEpisode(id episodeID, value []byte) error {
	if value == nil {
		c.episodes.Remove(id.dimension, id.identity)
		delete(c.last, id)
		return nil
	}
	r := reader{b: value}
	encoded := r.bytes()
	if r.err != nil {
		return fmt.Errorf("reading an episode: %w", r.err)
	}
	ep, _, err := detectors.DecodeEpisode(encoded)
	if err != nil {
		return fmt.Errorf("reading an episode: %w", err)
	}
	a, err := alerting.ParseAlert(r.b)
	if err != nil {
		return fmt.Errorf("reading an episode: %w", err)
	}
	c.episodes.Restore(ep)
	c.last[id] = a
	return nil
}

// Offset returns the offset of weir.evidence to read from: the next, or after
// a restore the one to begin again at.
func (c *Correlate) Offset() int64 { return c.offset }

// Status tells what the task holds, for metrics.
func (c *Correlate) Status() (open int, thresholds []float64) {
	for _, ep := range c.episodes.All() {
		if ep.Closed == 0 {
			open++
		}
	}
	for i := range c.cfg.Dimensions {
		thresholds = append(thresholds, c.params.Threshold(i))
	}
	return open, thresholds
}

// StartAt sets the offset of a task that has loaded nothing.
func (c *Correlate) StartAt(offset int64) { c.offset = offset }
