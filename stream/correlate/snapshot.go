package correlate

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// Keys of the fleet topic: the checkpoint of correlate, what it holds of the
// verdicts, what it knows of traits, each episode, and each that is over.
const (
	FleetKey      = "fleet"
	verdictsKey   = "verdicts"
	crowdKey      = "crowd"
	episodePrefix = "episode\x00"
	pastPrefix    = "past\x00"
)

// Snapshot returns the changes that bring the fleet topic up to where the task
// stands. With a restore from them and weir.evidence from the replay offset in
// the checkpoint, everything goes on as if nothing had happened.
func (c *Task) Snapshot() []stream.Change {
	var out []stream.Change
	for _, id := range slices.SortedFunc(maps.Keys(c.changed), episodeID.compare) {
		out = append(out, c.encodeEpisode(id))
	}
	for _, key := range slices.Sorted(maps.Keys(c.past.changed)) {
		out = append(out, stream.Change{Key: []byte(pastPrefix + key), Value: c.past.encode(key)})
	}
	if c.verdicts.changed {
		out = append(out, stream.Change{Key: []byte(verdictsKey), Value: c.verdicts.encode()})
	}
	if c.crowded {
		out = append(out, stream.Change{Key: []byte(crowdKey), Value: c.crowd.AppendBinary(nil)})
	}
	clear(c.changed)
	clear(c.past.changed)
	c.verdicts.changed, c.crowded = false, false
	return append(out, stream.Change{Key: []byte(FleetKey), Value: c.checkpoint()})
}

func (c *Task) checkpoint() []byte {
	replay := c.offset
	for _, offset := range c.first {
		replay = min(replay, offset)
	}
	b := []byte{stream.StateVersion}
	b = binary.AppendVarint(b, replay)
	b = binary.AppendVarint(b, c.closed)
	b = binary.AppendVarint(b, c.bin)
	b = binary.AppendUvarint(b, uint64(len(c.done)))
	for _, d := range c.done {
		b = binary.AppendVarint(b, d)
	}
	b = c.commands.appendBinary(b)
	b = c.opened.appendBinary(b)
	b = wire.AppendBytes(b, c.params.AppendBinary(nil))
	return c.fleet.AppendBinary(b)
}

func (c *Task) encodeEpisode(id episodeID) stream.Change {
	key := []byte(episodePrefix + id.dimension + "\x00" + id.identity)
	ep, ok := c.episodes.Get(id.dimension, id.identity)
	if !ok {
		return stream.Change{Key: key}
	}
	return stream.Change{Key: key, Value: appendDossier(wire.AppendBytes(nil, ep.AppendBinary(nil)), c.files[id])}
}

// Load takes in one record of the fleet topic, in the order of the log, into a
// task that has not applied anything yet. Records that are not correlate's are
// passed over.
func (c *Task) Load(key, value []byte) error {
	switch name := string(key); {
	case name == FleetKey:
		return c.loadFleet(value)
	case name == verdictsKey:
		return c.verdicts.decode(value)
	case name == crowdKey:
		crowd, _, err := campaign.DecodeCrowd(value)
		if err != nil {
			return fmt.Errorf("reading what is known of traits: %w", err)
		}
		c.crowd = crowd
	case strings.HasPrefix(name, pastPrefix):
		return c.past.load(name[len(pastPrefix):], value)
	case strings.HasPrefix(name, episodePrefix):
		dimension, identity, _ := strings.Cut(name[len(episodePrefix):], "\x00")
		return c.loadEpisode(episodeID{dimension, identity}, value)
	}
	return nil
}

func (c *Task) loadFleet(value []byte) error {
	r := wire.NewReader(value)
	r.Version(stream.StateVersion)
	c.offset, c.closed, c.bin = r.Varint(), r.Varint(), r.Varint()
	if n := r.Count(); r.Err() == nil && n != len(c.done) {
		return fmt.Errorf("reading the fleet: reports of %d partitions, want %d: %w", n, len(c.done), wire.ErrCorrupt)
	}
	for i := range c.done {
		c.done[i] = r.Varint()
	}
	c.commands = readCommandState(&r)
	c.opened = readOpenings(&r)
	params := r.Bytes()
	if r.Err() != nil {
		return fmt.Errorf("reading the fleet: %w", r.Err())
	}
	var err error
	if c.params, _, err = score.DecodeParameters(params); err != nil {
		return fmt.Errorf("reading the fleet: %w", err)
	}
	if c.fleet, _, err = c.cfg.Engine.DecodeFleet(r.Rest()); err != nil {
		return fmt.Errorf("reading the fleet: %w", err)
	}
	return nil
}

func (c *Task) loadEpisode(id episodeID, value []byte) error {
	if old := c.files[id]; old != nil {
		delete(c.keys, old.alert.DedupKey)
		delete(c.members[old.Campaign], id)
	}
	if value == nil {
		c.episodes.Remove(id.dimension, id.identity)
		delete(c.files, id)
		return nil
	}
	r := wire.NewReader(value)
	encoded := r.Bytes()
	if r.Err() != nil {
		return fmt.Errorf("reading an episode: %w", r.Err())
	}
	ep, _, err := episode.DecodeEpisode(encoded)
	if err != nil {
		return fmt.Errorf("reading an episode: %w", err)
	}
	file, err := readDossier(&r)
	if err != nil {
		return fmt.Errorf("reading an episode: %w", err)
	}
	c.episodes.Restore(ep)
	c.files[id] = file
	c.keys[file.alert.DedupKey] = id
	if file.Campaign != "" {
		if c.members[file.Campaign] == nil {
			c.members[file.Campaign] = map[episodeID]bool{}
		}
		c.members[file.Campaign][id] = true
	}
	return nil
}

// Offset returns the offset of weir.evidence to read from: the next, or after
// a restore the one to begin again at.
func (c *Task) Offset() int64 { return c.offset }

// StartAt sets the offset of a task that has loaded nothing.
func (c *Task) StartAt(offset int64) { c.offset = offset }
