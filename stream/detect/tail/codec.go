package tail

import (
	"encoding/binary"
	"fmt"

	"github.com/weirhq/weir/internal/wire"
)

const version = 1

// AppendBinary appends the binary form: a byte or two for each cell, and eight for each
// identity that had not been written.
func (s *Shard) AppendBinary(b []byte) []byte {
	b = wire.AppendVarints(append(b, version), s.Saved, s.Last, s.day)
	for r := range s.cells {
		for _, n := range s.cells[r] {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}
	return wire.AppendList(b, s.Unwritten, func(b []byte, hash *uint64) []byte {
		return binary.LittleEndian.AppendUint64(b, *hash)
	})
}

// Decode reads what AppendBinary wrote.
func Decode(value []byte) (*Shard, error) {
	r := wire.NewReader(value)
	r.Version(version)
	s := &Shard{Saved: r.Varint(), Last: r.Varint(), day: r.Varint()}
	for row := range s.cells {
		for i := range s.cells[row] {
			n := r.Uvarint()
			if n > mostCell {
				r.Fail("a cell out of its range")
				n = 0
			}
			s.cells[row][i] = uint32(n)
			s.sums[row] += n
		}
	}
	s.Unwritten = wire.List(&r, r.Uint64)
	if err := r.End(); err != nil {
		return nil, fmt.Errorf("reading a shard of identities: %w", err)
	}
	return s, nil
}
