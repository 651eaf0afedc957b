package stream

import (
	"slices"

	"github.com/weirhq/weir/internal/wire"
)

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
	return wire.AppendList(b, h, func(b []byte, a *advance) []byte { return wire.AppendVarints(b, a.offset, a.done) })
}

func readAdvances(r *wire.Reader) advances {
	return wire.List(r, func() advance { return advance{r.Varint(), r.Varint()} })
}
