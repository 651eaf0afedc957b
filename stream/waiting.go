package stream

import "github.com/weirhq/weir/internal/wire"

// HeldBatch is the partials of a batch while they wait for their ticks: in the form
// in which they came, and where each begins. So one that waits costs a few dozen
// bytes and nothing that the garbage collector would look into.
type HeldBatch struct {
	partialReader
	body []byte
	dims []int // by dimension of the batch: the number that it has here, NoDimension if none
}

// PartialRef is the place of a partial in its batch.
type PartialRef struct {
	name int32 // of its identity
	at   int32 // where it begins in the body
}

// Name returns the number of the identity's name, below the batch's Names. A name has
// one number in a batch.
func (r PartialRef) Name() int { return int(r.name) }

// Names returns how many names the batch has.
func (h *HeldBatch) Names() int { return len(h.ends) }

// HeldPartial is what is known of a partial before it is read. Of a dimension that
// is not known here only Dimension is told, NoDimension.
type HeldPartial struct {
	PartialRef
	Dimension int
	Apply     int64 // as of Partial
}

// Hold finds the partials of a batch and hands each to yield, in the order of the
// batch. dims[i] is the number that dimension i of the batch has here, NoDimension
// if it has none. All that Read will read is checked. The result aliases the batch.
func (b *Batch) Hold(dims []int, yield func(HeldPartial)) (*HeldBatch, error) {
	h := &HeldBatch{body: b.Body, dims: dims}
	err := h.each(len(b.Dimensions), func(ref PartialRef, p *Partial) {
		out := HeldPartial{Dimension: dims[p.Dimension], Apply: p.Apply}
		if out.Dimension != NoDimension {
			out.PartialRef = ref
		}
		yield(out)
	})
	h.Reader = wire.Reader{}
	return h, err
}

// Size returns how many bytes of memory the batch takes while it is held, once all of
// its names were read.
func (h *HeldBatch) Size() int64 { return int64(len(h.body) + 2*len(h.text) + 32*len(h.ends)) }

// Read reads a partial into a room. It may be kept and changed until the room is
// reset. The identity keeps the memory of the whole batch, the names of traits do not.
func (h *HeldBatch) Read(ref PartialRef, p *Partial, room *Room) {
	h.Reader, h.skim, h.room = wire.NewReader(h.body[ref.at:]), false, room
	if h.orders == nil {
		h.orders, h.own = make([]uint32, len(h.ends)), make([]string, len(h.ends))
	}
	*p = Partial{Dimension: h.dimension(int(ref.name)), Identity: h.name(int(ref.name))}
	h.partial(p)
	p.Dimension = h.dims[p.Dimension]
	p.Rename(h.dims)
	h.room = nil
}
