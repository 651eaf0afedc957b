package stream

import (
	"slices"

	"github.com/weirhq/weir/internal/wire"
)

// Advance remembers that ticks up to done were closed when all records of
// weir.partials before offset had been applied.
type Advance struct{ Offset, Done int64 }

// Advances are the closes that a restore would repeat, in their order.
type Advances []Advance

// Since drops what no restore that begins at the tick oldest repeats. The last
// Advance before it stays: it tells what had been closed when the replay begins.
func (h Advances) Since(oldest int64) Advances {
	n := 0
	for n+1 < len(h) && h[n+1].Done < oldest {
		n++
	}
	return slices.Delete(h, 0, n)
}

func (h Advances) Append(b []byte) []byte {
	return wire.AppendList(b, h, func(b []byte, a *Advance) []byte { return wire.AppendVarints(b, a.Offset, a.Done) })
}

func ReadAdvances(r *wire.Reader) Advances {
	return wire.List(r, func() Advance { return Advance{r.Varint(), r.Varint()} })
}
