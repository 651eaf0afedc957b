package episode

import (
	"math"

	"github.com/weirhq/weir/internal/wire"
)

// Exposed says how many distinct records an identity has touched since a time.
type Exposed struct {
	Records int64
	Low     int64 // lower end of the 95 % interval
	High    int64 // upper end of the 95 % interval
	Since   int64 // Unix ms of event time
	Rows    int64 // rows that were read where the log has no record ids
}

// AppendBinary appends the numbers in the order of the fields.
func (e *Exposed) AppendBinary(b []byte) []byte {
	return wire.AppendVarints(b, e.Records, e.Low, e.High, e.Since, e.Rows)
}

// ReadExposed reads what AppendBinary wrote.
func ReadExposed(r *wire.Reader) Exposed {
	return Exposed{Records: r.Varint(), Low: r.Varint(), High: r.Varint(), Since: r.Varint(), Rows: r.Varint()}
}

// Excess says how many records, or rows, were taken beyond what is usual.
type Excess struct {
	Records int64
	Low     int64 // lower end of the 95 % interval
	High    int64 // upper end of the 95 % interval
}

// ExcessOf returns what a count with its 95 % interval has beyond what is expected, of
// which spread is the standard deviation.
func ExcessOf(count, low, high, expected, spread float64) Excess {
	const z = 1.96 // of a two-sided 95 % interval
	beyond := func(n, usual float64) int64 { return int64(math.Round(max(0, n-max(0, usual)))) }
	return Excess{beyond(count, expected), beyond(low, expected+z*spread), beyond(high, expected-z*spread)}
}

// AppendBinary appends the numbers in the order of the fields.
func (e *Excess) AppendBinary(b []byte) []byte {
	return wire.AppendVarints(b, e.Records, e.Low, e.High)
}

// ReadExcess reads what AppendBinary wrote.
func ReadExcess(r *wire.Reader) Excess { return Excess{r.Varint(), r.Varint(), r.Varint()} }
