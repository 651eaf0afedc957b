package correlate

import (
	"maps"
	"math"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/correlate/past"
)

// episodeStore holds the episodes that are open or may open again, the record of
// each, and what belongs to what. It keeps its indexes true and decides nothing.
type episodeStore struct {
	episodes episode.Episodes
	records  map[episode.ID]*episodeRecord
	byKey    map[string]episode.ID          // by dedup key
	members  map[string]map[episode.ID]bool // by dedup key of what stands for them
	past     past.Episodes
	secret   alerting.DedupSecret
	changed  map[episode.ID]bool // since the last Snapshot
}

func newEpisodeStore(secret alerting.DedupSecret) *episodeStore {
	return &episodeStore{
		secret:  secret,
		records: map[episode.ID]*episodeRecord{}, byKey: map[string]episode.ID{}, members: map[string]map[episode.ID]bool{},
		past: past.New(), changed: map[episode.ID]bool{},
	}
}

// recordOf returns the record of an episode that was judged, which is a new one
// when the episode has begun. When the episode opens, the record forgets what was
// learned before.
func (b *episodeStore) recordOf(id episode.ID, d *episode.Decision, grid eventtime.Grid, end int64) *episodeRecord {
	record := b.records[id]
	opens := d.Action == episode.Open
	begins := record == nil || opens && !d.Reopened
	if begins {
		if record != nil {
			b.remove(id, record) // it has not been forgotten yet
		}
		record = b.newRecord(id, d.Episode.First)
		b.put(id, record)
	}
	if begins || opens {
		record.reset(grid, end)
	}
	b.changed[id] = true
	return record
}

// newRecord begins the record of an episode that opened first at the end of a tick.
func (b *episodeStore) newRecord(id episode.ID, first int64) *episodeRecord {
	return &episodeRecord{key: b.secret.Key(id.Dimension, id.Identity, first)}
}

// put files a record.
func (b *episodeStore) put(id episode.ID, record *episodeRecord) {
	b.records[id] = record
	b.byKey[record.key] = id
	b.changed[id] = true
}

// isOpen reports whether an identity has an open episode.
func (b *episodeStore) isOpen(id episode.ID) bool {
	ep, ok := b.episodes.Get(id)
	return ok && ep.Closed == 0
}

// leadKey returns the key of what stands for an episode, if that is still known.
func (b *episodeStore) leadKey(record *episodeRecord) string {
	if _, ok := b.byKey[record.lead]; ok {
		return record.lead
	}
	return ""
}

// join has an episode stand in what has the key, and in nothing else.
func (b *episodeStore) join(id episode.ID, key string) {
	b.leave(id)
	b.records[id].lead = key
	if b.members[key] == nil {
		b.members[key] = map[episode.ID]bool{}
	}
	b.members[key][id] = true
	b.changed[id] = true
}

// assure makes an episode as sure as one that shows the same events.
func (b *episodeStore) assure(record *episodeRecord) {
	id, ok := b.byKey[record.lead]
	if lead := b.records[id]; ok && record.fact == "" && record.confidence().Compare(lead.surest) > 0 {
		lead.surest, b.changed[id] = record.confidence(), true
	}
}

// leave has an episode stand alone.
func (b *episodeStore) leave(id episode.ID) {
	if record := b.records[id]; record.lead != "" {
		delete(b.members[record.lead], id)
		record.lead = ""
	}
}

// membersOf returns what stands in an episode or campaign, sorted.
func (b *episodeStore) membersOf(key string) []episode.ID {
	return slices.SortedFunc(maps.Keys(b.members[key]), episode.ID.Compare)
}

// campaigns returns the ids of the campaigns, sorted.
func (b *episodeStore) campaigns() (out []episode.ID) {
	for id, record := range b.records {
		if record.campaign != nil {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, episode.ID.Compare)
	return out
}

// announceAlone counts an episode among those that are told beside their campaign.
func (b *episodeStore) announceAlone(id episode.ID, record *episodeRecord) {
	lead := b.byKey[record.lead]
	record.alone = true
	b.records[lead].campaign.announcedAlone++
	b.changed[id], b.changed[lead] = true, true
}

// rekey gives a campaign that opens anew, after its grace, another key.
func (b *episodeStore) rekey(id episode.ID, key string) {
	record := b.records[id]
	old := record.key
	delete(b.byKey, old)
	record.key = key
	b.put(id, record)
	for _, m := range b.membersOf(old) {
		b.join(m, key)
	}
	delete(b.members, old)
}

// forget drops what is known of an episode that can not open again, but for
// what a late verdict needs.
func (b *episodeStore) forget(ep *episode.Episode) {
	id := ep.ID()
	record := b.records[id]
	if record == nil {
		return
	}
	b.past.Add(past.Episode{Key: record.key, ID: id, From: record.onset, To: ep.Closed, Sent: record.sent || record.named.by != ""})
	b.remove(id, record)
}

// remove takes a record out. What it has exposed stays with its campaign; what
// stood in it stands alone again.
func (b *episodeStore) remove(id episode.ID, record *episodeRecord) {
	if lead := b.byKey[record.lead]; b.records[lead] != nil && b.records[lead].campaign != nil {
		of := b.records[lead].campaign
		excess := record.beyond()
		of.forgotten = of.forgotten.Add(id.Dimension, &record.exposed, &excess)
		b.changed[lead] = true
	}
	b.leave(id)
	for m := range b.members[record.key] {
		b.records[m].lead = ""
		b.changed[m] = true
	}
	delete(b.members, record.key)
	delete(b.byKey, record.key)
	delete(b.records, id)
	b.changed[id] = true
}

// hasOpenMember reports whether a campaign has a member that is open: it ends after
// its members.
func (b *episodeStore) hasOpenMember(ep *episode.Episode) bool {
	record := b.records[ep.ID()]
	if record.campaign == nil {
		return false
	}
	for m := range b.members[record.key] {
		if b.isOpen(m) {
			return true
		}
	}
	return false
}

// nextDue returns the first tick after closed in which an open episode closes if
// nothing more is seen, or is to be named; the largest number there is if none is
// open.
func (b *episodeStore) nextDue(grid eventtime.Grid, closed int64) int64 {
	tick := int64(math.MaxInt64)
	for _, ep := range b.episodes.All() {
		if ep.Closed != 0 {
			continue
		}
		if ends := grid.TickOf(ep.Ends() - 1); ends > closed || !b.hasOpenMember(&ep) {
			tick = min(tick, max(ends, closed+1))
		}
		if waits := b.records[ep.ID()].waits; waits != 0 {
			tick = min(tick, max(grid.TickOf(waits+namedWithin-1), closed+1))
		}
	}
	return tick
}

// mintedFor is how long after its first event an identity counts as one without a
// history, in milliseconds of event time.
const mintedFor = 7 * eventtime.Day

// memberStates returns the members of a campaign as they stand at the end of a
// tick, sorted.
func (b *episodeStore) memberStates(key string, end int64) []campaign.MemberState {
	ids := b.membersOf(key)
	out := make([]campaign.MemberState, len(ids))
	for i, id := range ids {
		record := b.records[id]
		ep, _ := b.episodes.Get(id)
		out[i] = campaign.MemberState{
			Member:  campaign.Member{Key: record.key, ID: id, Severity: ep.Severity, Records: record.exposed.Records},
			Exposed: record.exposed, Excess: record.beyond(), Onset: record.onset, Facts: ep.Facts, Confidence: record.confidence(),
			Open: ep.Closed == 0, Active: ep.Closed == 0 && ep.Shown == end,
			Minted: record.firstSeen != 0 && end-record.firstSeen < mintedFor,
		}
	}
	return out
}
