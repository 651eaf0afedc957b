// Package exposure counts what one identity has touched since a time: since the
// onset of a drift, or since a fact holds.
package exposure

import (
	"encoding/binary"
	"math"

	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/clamp"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

// Exposure is what one identity has touched since a time.
type Exposure struct {
	Since   int64             // Unix ms of event time
	Rows    int64             // rows read where the log has no record ids
	Events  int64             // accesses
	Records sketches.Exposure // distinct records
	Traits  []trait.Count     // what the accesses came through
}

// Add adds accesses: the records that they touched, their rows without record ids,
// their number, and what they came through.
func (e *Exposure) Add(records *sketches.Window, rows, events int64, traits []trait.Count) {
	e.Records.AddWindow(records, 0)
	e.Rows = clamp.Add(e.Rows, rows)
	e.Events = clamp.Add(e.Events, events)
	e.Traits = trait.Merge(e.Traits, traits)
}

// AddSince adds those records of a window that were touched at Since or later.
func (e *Exposure) AddSince(records *sketches.Window) {
	e.Records.AddWindow(records, eventtime.MinuteOf(max(e.Since, 0)))
}

// AppendBinary appends the binary form.
func (e *Exposure) AppendBinary(b []byte) []byte {
	b = binary.AppendVarint(b, e.Since)
	b = binary.AppendUvarint(b, uint64(e.Rows))
	b = binary.AppendUvarint(b, uint64(e.Events))
	return e.Records.AppendBinary(trait.AppendCounts(b, e.Traits))
}

// Read reads what AppendBinary wrote.
func Read(r *wire.Reader) (e Exposure) {
	e.Since = r.Varint()
	e.Rows = int64(r.Uvarint() & math.MaxInt64)
	e.Events = int64(r.Uvarint() & math.MaxInt64)
	e.Traits = trait.ReadCounts(r)
	e.Records = wire.Decode(r, sketches.DecodeExposure)
	return e
}
