package detect

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/detect/tail"
)

// Who is kept is decided for each shard of a dimension by itself, at the close of a tick,
// by what has happened in it up to then, and by nothing else: a shard lies in one
// partition, so how many there are cannot show.
//
// As long as a shard has room, everybody is kept. Then it is tight, until for the
// retention everybody has found room again. In a tight shard those are kept who have
// read most. See package tail for the others.
//
// A restore must not decide again, since it knows of many identities only how they
// ended. Each time anybody is kept or dropped in a tight shard, both he and the shard are
// written. So what a restore replays of a tight shard after it was written has changed
// nobody, and what it replays of the time before concerns those who are kept.

// doubtDays is for how many days first touches are no evidence of one who came to a tight
// shard: he may have been there before.
const doubtDays = 7

// tailPrefix begins the keys of the records of tight shards.
const tailPrefix = "\x00tail\x00"

// tightShard is a shard that holds as many identities as it may.
type tightShard struct {
	place
	*tail.Shard
}

func (s *tightShard) unwritten() *bool { return &s.Dirty }

// roomOf returns how many identities a shard may hold.
func roomOf(cfg *Config) int {
	if cfg.Identities == 0 {
		return math.MaxInt
	}
	pieces := 1 // in which a shard lies, of a number of partitions that is no power of two
	for n := cfg.Partitions; n > 1 && tail.Shards*pieces%n != 0; {
		pieces++
	}
	return max(1, cfg.Identities/(tail.Shards*pieces))
}

// stranger is somebody who acts in a tick and is not kept.
type stranger struct {
	*cell
	hash   uint64
	weight float64
}

// admit decides who is kept of those who act in a tick and were not kept, and puts the
// cells of those among the others.
func (d *Task) admit(tick int64) {
	if len(d.cells.strangers) == 0 {
		return
	}
	come := map[place][]stranger{}
	for _, c := range d.cells.strangers {
		at, hash := placeOf(c.key)
		if d.tails[at] == nil && d.people.counts[at]+len(d.cells.strangers) <= d.room {
			d.keep(c) // as below
			continue
		}
		come[at] = append(come[at], stranger{cell: c, hash: hash})
	}
	var contested []*tightShard
	for _, at := range slices.Sorted(maps.Keys(come)) {
		if s := d.tails[at]; s != nil && d.isLoose(s, tick) {
			d.relax(s)
		}
		s, list := d.tails[at], come[at]
		switch {
		case s == nil && (d.replay != nil || d.people.counts[at]+len(list) <= d.room):
			for _, x := range list {
				d.keep(x.cell)
			}
			continue
		case s == nil:
			s = &tightShard{at, tail.New(tick)}
			d.tails[at] = s
		case tick <= s.Saved: // a restore
			for _, x := range list {
				if _, kept := slices.BinarySearch(s.Unwritten, x.hash); kept {
					d.keep(x.cell)
				}
			}
			continue
		}
		s.Age(eventtime.DayOf(d.cfg.Grid.TickEnd(tick)))
		contested = append(contested, s)
	}
	if len(contested) > 0 {
		d.people.list()
	}
	for _, s := range contested {
		d.contest(s, come[s.place], tick)
	}
}

// keep makes the identity of a stranger.
func (d *Task) keep(c *cell) {
	c.id = d.people.add([]byte(c.key))
	d.cells.list = append(d.cells.list, c)
}

// heir returns the identity of a person who inherits in a tick: one is kept, whatever the
// room. It is nil where a restore finds that he was dropped later.
func (d *Task) heir(key []byte, tick int64) *identity {
	if id := d.people.known(key); id != nil {
		return id
	}
	at, hash := placeOf(key)
	s := d.tails[at]
	if s == nil {
		return d.people.add(key)
	}
	if d.replay != nil {
		if _, kept := slices.BinarySearch(s.Unwritten, hash); !kept || tick > s.Saved {
			return nil
		}
		return d.people.add(key)
	}
	id := d.people.add(key)
	d.snapshots.force(id, tick)
	d.snapshots.force(s, tick)
	return id
}

// contest counts strangers in a tight shard, and keeps those who find room or weigh more
// than somebody who is kept.
func (d *Task) contest(s *tightShard, list []stranger, tick int64) {
	for i := range list {
		x := &list[i]
		x.weight = x.did()
		s.Add(x.hash, x.weight)
	}
	for i := range list {
		x := &list[i]
		x.weight = max(x.weight, s.Estimate(x.hash))
		if d.factsKnow(x.key) || len(x.unissued()) > 0 {
			x.weight = math.Inf(1)
		}
	}
	slices.SortFunc(list, func(a, b stranger) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.key, b.key))
	})
	room, changed := d.room-d.people.counts[s.place], s.Saved == eventtime.Never
	var kept []member
	if room < len(list) && d.replay == nil {
		kept = d.lightest(s, tick)
	}
	for i := range list {
		x := &list[i]
		for room <= 0 && len(kept) > 0 && kept[0].weight < x.weight && d.replay == nil {
			d.drop(kept[0].identity)
			s.Last, kept, changed = tick, kept[1:], true
			room++
		}
		if d.replay != nil || room <= 0 && !math.IsInf(x.weight, 1) {
			s.Last = tick
			d.stats.NotKept++
			continue
		}
		d.keepDoubted(x.cell, tick)
		changed = true
		room--
	}
	if changed {
		d.snapshots.force(s, tick)
	} else {
		d.snapshots.touch(s, tick)
	}
}

// keepDoubted makes the identity of a stranger who may have been there before.
func (d *Task) keepDoubted(c *cell, tick int64) {
	d.keep(c)
	if !d.factsKnow(c.key) {
		d.cfg.Engine.Doubt(&c.id.state, d.cfg.Grid.BinOfTick(tick), doubtDays)
	}
	d.snapshots.force(c.id, tick)
}

// drop forgets an identity.
func (d *Task) drop(id *identity) {
	id.open, id.dirty = false, false
	d.people.remove(id.key)
	d.snapshots.drop(d.stateKey(id.key))
}

// factsKnow reports whether the register of facts knows something of an identity. Such
// ones are always kept.
func (d *Task) factsKnow(key string) bool {
	return d.facts != nil && d.facts.register.Knows(key, key[1:], d.facts.kind(int(key[0])))
}

// did returns what the identity of a cell did: distinct records and rows, at least one. What
// came late does not count, since it may have counted before.
func (c *cell) did() (n float64) {
	for i := range c.parts {
		if p := &c.parts[i]; p.tick == c.apply {
			n += max(1, distinct(&p.records)+float64(p.rows.Total()))
		}
	}
	return n
}

// member is somebody who is kept in a shard.
type member struct {
	*identity
	weight float64
}

// lightest returns those who may have to go from a shard, who has read least first.
func (d *Task) lightest(s *tightShard, tick int64) (out []member) {
	for _, key := range d.people.members[s.place] {
		id := d.people.peek(key)
		if w := d.weigh(id, tick); !math.IsInf(w, 1) {
			out = append(out, member{id, w})
		}
	}
	slices.SortFunc(out, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.weight, b.weight), cmp.Compare(a.last, b.last), cmp.Compare(a.key, b.key))
	})
	return out
}

// weigh returns what an identity has read: the distinct records of the retention, and the
// rows of a mean hour with rows; at least one if it did anything. Who stands out, of whom
// facts are known, or who acts in the tick, is beyond all weight.
func (d *Task) weigh(id *identity, tick int64) float64 {
	bin := d.cfg.Grid.BinOfTick(tick)
	if id.cell != nil || id.watched || d.openEpisode(id, bin) || d.factsKnow(id.key) {
		return math.Inf(1)
	}
	oldest := max(d.cfg.Grid.BinStart(bin)-d.cfg.Retention, 0)
	w := math.Round(id.window.Count(eventtime.MinuteOf(oldest)).N) + math.Round(id.state.RowPace())
	if id.last != eventtime.Never && d.cfg.Grid.TickEnd(id.last) > oldest {
		w = max(w, 1)
	}
	return w
}

// isLoose reports whether nobody was turned away from a tight shard for the retention.
func (d *Task) isLoose(s *tightShard, tick int64) bool {
	return (tick-s.Last)*d.cfg.Grid.Tick > d.cfg.Retention
}

// relax ends the tightness of a shard.
func (d *Task) relax(s *tightShard) {
	s.Dirty = false
	delete(d.tails, s.place)
	if len(d.tails) == 0 {
		d.people.members = nil
	}
	d.snapshots.drop(d.tailKey(s.place))
}

func (d *Task) tailKey(at place) []byte {
	key := append([]byte(tailPrefix), d.cfg.Dimensions[at/tail.Shards]...)
	return binary.BigEndian.AppendUint16(append(key, 0), uint16(at%tail.Shards))
}

// writeTail returns the record of a tight shard. The ticks up to and including to are
// closed.
func (d *Task) writeTail(s *tightShard, to int64) stream.Change {
	s.Saved, s.Unwritten = to, nil
	for _, key := range d.people.members[s.place] {
		if id := d.people.awake[key]; id != nil && id.saved == eventtime.Never {
			_, hash := placeOf(key)
			s.Unwritten = append(s.Unwritten, hash)
		}
	}
	slices.Sort(s.Unwritten)
	return stream.Change{Key: d.tailKey(s.place), Value: s.AppendBinary(nil)}
}

// loadTail takes over a tight shard as it was last written, under what follows
// tailPrefix.
func (d *Task) loadTail(key string, value []byte) error {
	n := len(key) - 3
	if n < 0 {
		return fmt.Errorf("reading the state: a key of a shard without the shard: %w", wire.ErrCorrupt)
	}
	dim, known := d.dims[key[:n]]
	if !known {
		d.stats.Unknown++ // a dimension that was taken out of the configuration
		return nil
	}
	s, err := tail.Decode(value)
	if err != nil {
		return err
	}
	at := place(dim*tail.Shards + int(binary.BigEndian.Uint16([]byte(key[n+1:]))))
	d.tails[at] = &tightShard{at, s}
	return nil
}
