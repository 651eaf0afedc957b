package episode

import "github.com/weirhq/weir/internal/wire"

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
