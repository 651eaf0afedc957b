package stream

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/weirhq/weir/internal/clamp"
	"github.com/weirhq/weir/internal/wire"
)

// maxRowEvents is how many identified row counts one identity keeps in one
// tick. Beyond it the ones with the smallest hashes stay, and the total is
// scaled up from them.
const maxRowEvents = 1024

// Rows sums the row counts of events that log no record ids. Counts of events
// that carry an id are kept by its hash, so that an event told twice counts
// once; the others are added up as they come.
type Rows struct {
	Plain int64 // of events without an id
	ByID  []RowCount
	// Limit is the largest hash that may be in ByID, once some were dropped;
	// zero while none were.
	Limit uint64
}

// RowCount is the rows of one identified event.
type RowCount struct {
	ID   uint64 // keyed hash of the event's id
	Rows int64
}

// Add takes in one event's rows; id is the hash of the event's id, or zero.
func (r *Rows) Add(id uint64, rows int64) {
	if id == 0 {
		r.Plain = clamp.Add(r.Plain, rows)
		return
	}
	r.ByID = append(r.ByID, RowCount{id, rows})
	if len(r.ByID) >= 2*maxRowEvents {
		r.normalize()
	}
}

// Merge unites with o.
func (r *Rows) Merge(o *Rows) {
	r.Plain = clamp.Add(r.Plain, o.Plain)
	if len(o.ByID) == 0 {
		return
	}
	r.ByID = append(r.ByID, o.ByID...)
	if o.Limit != 0 && (r.Limit == 0 || o.Limit < r.Limit) {
		r.Limit = o.Limit
	}
	r.normalize()
}

// normalize sorts, removes repeats and applies the cap; what remains is a
// function of the set of events alone.
func (r *Rows) normalize() {
	slices.SortFunc(r.ByID, func(a, b RowCount) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), -cmp.Compare(a.Rows, b.Rows))
	})
	r.ByID = slices.CompactFunc(r.ByID, func(a, b RowCount) bool { return a.ID == b.ID })
	if len(r.ByID) > maxRowEvents {
		r.ByID = r.ByID[:maxRowEvents]
		last := r.ByID[maxRowEvents-1].ID
		if r.Limit == 0 || last < r.Limit {
			r.Limit = last
		}
	}
	if r.Limit != 0 {
		n, _ := slices.BinarySearchFunc(r.ByID, r.Limit, func(a RowCount, h uint64) int {
			if a.ID <= h {
				return -1
			}
			return 1
		})
		r.ByID = r.ByID[:n]
	}
}

// Total returns the sum of rows; an estimate once the cap was reached.
func (r *Rows) Total() int64 {
	if r.Empty() {
		return 0
	}
	r.normalize()
	kept := int64(0)
	for _, c := range r.ByID {
		kept = clamp.Add(kept, c.Rows)
	}
	if r.Limit != 0 {
		kept = int64(min(float64(kept)/(float64(r.Limit)/(1<<64)), 1<<62))
	}
	return clamp.Add(r.Plain, kept)
}

// Empty reports whether nothing was added.
func (r *Rows) Empty() bool { return r.Plain == 0 && len(r.ByID) == 0 }

func (r *Rows) append(b []byte) []byte {
	r.normalize()
	b = binary.AppendUvarint(b, uint64(r.Plain))
	b = binary.AppendUvarint(b, uint64(len(r.ByID)))
	for _, c := range r.ByID {
		b = binary.LittleEndian.AppendUint64(b, c.ID)
		b = binary.AppendUvarint(b, uint64(c.Rows))
	}
	if len(r.ByID) > 0 {
		b = binary.LittleEndian.AppendUint64(b, r.Limit)
	}
	return b
}

func readRows(r *wire.Reader) Rows {
	var out Rows
	out.Plain = int64(r.Uvarint() & (1<<63 - 1))
	if n := r.CountUpTo(maxRowEvents); n > 0 {
		out.ByID = make([]RowCount, n)
		for i := range out.ByID {
			out.ByID[i] = RowCount{r.Uint64(), int64(r.Uvarint() & (1<<63 - 1))}
		}
		out.Limit = r.Uint64()
	}
	return out
}
