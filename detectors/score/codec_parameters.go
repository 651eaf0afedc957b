package score

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/weirhq/weir/internal/wire"
)

const parametersVersion = 5

// AppendBinary appends the canonical encoding: some 200 bytes for each dimension
// and each class of peers.
func (p *Parameters) AppendBinary(b []byte) []byte {
	b = append(b, parametersVersion)
	b = binary.AppendVarint(b, p.Bin)
	return wire.AppendList(b, p.Dimensions, func(b []byte, d *Dimension) []byte {
		for _, v := range d.numbers() {
			b = binary.AppendVarint(b, thousandths(*v))
		}
		return wire.AppendList(b, d.Classes, func(b []byte, c *Class) []byte {
			b = binary.LittleEndian.AppendUint32(b, c.Token)
			b = binary.AppendVarint(wire.AppendText(b, c.Name), c.Day)
			for _, v := range c.numbers() {
				b = binary.AppendVarint(b, thousandths(*v))
			}
			return b
		})
	})
}

// Round rounds all values to what the encoding holds.
func (p *Parameters) Round() {
	for i := range p.Dimensions {
		d := &p.Dimensions[i]
		all := d.numbers()
		for j := range d.Classes {
			all = append(all, d.Classes[j].numbers()...)
		}
		for _, v := range all {
			*v = float64(thousandths(*v)) / 1000
		}
	}
}

func thousandths(v float64) int64 { return int64(math.Round(v * 1000)) }

// most is how large a value of parameters can be.
const most = 1e12

// numbers lists the values of a dimension in a fixed order.
func (d *Dimension) numbers() []*float64 {
	v := make([]*float64, 0, 32)
	for g := range d.Threshold {
		v = append(v, &d.Threshold[g], &d.Newcomers[g])
	}
	for i := range d.Off {
		v = append(v, &d.Off[i])
	}
	return append(v, &d.Known)
}

// numbers lists the values of a class in a fixed order.
func (c *Class) numbers() []*float64 {
	v := make([]*float64, 0, 128)
	for i := range c.Mode {
		v = append(v, &c.Mode[i])
	}
	v = append(v, &c.Bin)
	for i := range c.K {
		t := &c.Tail[i]
		v = append(v, &c.K[i], &t.At, &t.LogOver, &t.Scale, &t.Shape, &t.Excess)
	}
	for i := range c.First {
		for m := range c.First[i].Mean {
			v = append(v, &c.First[i].Mean[m], &c.First[i].Spread[m])
		}
	}
	return v
}

// maxDimensions and maxClasses bound what is read.
const (
	maxDimensions = 64
	maxClasses    = 64
	maxName       = 1024
)

// DecodeParameters reads what AppendBinary wrote and returns the bytes after it.
func DecodeParameters(b []byte) (*Parameters, []byte, error) {
	r := wire.NewReader(b)
	r.Version(parametersVersion)
	p := &Parameters{Bin: r.Varint()}
	n := r.Uvarint()
	if n > maxDimensions {
		r.Fail("too many dimensions")
		n = 0
	}
	for range n {
		var d Dimension
		readThousandths(&r, d.numbers())
		classes := r.Uvarint()
		if classes < 1 || classes > maxClasses {
			r.Fail("a number of classes out of its range")
			classes = 0
		}
		for i := range int(classes) {
			c := Class{Token: r.Uint32(), Name: r.Text(), Day: r.Varint()}
			readThousandths(&r, c.numbers())
			c.check(&r, i, d.Classes)
			if r.Err() != nil {
				break
			}
			d.Classes = append(d.Classes, c)
		}
		if r.Err() != nil {
			break
		}
		p.Dimensions = append(p.Dimensions, d)
	}
	if err := r.Err(); err != nil {
		return nil, nil, fmt.Errorf("decoding the parameters of a bin: %w", err)
	}
	return p, r.Rest(), nil
}

// check refuses a class that could not have been written.
func (c *Class) check(r *wire.Reader, i int, before []Class) {
	if i == 0 && c.Token != 0 || i > 0 && c.Token <= before[i-1].Token || len(c.Name) > maxName {
		r.Fail("a class out of its place")
	}
	for st, k := range c.K {
		if k <= 0 || c.Tail[st].Scale < 0 {
			r.Fail("a dispersion that is not above zero")
		}
	}
}

func readThousandths(r *wire.Reader, v []*float64) {
	for _, x := range v {
		if *x = float64(r.Varint()) / 1000; math.Abs(*x) > most {
			r.Fail("a value out of its range")
		}
	}
}
