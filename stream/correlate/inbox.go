package correlate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// inbox holds what detect has reported of ticks that are not worked through yet.
type inbox struct {
	grid       eventtime.Grid
	dimensions []string
	done       []int64 // by partition: the last tick that it has closed; eventtime.Never: none
	candidates map[int64][]stream.Candidate
	facts      map[int64][]stream.FactCandidate
	bins       map[int64]*binTotals
	first      map[int64]int64 // by tick: the first offset of a report that told of it
	offset     int64           // of weir.evidence, the next
}

// binTotals is what all partitions told of one bin.
type binTotals struct {
	sums   fleet.Sums
	traits campaign.TraitSums
}

func newInbox(cfg *Config) inbox {
	in := inbox{
		grid: cfg.Grid, dimensions: cfg.Dimensions, done: make([]int64, cfg.Partitions),
		candidates: map[int64][]stream.Candidate{}, facts: map[int64][]stream.FactCandidate{},
		bins: map[int64]*binTotals{}, first: map[int64]int64{},
	}
	for i := range in.done {
		in.done[i] = eventtime.Never
	}
	return in
}

// add takes in a report. Ticks up to closed and bins up to published were worked
// through before: a restore repeats them.
func (in *inbox) add(offset int64, r *stream.EvidenceReport, closed, published int64) error {
	if r.Partition < 0 || int(r.Partition) >= len(in.done) {
		return fmt.Errorf("a report of partition %d, where weir.partials has %d: %w", r.Partition, len(in.done), wire.ErrCorrupt)
	}
	for i := range r.Candidates {
		c := &r.Candidates[i]
		if c.Dimension < 0 || c.Dimension >= len(in.dimensions) || len(c.Measures) == 0 {
			return fmt.Errorf("a candidate of dimension %d: %w", c.Dimension, wire.ErrCorrupt)
		}
		if c.Tick > closed {
			in.candidates[c.Tick] = append(in.candidates[c.Tick], *c)
			in.noteOffset(c.Tick, offset)
		}
	}
	for i := range r.Facts {
		f := &r.Facts[i]
		if f.Dimension < stream.SourceDimension || f.Dimension >= len(in.dimensions) || f.Fact == "" {
			return fmt.Errorf("a fact of dimension %d: %w", f.Dimension, wire.ErrCorrupt)
		}
		if f.Tick > closed {
			in.facts[f.Tick] = append(in.facts[f.Tick], *f)
			in.noteOffset(f.Tick, offset)
		}
	}
	for i := range r.Bins {
		if b := &r.Bins[i]; b.Bin > published {
			if err := in.addBin(b); err != nil {
				return err
			}
			in.noteOffset(in.grid.LastTick(b.Bin), offset)
		}
	}
	in.done[r.Partition] = max(in.done[r.Partition], r.Done)
	in.offset = offset + 1
	return nil
}

func (in *inbox) addBin(b *stream.BinSums) error {
	have := in.bins[b.Bin]
	if have == nil {
		have = &binTotals{}
		in.bins[b.Bin] = have
	}
	if err := have.sums.Merge(b.Sums); err != nil {
		return fmt.Errorf("reading evidence: %w", err)
	}
	if len(b.Traits) > 0 {
		traits, err := campaign.DecodeTraitSums(b.Traits)
		if err != nil {
			return fmt.Errorf("reading evidence: %w", err)
		}
		have.traits.Merge(traits)
	}
	return nil
}

// noteOffset keeps the first offset that told of a tick.
func (in *inbox) noteOffset(tick, offset int64) {
	if _, ok := in.first[tick]; !ok {
		in.first[tick] = offset
	}
}

// complete returns the last tick that all partitions have closed, eventtime.Never
// if there is none.
func (in *inbox) complete() int64 { return slices.Min(in.done) }

// next returns the first tick of which something is held, the largest number there
// is if nothing is.
func (in *inbox) next() int64 {
	tick := min(firstTick(in.candidates), firstTick(in.facts))
	for bin := range in.bins {
		tick = min(tick, in.grid.LastTick(bin))
	}
	return tick
}

func firstTick[V any](waiting map[int64]V) int64 {
	first := int64(math.MaxInt64)
	for tick := range waiting {
		first = min(first, tick)
	}
	return first
}

// take hands out what a tick brought, by identity, sorted. An identity has several
// candidates in a tick where late counts stand out in bins of their own: the
// strongest makes the case.
func (in *inbox) take(tick int64) []tickInput {
	by := map[episode.ID]*tickInput{}
	at := func(dimension int, identity string) *tickInput {
		id := episode.ID{Dimension: stream.SourceDimensionName, Identity: identity}
		if dimension != stream.SourceDimension {
			id.Dimension = in.dimensions[dimension]
		}
		if by[id] == nil {
			by[id] = &tickInput{id: id}
		}
		return by[id]
	}
	candidates := in.candidates[tick]
	for i := range candidates {
		c := &candidates[i]
		input := at(c.Dimension, c.Identity)
		if have := input.candidate; have == nil || c.Margin() > have.Margin() || c.Margin() == have.Margin() && c.Bin > have.Bin {
			input.candidate = c
		}
	}
	for _, f := range in.facts[tick] {
		input := at(f.Dimension, f.Identity)
		input.facts = append(input.facts, f)
	}
	delete(in.candidates, tick)
	delete(in.facts, tick)
	out := make([]tickInput, 0, len(by))
	for _, input := range by {
		slices.SortFunc(input.facts, func(a, b stream.FactCandidate) int { return cmp.Compare(a.Fact, b.Fact) })
		out = append(out, *input)
	}
	slices.SortFunc(out, func(a, b tickInput) int { return a.id.Compare(b.id) })
	return out
}

// takeBin hands out the totals of the bin that ends with a tick; nil if it ends no
// bin, or one in which nobody was scored.
func (in *inbox) takeBin(tick int64) (bin int64, totals *binTotals) {
	bin = in.grid.BinOfTick(tick)
	if tick != in.grid.LastTick(bin) {
		return bin, nil
	}
	totals = in.bins[bin]
	delete(in.bins, bin)
	return bin, totals
}

// prune forgets where ticks that are closed began.
func (in *inbox) prune(closed int64) {
	for tick := range in.first {
		if tick <= closed {
			delete(in.first, tick)
		}
	}
}

// replay returns the offset from which a restore must read again.
func (in *inbox) replay() int64 {
	replay := in.offset
	for _, offset := range in.first {
		replay = min(replay, offset)
	}
	return replay
}

// tickInput is what a tick brought of one identity.
type tickInput struct {
	id        episode.ID
	candidate *stream.Candidate // nil: facts only
	facts     []stream.FactCandidate
}

// exposed returns the larger of what the evidence and the facts say.
func (in *tickInput) exposed() (out episode.Exposed) {
	if in.candidate != nil {
		out = in.candidate.Exposed
	}
	for i := range in.facts {
		if e := in.facts[i].Exposed; in.candidate == nil && i == 0 || e.Records > out.Records {
			out = e
		}
	}
	return out
}
