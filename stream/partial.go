package stream

import (
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/sketches"
)

// Partial is what one ingest task counted since its last commit for one
// identity in one tick.
type Partial struct {
	Dimension int    // index into the batch's dimensions
	Identity  string // part of the batch's memory
	Tick      int64  // the tick its events lie in
	// Apply is the tick at whose close it counts: Tick itself, or for late
	// events the tick that the event's own source partition had reached. It
	// follows from that partition's log alone, so a replay repeats it.
	Apply   int64
	Events  int64 // accesses; one that a source repeats counts again
	Rows    Rows
	Records sketches.Window // of every access
	// Destructive are the records that were updated or deleted, as if in the
	// first minute of the tick.
	Destructive sketches.Window
	// Unissued are the hashes of tokens that were found, in the tick, to be issued to
	// nobody: each once. UnissuedTokens are those that read and count for the identity,
	// and UnissuedRecords what they read. Only the join of tokens fills them.
	Unissued, UnissuedTokens, UnissuedRecords sketches.Window
	// Traits are the identities of the other dimensions that the events also
	// had: of each dimension the trait.Max of smallest hash.
	Traits []trait.Count
}

// Rare reports whether the partial holds what few do: rows, records that were
// updated or deleted, unissued tokens.
func (p *Partial) Rare() bool {
	return !p.Rows.Empty() || !p.Destructive.Empty() || p.unissued()
}

// unissued reports whether the partial tells of unissued tokens.
func (p *Partial) unissued() bool {
	return !p.Unissued.Empty() || !p.UnissuedTokens.Empty() || !p.UnissuedRecords.Empty()
}

// Rename gives traits the numbers that dimensions have here. Those of dimensions
// that are not known here go.
func (p *Partial) Rename(dims []int) { p.Traits = trait.Renumber(p.Traits, dims) }
