package detect

import (
	"cmp"
	"maps"
	"slices"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// HeirsConfig is what a detect task needs to know to join names of people.
type HeirsConfig struct {
	Table      *alias.Table
	Dimension  int   // of which the identities are people
	Partitions int32 // of weir.partials
}

// heirs hands over what is known of names when they become a person's, to the partition
// of the person, and takes in what other partitions hand over. A name becomes a person's
// in a bin. The partition of the name hands over once the bin before is closed; that of
// the person closes the first tick of the bin once all partitions have told all that they
// know. So windows and levels are joined before anything of the bin counts.
type heirs struct {
	HeirsConfig
	grid      eventtime.Grid
	partition int32

	joining  map[int64]map[string]string     // by bin after the last closed tick, people by folded name
	searched int64                           // the first bin that is not in joining
	handed   int64                           // bin up to which everything was handed over
	left     []string                        // keys of identities that are not handed over yet, in the bin after handed
	arrived  stream.ByTick[*stream.Handover] // by first tick of the bin
	upTo     map[int32]int64                 // by partition, the bin up to which it has handed over all
	out      []stream.Routed
}

func newHeirs(cfg *HeirsConfig, grid eventtime.Grid, partition int32) *heirs {
	return &heirs{
		HeirsConfig: *cfg, grid: grid, partition: partition, joining: map[int64]map[string]string{},
		searched: eventtime.Never, handed: eventtime.Never, upTo: map[int32]int64{},
	}
}

// limit returns the last tick up to limit for which it is known which names become
// people's. It is false as long as nothing is.
func (h *heirs) limit(limit int64) (int64, bool) {
	if h == nil {
		return limit, true
	}
	return h.Table.LastTick(limit, h.grid), h.Table.Complete() != alias.Always
}

// begin tells the other partitions, before the first tick of this one, that nothing is
// known here of names that became people's before.
func (h *heirs) begin(done int64) {
	if h == nil {
		return
	}
	bin, past := h.grid.BinOfTick(done), false
	h.Table.Joins(alias.Always, h.grid.BinStart(bin+1), func(int64, map[string]string) { past = true })
	if past {
		h.complete(bin)
	}
}

// search learns of the names that become people's up to a tick. The ticks up to and
// including done are closed.
func (h *heirs) search(done, limit int64) {
	if h == nil {
		return
	}
	from, until := max(h.searched, h.grid.BinOfTick(done)+1), h.grid.BinOfTick(limit)+1
	if from >= until {
		return
	}
	h.Table.Joins(h.grid.BinStart(from), h.grid.BinStart(until), func(at int64, people map[string]string) {
		bin := h.grid.BinOf(at)
		if h.joining[bin] == nil {
			h.joining[bin] = people
		} else {
			maps.Copy(h.joining[bin], people)
		}
	})
	h.searched = until
}

// next returns the first tick at which something is handed over; the largest number there
// is if nothing is known of one.
func (h *heirs) next() int64 {
	tick := h.arrived.First()
	for bin := range h.joining {
		tick = min(tick, h.grid.TickOf(h.grid.BinStart(bin)))
	}
	return tick
}

// ready hands over what is known of the names that become people's at a tick, and reports
// whether all of that is done and all that others know of them has come.
func (d *Task) ready(tick int64) bool {
	h := d.heirs
	if h == nil || d.replay != nil {
		return true
	}
	bin := h.grid.BinOfTick(tick)
	people := h.joining[bin]
	if people == nil || tick != h.grid.TickOf(h.grid.BinStart(bin)) {
		return true
	}
	if h.handed < bin {
		d.carryOut(tick, bin)
		if h.left == nil {
			h.left = d.people.named(h.Dimension, people)
		}
		if d.handOver(bin, people); len(h.left) > 0 {
			return false
		}
		h.complete(bin)
	}
	for p := range h.Partitions {
		if last, ok := h.upTo[p]; !ok || last < bin {
			return false
		}
	}
	return true
}

// handOver writes what is known of names, as much as goes into one commit.
func (d *Task) handOver(bin int64, people map[string]string) {
	h := d.heirs
	parts := make([][]byte, h.Partitions)
	flush := func(p int, least int) {
		if len(parts[p]) > least {
			h.out = append(h.out, stream.Routed{Partition: int32(p), Value: parts[p]})
			d.snapshots.charge(len(parts[p]))
			parts[p] = nil
		}
	}
	for len(h.left) > 0 && !d.snapshots.full {
		id := d.people.peek(h.left[0])
		h.left = h.left[1:]
		l := stream.Legacy{Name: id.name(), First: id.first, Last: id.last, Window: id.window, State: id.state}
		l.Person = people[alias.Fold(l.Name)]
		p := int(stream.PartitionOf(append([]byte{byte(h.Dimension)}, l.Person...)) % uint64(h.Partitions))
		if parts[p] == nil {
			parts[p] = stream.AppendHandover(nil, h.partition, bin, false)
		}
		parts[p] = l.Append(parts[p])
		flush(p, stream.MaxBatch)
	}
	for p := range parts {
		flush(p, 0)
	}
}

// complete tells all partitions that everything was handed over up to a bin.
func (h *heirs) complete(bin int64) {
	for p := range h.Partitions {
		h.out = append(h.out, stream.Routed{Partition: p, Value: stream.AppendHandover(nil, h.partition, bin, true)})
	}
	h.handed, h.left = bin, nil
}

// holdHandover keeps what another partition has handed over until the first tick of its bin
// closes.
func (d *Task) holdHandover(o *stream.Handover, offset int64) {
	h := d.heirs
	if h == nil || o == nil {
		return
	}
	tick := h.grid.TickOf(h.grid.BinStart(o.Bin))
	if d.done != eventtime.Never && tick <= d.done {
		return // told again, or of a time before the first tick
	}
	if d.cfg.SnapshotTicks > 0 {
		d.log.Came(tick, offset)
	}
	if o.Complete {
		h.upTo[o.From] = max(h.upTo[o.From], o.Bin)
	}
	if len(o.Names) > 0 {
		h.arrived.Add(tick, o)
	}
}

// inherit joins what is known of names with the people whose they become at a tick. What
// was handed over twice counts once.
func (d *Task) inherit(tick int64, params *score.Parameters) {
	h := d.heirs
	if h == nil {
		return
	}
	bin := h.grid.BinOfTick(tick)
	delete(h.joining, bin)
	var all []*stream.Legacy
	for _, o := range h.arrived.Take(tick) {
		for i := range o.Names {
			all = append(all, &o.Names[i])
		}
	}
	slices.SortFunc(all, func(a, b *stream.Legacy) int { return cmp.Compare(a.Name, b.Name) })
	all = slices.CompactFunc(all, func(a, b *stream.Legacy) bool { return a.Name == b.Name })
	for _, l := range all {
		id := d.heir(append([]byte{byte(h.Dimension)}, l.Person...), tick)
		if id == nil || tick <= id.saved {
			continue // a restore: the state has it already
		}
		if (tick-l.Last)*d.cfg.Grid.Tick > forgetAfter {
			continue // it counts as never seen
		}
		id.forget(d.cfg.Grid, tick)
		if id.last == eventtime.Never {
			id.first, id.last, id.bin = l.First, l.Last, d.cfg.Grid.BinOfTick(l.Last)
		}
		id.first, id.last = min(id.first, l.First), max(id.last, l.Last)
		if oldest := d.cfg.Grid.BinStart(bin) - d.cfg.Retention; oldest > 0 {
			l.Window.Expire(eventtime.MinuteOf(oldest))
		}
		id.show()
		l.State.SetShown(l.Window.Shown())
		d.cfg.Engine.Inherit(&id.state, &l.State, h.Dimension, bin, params)
		id.window.Merge(&l.Window)
		id.show()
		d.snapshots.touch(id, tick)
	}
}

// named returns the keys, sorted, of the identities of a dimension that have acted under
// names, whatever their case.
func (p *population) named(dim int, people map[string]string) (keys []string) {
	add := func(key string) {
		if int(key[0]) == dim && people[alias.Fold(key[1:])] != "" {
			keys = append(keys, key)
		}
	}
	for key := range p.awake {
		add(key)
	}
	for key := range p.asleep {
		add(key)
	}
	slices.Sort(keys)
	return slices.DeleteFunc(keys, func(key string) bool { return p.peek(key).last == eventtime.Never })
}
