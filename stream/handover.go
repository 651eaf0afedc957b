package stream

import (
	"encoding/binary"
	"fmt"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

// handoverVersion is the first byte of a record on weir.partials that holds a
// handover and no batch.
const handoverVersion = 128

// Routed is a record that a task writes to one partition of weir.partials.
type Routed struct {
	Partition int32
	Value     []byte
}

// Handover is one record on weir.partials by which a detect task tells another what it
// knows of names that become those of people of the other's partition.
type Handover struct {
	From int32 // partition that tells
	// Bin is the one in which the names become people's.
	Bin int64
	// Complete says that the partition has told all that it knows of names that become
	// people's in the bin, or before it.
	Complete bool
	Names    []Legacy
}

// Legacy is what is known of a name that becomes a person's.
type Legacy struct {
	Name, Person string
	First, Last  int64 // ticks in which something was counted under the name
	Window       sketches.Window
	State        score.State
}

// AppendHandover begins a record. What Legacy.Append writes follows, for each name.
func AppendHandover(b []byte, from int32, bin int64, complete bool) []byte {
	b = binary.AppendUvarint(append(b, handoverVersion), uint64(from))
	return wire.AppendBool(binary.AppendVarint(b, bin), complete)
}

// Append appends the binary form.
func (l *Legacy) Append(b []byte) []byte {
	b = wire.AppendText(wire.AppendText(b, l.Name), l.Person)
	b = wire.AppendVarints(b, l.First, l.Last)
	return l.State.AppendBinary(l.Window.AppendBinary(b))
}

// decodeHandover reads a record that holds a handover.
func decodeHandover(value []byte) (*Handover, error) {
	r := wire.NewReader(value)
	r.Version(handoverVersion)
	h := &Handover{From: int32(r.Uvarint()), Bin: r.Varint(), Complete: r.Bool()}
	for r.Err() == nil && r.Len() > 0 {
		l := Legacy{Name: r.Text(), Person: r.Text(), First: r.Varint(), Last: r.Varint()}
		l.Window = wire.Decode(&r, sketches.DecodeWindow)
		l.State = wire.Decode(&r, score.DecodeState)
		h.Names = append(h.Names, l)
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("reading a handover: %w", err)
	}
	return h, nil
}
