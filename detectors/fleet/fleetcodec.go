package fleet

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/weirhq/weir/internal/wire"
)

const fleetVersion = 4

// AppendBinary appends the canonical encoding of the fleet.
func (f *Fleet) AppendBinary(b []byte) []byte {
	b = append(b, fleetVersion)
	b = binary.AppendVarint(b, f.bin)
	b = binary.AppendUvarint(b, uint64(len(f.dims)))
	for i := range f.dims {
		for _, v := range f.dims[i].numbers() {
			b = wire.AppendFloat64(b, *v)
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
func (e *Model) DecodeFleet(b []byte) (*Fleet, []byte, error) {
	r := wire.NewReader(b)
	if r.Version(fleetVersion); r.Err() != nil {
		return nil, nil, fmt.Errorf("decoding a fleet: process again from the source: %w", r.Err())
	}
	f := e.NewFleet()
	f.bin = r.Varint()
	if n := r.Uvarint(); r.Err() == nil && n != uint64(e.dims) {
		return nil, nil, fmt.Errorf("decoding a fleet of %d dimensions, where %d are configured: %w", n, e.dims, wire.ErrCorrupt)
	}
	for i := range f.dims {
		for _, v := range f.dims[i].numbers() {
			*v = r.Float64()
		}
		readFleetGroups(&r, &f.dims[i])
	}
	if err := r.Err(); err != nil {
		return nil, nil, fmt.Errorf("decoding a fleet: %w", err)
	}
	return f, r.Rest(), nil
}

// Clone returns a copy that shares nothing with the fleet.
func (f *Fleet) Clone() *Fleet {
	c := &Fleet{bin: f.bin, dims: slices.Clone(f.dims)}
	for i := range c.dims {
		d := &c.dims[i]
		d.groups = slices.Clone(d.groups)
		for j, g := range d.groups {
			group := *g
			if g.peers != nil {
				peers := *g.peers
				group.peers = &peers
			}
			d.groups[j] = &group
		}
	}
	return c
}
