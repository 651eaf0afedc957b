package stream

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/weirhq/weir/detectors"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/sketches"
)

// DetectConfig is what a detect task needs to know. Times are in ms.
type DetectConfig struct {
	Grid       Grid
	Dimensions []string
	// Persons tells of each dimension whether it names the actor. What its
	// identities have in common is added up; nil: none does.
	Persons []bool
	// Peers tells of each dimension the one whose identities say who is like whom
	// in it, NoPeers where none does; nil: none. See DefaultPeers.
	Peers     []int
	Engine    *detectors.Engine
	Partition int32
	Lateness  int64
	Retention int64 // of the windows
	// SnapshotTicks is within how many ticks a changed identity is written to
	// the state at the latest, and so the most that a restore replays. Zero
	// writes none.
	SnapshotTicks int64
	Facts         *FactsConfig // nil: facts are not told
}

// forgetAfter is how long an identity may be silent before its state is
// dropped and it counts as new.
const forgetAfter = 180 * 24 * 3600 * 1000

// Detect keeps the state of one partition of identities. It holds partials
// until the watermark passes their tick, unites all of one identity and tick,
// and only then counts and scores: what comes out is a function of the
// partition's log.
type Detect struct {
	cfg       DetectConfig
	dims      map[string]int
	watermark *Watermark
	ids       map[string]*identity
	asleep    map[string]string               // encoded, by the same key as ids; see sleep.go
	most      int                             // in ids since it was last shrunk
	parameter map[int64]*detectors.Parameters // by bin
	orders    []order                         // not carried out yet, by Seq
	ordered   int64                           // Seq of the latest that was read
	pending   map[int64][]*cell               // by tick of application
	waiting   []int64                         // the ticks in pending, sorted
	held      int                             // cells in pending
	active    map[int64][]*identity           // by bin that is still open
	hot       []*identity                     // watched although they may be silent
	done      int64                           // last closed tick
	offset    int64                           // next offset of weir.partials
	report    Report                          // since the last Take
	changes   []Change                        // since the last Take
	buffer    []byte                          // scratch: an encoded identity
	dirty     []changed                       // identities not written since they changed, oldest first
	credit    int64                           // bytes of state that may be written
	unsent    int                             // bytes of changes
	more      bool                            // save stopped because unsent had grown
	draining  bool                            // Advance went on with what save had left
	swept     int64                           // day of the last sweep
	first     map[int64]int64                 // tick: first offset that brought something for it
	history   advances                        // the closes that a restore would repeat
	replay    *Checkpoint                     // while catching up after a restore
	reported  int64                           // ticks up to this one were reported before a restore
	facts     *factRegister                   // nil: facts are not told
	looks     *look                           // nil: nobody asks
	stats     DetectStats
}

// DetectStats counts what a detect task did. Unknown counts partials of
// dimensions that the configuration no longer has, Overdue those that came
// after their tick had closed, from a source that was declared idle too early.
type DetectStats struct {
	Identities, Partials, Unknown, Overdue int64
	WatermarkMS                            int64 // event time up to which input is complete
	ClosedMS                               int64 // event time up to which it has been judged
	Holder                                 Source
	Inputs                                 Inputs
}

// advance remembers that ticks up to done were closed when all records of
// weir.partials before offset had been applied.
type advance struct{ offset, done int64 }

// advances are the closes that a restore would repeat, in their order.
type advances []advance

// since drops what no restore that begins at the tick oldest repeats. The last
// advance before it stays: it tells what had been closed when the replay begins.
func (h advances) since(oldest int64) advances {
	n := 0
	for n+1 < len(h) && h[n+1].done < oldest {
		n++
	}
	return slices.Delete(h, 0, n)
}

func (h advances) append(b []byte) []byte {
	return appendList(b, h, func(b []byte, a *advance) []byte { return appendVarints(b, a.offset, a.done) })
}

func (r *reader) advances() advances {
	return readList(r, func() advance { return advance{r.varint(), r.varint()} })
}

// Change is one record for the compacted state topic; a nil Value is a
// tombstone.
type Change struct{ Key, Value []byte }

// changed is an identity whose state has changed in a tick, and not been
// written since.
type changed struct {
	id   *identity
	tick int64
}

// identity is all that is known of one value of one dimension.
type identity struct {
	key     string // dimension byte, name
	window  sketches.Window
	state   detectors.State
	exposed *exposure
	pending *cell  // partials waiting for their tick, latest first
	tally   *tally // of the open bin; nil: nothing beside the window
	bin     int64  // bin that fresh and tally belong to
	fresh   float64
	first   int64 // first tick with an event
	last    int64 // last tick with an event
	saved   int64 // tick as of which the state was last written; replay begins after it
	command int64 // Seq of the last command carried out
	open    bool  // bin is not closed yet
	dirty   bool
	isHot   bool
}

func (id *identity) dimension() int { return int(id.key[0]) }
func (id *identity) name() string   { return id.key[1:] }

// NewDetect returns a detect task without state.
func NewDetect(cfg DetectConfig) *Detect {
	d := &Detect{
		cfg:       cfg,
		dims:      map[string]int{},
		watermark: NewWatermark(cfg.Lateness, cfg.Grid),
		ids:       map[string]*identity{},
		asleep:    map[string]string{},
		parameter: map[int64]*detectors.Parameters{},
		pending:   map[int64][]*cell{},
		active:    map[int64][]*identity{},
		done:      never,
		reported:  never,
		first:     map[int64]int64{},
	}
	for i, name := range cfg.Dimensions {
		d.dims[name] = i
	}
	d.report.Done = never
	if cfg.Facts != nil {
		d.facts = newFactRegister(cfg.Facts, cfg.Grid, cfg.Partition)
	}
	return d
}

// Persons tells of each dimension whether it names the actor.
func Persons(dims []event.Dimension) []bool {
	out := make([]bool, len(dims))
	for i, d := range dims {
		out[i] = slices.Contains(d.Fields, "actor")
	}
	return out
}

func (d *Detect) person(dim int) bool { return dim < len(d.cfg.Persons) && d.cfg.Persons[dim] }

// SetParameters takes in the parameters that correlate published at the end of
// a bin; they are used in the next one.
func (d *Detect) SetParameters(p *Parameters) {
	d.parameter[p.Bin] = p.Parameters
	d.order(p)
}

// Apply takes in one record of weir.partials at its offset.
func (d *Detect) Apply(offset int64, b *Batch) error {
	if d.replay != nil {
		if err := d.repeat(offset); err != nil {
			return err
		}
	}
	dims := make([]int, len(b.Dimensions))
	for i, name := range b.Dimensions {
		var ok bool
		if dims[i], ok = d.dims[name]; !ok {
			dims[i] = -1
		}
	}
	var key []byte
	err := b.Partials(func(p *Partial) {
		dim := dims[p.Dimension]
		if dim < 0 {
			d.stats.Unknown++
			return
		}
		d.stats.Partials++
		p.rename(dims)
		key = append(append(key[:0], byte(dim)), p.Identity...)
		d.hold(key, p, offset)
	})
	if err != nil {
		return fmt.Errorf("offset %d: %w", offset, err)
	}
	d.holdFacts(b, offset)
	d.offset = offset + 1
	if d.replay != nil {
		return d.repeat(d.offset)
	}
	d.credit += int64(len(b.body))
	if len(b.Topics) > 0 {
		d.watermark.SetTopics(b.Topics)
	}
	for _, p := range b.Progress {
		d.watermark.Advance(p)
	}
	return nil
}

func (d *Detect) identity(key []byte) *identity {
	id := d.known(key)
	if id == nil {
		id = newIdentity(key)
		d.ids[id.key] = id
	}
	return id
}

// known returns the identity of a key, or nil if there is none.
func (d *Detect) known(key []byte) *identity {
	if id := d.ids[string(key)]; id != nil {
		return id
	}
	return d.wake(key)
}

// newIdentity returns an identity never seen, which belongs to no list yet.
func newIdentity(key []byte) *identity {
	return &identity{key: string(key), first: never, last: never, saved: never, bin: never}
}

// arrives returns the tick at which something counts: its own, or the next that
// is open; false if it was counted before the replay begins.
func (d *Detect) arrives(apply, offset int64) (tick int64, ok bool) {
	if d.done != never && apply <= d.done {
		if d.replay != nil && offset < d.replay.history[0].offset {
			return 0, false
		}
		apply = d.done + 1
	}
	if _, known := d.first[apply]; !known && d.cfg.SnapshotTicks > 0 {
		d.first[apply] = offset
	}
	return apply, true
}

// hold keeps a partial until its tick closes.
func (d *Detect) hold(key []byte, p *Partial, offset int64) {
	apply, ok := d.arrives(p.Apply, offset)
	if !ok {
		return
	}
	if apply != p.Apply {
		d.stats.Overdue++
	}
	id := d.identity(key)
	c := id.pending
	for c != nil && c.apply != apply {
		c = c.next
	}
	if c == nil {
		c = &cell{id: id, apply: apply, next: id.pending}
		id.pending = c
		if d.pending[apply] == nil {
			at, _ := slices.BinarySearch(d.waiting, apply)
			d.waiting = slices.Insert(d.waiting, at, apply)
		}
		d.pending[apply] = append(d.pending[apply], c)
		d.held++
	}
	c.add(p)
}

// Advance closes all ticks that the watermark has passed, as far as the
// parameters they need are here. Take hands out what came of it. It reports
// whether it stopped for want of parameters.
func (d *Detect) Advance() (waiting bool) {
	mark, holder := d.watermark.Now()
	d.stats.WatermarkMS, d.stats.Holder = mark, holder
	if mark == never || d.replay != nil {
		return false
	}
	limit := d.cfg.Grid.TickOf(mark) - 1
	if d.more && d.unsent == 0 {
		d.more, d.draining = false, true
		d.save(d.done)
	}
	for bin := range d.parameter { // those of bins that are over are not needed again
		if d.done != never && bin < d.cfg.Grid.BinOfTick(d.done+1)-1 {
			delete(d.parameter, bin)
		}
	}
	if d.done == never {
		d.done = min(d.earliest(), limit+1) - 1
		d.history = append(d.history, advance{d.offset, d.done})
	}
	before := d.done
	waiting = d.closeTo(limit)
	if d.done > before {
		d.history = append(d.history, advance{d.offset, d.done})
	}
	return waiting
}

// closeTo closes the ticks up to limit, or to the first for which the
// parameters are not here yet.
func (d *Detect) closeTo(limit int64) (waiting bool) {
	for {
		tick := d.next()
		if tick > limit {
			d.skip(limit)
			return false
		}
		if d.more {
			return false // commit first
		}
		far := tick-1-d.done >= d.cfg.Grid.Bin/d.cfg.Grid.Tick
		d.skip(tick - 1)
		if far && d.replay == nil {
			// A restore must not begin before a gap: the parameters that were
			// used there may be gone.
			d.history = append(d.history, advance{d.offset, d.done})
		}
		if d.parameter[d.cfg.Grid.BinOfTick(tick)-1] == nil {
			return true
		}
		d.close(tick)
	}
}

// earliest returns the first tick that holds partials or facts.
func (d *Detect) earliest() int64 {
	tick := int64(math.MaxInt64)
	if len(d.waiting) > 0 {
		tick = d.waiting[0]
	}
	if d.facts != nil {
		tick = min(tick, d.facts.earliest())
	}
	return tick
}

// next returns the first tick after the last closed one in which something
// happens: partials wait for it, or it ends a bin in which identities were
// active or are watched.
func (d *Detect) next() int64 {
	tick := d.earliest()
	for bin := range d.active {
		tick = min(tick, d.cfg.Grid.LastTick(bin))
	}
	if l := d.looks; l != nil && l.found == nil && d.cfg.Grid.LastTick(l.bin) > d.done {
		tick = min(tick, d.cfg.Grid.LastTick(l.bin))
	}
	for _, id := range d.hot {
		from := max(d.done, id.saved) // saved is ahead only while catching up
		tick = min(tick, d.cfg.Grid.LastTick(d.cfg.Grid.BinOfTick(from+1)))
	}
	return tick
}

// skip closes ticks in which nothing happens.
func (d *Detect) skip(to int64) {
	if to <= d.done {
		return
	}
	d.obey(to, d.cfg.Grid.BinOfTick(to+1))
	d.save(to)
	d.sweep(to)
	d.done = to
}

// close applies, counts and scores everything of one tick.
func (d *Detect) close(tick int64) {
	bin := d.cfg.Grid.BinOfTick(tick)
	params := d.parameter[bin-1]
	ends := tick == d.cfg.Grid.LastTick(bin)
	from, facts := len(d.report.Candidates), len(d.report.Facts)
	d.closeFacts(tick)
	d.obey(tick, bin)
	for _, c := range d.pending[tick] {
		c.id.drop(c)
		if tick <= c.id.saved {
			continue // a restore: the state has it already
		}
		d.count(c, bin, params)
		if !ends {
			d.scoreEarly(c.id, tick, bin, params)
		}
	}
	d.tellSignIns(tick)
	if len(d.waiting) > 0 && d.waiting[0] == tick {
		d.held -= len(d.pending[tick])
		delete(d.pending, tick)
		d.waiting = d.waiting[1:]
	}
	if ends {
		d.closeBin(tick, bin, params)
	}
	slices.SortFunc(d.report.Candidates[from:], func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Identity, b.Identity))
	})
	sortFacts(d.report.Facts[facts:])
	d.save(tick)
	d.sweep(tick)
	d.done = tick
}

func (id *identity) drop(c *cell) {
	for at := &id.pending; *at != nil; at = &(*at).next {
		if *at == c {
			*at = c.next
			return
		}
	}
}

// count unites the parts of a cell with the identity's state.
func (d *Detect) count(c *cell, bin int64, params *detectors.Parameters) {
	id, grid := c.id, d.cfg.Grid
	if id.last != never && (c.apply-id.last)*grid.Tick > forgetAfter {
		id.window, id.state, id.exposed, id.last = sketches.Window{}, detectors.State{}, nil, never
	}
	if !id.open || id.bin != bin {
		id.bin, id.fresh, id.open, id.tally = bin, 0, true, nil
		d.active[bin] = append(d.active[bin], id)
		if oldest := bin*grid.Bin - d.cfg.Retention; oldest > 0 {
			id.window.Expire(uint32(oldest / 60_000))
		}
	}
	if id.tally == nil {
		id.tally = &tally{}
	}
	slices.SortFunc(c.parts, func(a, b part) int { return cmp.Compare(a.tick, b.tick) })
	for i := range c.parts {
		d.countPart(id, &c.parts[i], bin, params)
	}
	d.lean(id)
	before := id.last
	if id.last == never {
		id.first = c.apply
	}
	if id.last == never || c.acts() {
		id.last = c.apply
	}
	d.touch(id, c.apply)
	d.judgeFacts(c, before, params)
}

func (d *Detect) countPart(id *identity, p *part, bin int64, params *detectors.Parameters) {
	grid := d.cfg.Grid
	fresh := math.Round(id.window.FirstTouch(&p.records).N)
	if was := grid.BinOfTick(p.tick); was == bin {
		id.fresh += fresh
		id.tally.add(p)
	} else {
		late := id.tally.late(p, was, id.state.Counted(was))
		late[detectors.Distinct] = math.Round(id.window.CountMissing(&p.records, grid.BinMinute(was)).N)
		late[detectors.FirstTouch] = fresh
		d.cfg.Engine.Late(&id.state, id.dimension(), was, late, params)
		if id.exposed != nil {
			id.exposed.past.add(&late)
		}
	}
	id.tally.unissue(p)
	id.window.Merge(&p.records)
	if id.exposed != nil {
		id.exposed.add(p)
	}
}

// counts returns the measures of the identity's open bin so far.
func (d *Detect) counts(id *identity) (c detectors.Counts, distinct sketches.Estimate) {
	distinct = id.window.Count(d.cfg.Grid.BinMinute(id.bin))
	if id.tally != nil {
		id.tally.count(&c)
	}
	c[detectors.Distinct] = math.Round(distinct.N)
	c[detectors.FirstTouch] = id.fresh
	return c, distinct
}

func (d *Detect) scoreEarly(id *identity, tick, bin int64, params *detectors.Parameters) {
	counts, distinct := d.counts(id)
	ev := d.cfg.Engine.Early(&id.state, id.dimension(), bin, counts, params)
	if ev.Log >= detectors.CandidateCut {
		d.candidate(id, tick, bin, &ev, &counts, distinct)
	}
}

// closeBin ends a bin for all identities that were active in it or are watched.
func (d *Detect) closeBin(tick, bin int64, params *detectors.Parameters) {
	if d.looks != nil && d.looks.bin == bin {
		d.look(params)
	}
	var sums detectors.Sums
	var traits TraitSums
	ending := d.active[bin]
	delete(d.active, bin)
	for _, id := range d.hot {
		if !id.open || id.bin != bin {
			ending = append(ending, id)
		}
	}
	watched := d.hot[:0]
	for _, id := range ending {
		if tick > id.saved {
			d.closeIdentity(id, tick, bin, params, &sums, &traits)
		} else {
			id.isHot = d.cfg.Engine.Hot(&id.state, id.dimension(), params) // a restore: the state has it already
		}
		if id.isHot {
			watched = append(watched, id)
		}
	}
	d.hot = watched
	if tick <= d.reported || sums.Empty() {
		return
	}
	b := BinSums{Bin: bin, Sums: sums.AppendBinary(nil)}
	if !traits.Empty() {
		b.Traits = traits.AppendBinary(nil)
	}
	d.report.Bins = append(d.report.Bins, b)
}

func (d *Detect) closeIdentity(id *identity, tick, bin int64, params *detectors.Parameters, sums *detectors.Sums, traits *TraitSums) {
	var counts detectors.Counts
	var distinct sketches.Estimate
	active := id.open && id.bin == bin
	if active {
		counts, distinct = d.counts(id)
	}
	ev := d.cfg.Engine.Close(&id.state, id.dimension(), bin, counts, params, sums)
	if active {
		d.vote(id, sums)
	}
	was := id.isHot
	id.isHot = d.cfg.Engine.Hot(&id.state, id.dimension(), params)
	if id.exposed != nil {
		id.exposed.past.add(&counts)
	}
	if active && d.person(id.dimension()) && id.tally.events > 0 {
		traits.Add(id.member(&ev))
	}
	id.open = false
	if ev.Log >= detectors.CandidateCut || was || id.isHot {
		d.candidate(id, tick, bin, &ev, &detectors.Counts{}, distinct)
	}
	id.tally = nil
	d.touch(id, tick)
}

// member tells of the evidence of an identity whose bin has ended.
func (id *identity) member(ev *detectors.Evidence) *Member {
	m := &Member{
		Dimension: id.dimension(), Identity: id.name(), Log: ev.Log,
		Observed: ev.Measures[detectors.Distinct].Observed, Expected: ev.Measures[detectors.Distinct].Expected,
	}
	for i := range id.tally.traits {
		m.Traits = append(m.Traits, id.tally.traits[i].Trait())
	}
	return m
}

// Take hands out what was found and changed since the last call: a report for
// weir.evidence and changes of the state, to be committed together with the
// Checkpoint; nothing as long as no tick was closed since.
func (d *Detect) Take() (*Report, []Change) {
	if d.replay != nil || d.done <= d.report.Done && !d.draining {
		return nil, nil
	}
	d.unsent, d.draining = 0, false
	r, changes := d.report, d.changes
	if d.facts != nil {
		changes = append(changes, d.facts.changes()...)
	}
	r.Version, r.Partition, r.Done = reportVersion, d.cfg.Partition, d.done
	d.report, d.changes = Report{Done: d.done}, nil
	return &r, changes
}

// Held returns how many identities wait, each once for each of its ticks: the
// bulk of the memory while a backlog is worked through.
func (d *Detect) Held() int { return d.held }

// Unfinished reports that Advance stopped because enough has to be committed
// before it goes on.
func (d *Detect) Unfinished() bool { return d.more }

// Offset returns the next offset of weir.partials that the task expects.
func (d *Detect) Offset() int64 { return d.offset }

// Stats returns what the task did so far.
func (d *Detect) Stats() DetectStats {
	s := d.stats
	if d.done != never {
		s.ClosedMS = d.cfg.Grid.TickEnd(d.done)
	}
	s.Identities = int64(len(d.ids) + len(d.asleep))
	if d.facts != nil {
		s.Inputs = d.facts.inputs()
	}
	return s
}
