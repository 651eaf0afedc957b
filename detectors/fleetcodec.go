package detectors

import (
	"encoding/binary"
	"fmt"
)

const fleetVersion = 4

// AppendBinary appends the canonical encoding of the fleet.
func (f *Fleet) AppendBinary(b []byte) []byte {
	b = append(b, fleetVersion)
	b = binary.AppendVarint(b, f.bin)
	b = binary.AppendUvarint(b, uint64(len(f.dims)))
	for i := range f.dims {
		for _, v := range f.dims[i].numbers() {
			b = appendFloat64(b, *v)
		}
		b = f.dims[i].appendGroups(b)
	}
	return b
}

// numbers lists all numbers of the dimension in a fixed order.
func (d *fleetDim) numbers() []*float64 {
	v := []*float64{&d.started, &d.tailDays, &d.chance, &d.chanceOn, &d.day, &d.today, &d.live}
	for i := range d.hours {
		v = append(v, &d.hours[i].value, &d.hours[i].n)
	}
	v = d.fleetPeers.numbers(v)
	for i := range d.tail {
		v = append(v, &d.tail[i])
	}
	return v
}

// numbers appends what is learned of peers, in a fixed order.
func (q *fleetPeers) numbers(v []*float64) []*float64 {
	v = append(v, &q.days)
	for i := range q.cells {
		v = append(v, &q.cells[i].value, &q.cells[i].n)
	}
	for m := range q.measures {
		of := &q.measures[m]
		v = append(v, &of.weight, &of.log, &of.logSq, &of.usual.value, &of.usual.n, &of.mode)
		for i := range of.k {
			v = append(v, &of.k[i])
		}
	}
	return v
}

// DecodeFleet reads what AppendBinary wrote and returns the bytes after it. A
// fleet of another number of dimensions is refused.
func (e *Engine) DecodeFleet(b []byte) (*Fleet, []byte, error) {
	r := reader{b: b}
	if v := r.byte(); !r.bad && v != fleetVersion {
		return nil, nil, fmt.Errorf("decoding a fleet of version %d, where this program reads %d: process again from the source: %w", v, fleetVersion, ErrCorrupt)
	}
	f := e.NewFleet()
	f.bin = r.varint()
	if n := r.uvarint(); !r.bad && n != uint64(e.dims) {
		return nil, nil, fmt.Errorf("decoding a fleet of %d dimensions, where %d are configured: %w", n, e.dims, ErrCorrupt)
	}
	for i := range f.dims {
		for _, v := range f.dims[i].numbers() {
			*v = r.float64()
		}
		r.fleetGroups(&f.dims[i])
	}
	if r.bad {
		return nil, nil, fmt.Errorf("decoding a fleet: %w", ErrCorrupt)
	}
	return f, r.b, nil
}
