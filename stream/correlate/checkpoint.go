package correlate

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate/command"
)

// Keys of the fleet topic: the checkpoint of correlate, what it holds of the
// verdicts, what it knows of traits, each episode, and each that is over.
const (
	FleetKey      = "fleet"
	VerdictsKey   = "verdicts"
	crowdKey      = "crowd"
	episodePrefix = "episode\x00"
	pastPrefix    = "past\x00"
)

// Snapshot returns the changes that bring the fleet topic up to where the task
// stands. With a restore from them and weir.evidence from the replay offset in
// the checkpoint, everything goes on as if nothing had happened.
func (t *Task) Snapshot() []stream.Change {
	var out []stream.Change
	for _, id := range slices.SortedFunc(maps.Keys(t.store.changed), episode.ID.Compare) {
		out = append(out, t.store.change(id))
	}
	for _, key := range t.store.past.TakeChanged() {
		out = append(out, stream.Change{Key: []byte(pastPrefix + key), Value: t.store.past.Encode(key)})
	}
	if t.verdicts.changed {
		out = append(out, stream.Change{Key: []byte(VerdictsKey), Value: t.verdicts.appendBinary(nil)})
	}
	if t.notices.changed {
		out = append(out, t.notices.change())
	}
	if t.campaigns.crowdChanged {
		out = append(out, stream.Change{Key: []byte(crowdKey), Value: t.campaigns.search.Crowd.AppendBinary(nil)})
	}
	clear(t.store.changed)
	t.verdicts.changed, t.notices.changed, t.campaigns.crowdChanged = false, false, false
	return append(out, stream.Change{Key: []byte(FleetKey), Value: t.checkpoint()})
}

// checkpoint returns the record of where the task stands.
func (t *Task) checkpoint() []byte {
	b := wire.AppendVarints([]byte{stream.StateVersion}, t.inbox.replay(), t.closed, t.fleet.published)
	b = binary.AppendUvarint(b, uint64(len(t.inbox.done)))
	b = wire.AppendVarints(b, t.inbox.done...)
	b = t.commands.AppendBinary(b)
	b = t.openings.AppendBinary(b)
	b = wire.AppendBytes(b, t.fleet.params.AppendBinary(nil))
	return t.fleet.fleet.AppendBinary(b)
}

// Load takes in one record of the fleet topic, in the order of the log, into a
// task that has not applied anything yet. Records that are not correlate's are
// passed over.
func (t *Task) Load(key, value []byte) (err error) {
	switch name := string(key); {
	case name == FleetKey:
		return t.loadCheckpoint(value)
	case name == VerdictsKey:
		t.verdicts.verdictState, err = decodeVerdictState(value)
		return err
	case name == noticesKey:
		return t.notices.load(value)
	case name == crowdKey:
		crowd, _, err := campaign.DecodeCrowd(value)
		if err != nil {
			return fmt.Errorf("reading what is known of traits: %w", err)
		}
		t.campaigns.search.Crowd = crowd
	case strings.HasPrefix(name, pastPrefix):
		return t.store.past.Load(name[len(pastPrefix):], value)
	case strings.HasPrefix(name, episodePrefix):
		dimension, identity, _ := strings.Cut(name[len(episodePrefix):], "\x00")
		return t.store.load(episode.ID{Dimension: dimension, Identity: identity}, value)
	}
	return nil
}

func (t *Task) loadCheckpoint(value []byte) error {
	r := wire.NewReader(value)
	r.Version(stream.StateVersion)
	t.inbox.offset, t.closed, t.fleet.published = r.Varint(), r.Varint(), r.Varint()
	if n := r.Count(); r.Err() == nil && n != len(t.inbox.done) {
		return fmt.Errorf("reading the fleet: reports of %d partitions, want %d: %w", n, len(t.inbox.done), wire.ErrCorrupt)
	}
	for i := range t.inbox.done {
		t.inbox.done[i] = r.Varint()
	}
	*t.commands = command.Read(&r)
	*t.openings = episode.ReadOpenings(&r)
	params := r.Bytes()
	if r.Err() != nil {
		return fmt.Errorf("reading the fleet: %w", r.Err())
	}
	var err error
	if t.fleet.params, _, err = score.DecodeParameters(params); err != nil {
		return fmt.Errorf("reading the fleet: %w", err)
	}
	if t.fleet.fleet, _, err = fleet.Decode(r.Rest()); err != nil {
		return fmt.Errorf("reading the fleet: %w", err)
	}
	if got := t.fleet.fleet.Dimensions(); got != len(t.cfg.Dimensions) {
		return fmt.Errorf("reading the fleet: it has %d dimensions, want %d: %w", got, len(t.cfg.Dimensions), wire.ErrCorrupt)
	}
	return nil
}

// change returns the record of an episode on the fleet topic: its course, then
// what is kept beside it; a tombstone if it is forgotten.
func (b *episodeStore) change(id episode.ID) stream.Change {
	key := []byte(episodePrefix + id.Dimension + "\x00" + id.Identity)
	ep, ok := b.episodes.Get(id)
	if !ok {
		return stream.Change{Key: key}
	}
	return stream.Change{Key: key, Value: b.records[id].appendBinary(ep.AppendBinary(nil))}
}

// load takes in what change returned.
func (b *episodeStore) load(id episode.ID, value []byte) error {
	if old := b.records[id]; old != nil {
		delete(b.byKey, old.key)
		delete(b.members[old.lead], id)
	}
	if value == nil {
		b.episodes.Remove(id)
		delete(b.records, id)
		return nil
	}
	r := wire.NewReader(value)
	ep := wire.Decode(&r, episode.Decode)
	record := readRecord(&r)
	if err := r.End(); err != nil {
		return fmt.Errorf("reading an episode: %w", err)
	}
	switch isCampaign := id.Dimension == alerting.CampaignDimension; {
	case ep.ID() != id:
		return fmt.Errorf("reading an episode: its record is of another identity than its key: %w", wire.ErrCorrupt)
	case isCampaign != (record.campaign != nil):
		return fmt.Errorf("reading an episode: what campaigns have stands in the record of another, or is missing: %w", wire.ErrCorrupt)
	}
	b.episodes.Restore(ep)
	b.records[id] = record
	b.byKey[record.key] = id
	if record.lead != "" {
		if b.members[record.lead] == nil {
			b.members[record.lead] = map[episode.ID]bool{}
		}
		b.members[record.lead][id] = true
	}
	return nil
}
