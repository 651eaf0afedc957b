package rivals

import (
	"github.com/apache/datasketches-go/hll"
	"github.com/axiomhq/hyperloglog"
	"github.com/weirhq/weir/sketches"
)

// counter is what is compared.
type counter interface {
	insert(hash uint64, minute uint32)
	// counts fills out with the distinct records of the windows of so many
	// minutes that end with the minute now.
	counts(now uint32, windows []uint32, interpolate bool, out []float64)
	merge(o counter)
	form() int // bytes of the serialised form
}

type design struct {
	name string
	new  func() counter
}

var designs = []design{
	{"Window, p=12", func() counter { return &window{} }},
	{"ring of axiomhq, p=14", func() counter { return &ring[*hyperloglog.Sketch]{kind: axiom(14)} }},
	{"ring of axiomhq, p=10", func() counter { return &ring[*hyperloglog.Sketch]{kind: axiom(10)} }},
	{"ring of datasketches HLL_4, p=14", func() counter { return &ring[hll.HllSketch]{kind: datasketches(14, hll.TgtHllTypeHll4)} }},
	{"ring of datasketches HLL_8, p=10", func() counter { return &ring[hll.HllSketch]{kind: datasketches(10, hll.TgtHllTypeHll8)} }},
	{"exact map", func() counter { return exact{} }},
}

type window struct{ w sketches.Window }

func (c *window) insert(hash uint64, minute uint32) { c.w.Insert(hash, minute) }

func (c *window) merge(o counter) { c.w.Merge(&o.(*window).w) }

func (c *window) form() int { return len(c.w.AppendBinary(nil)) }

func (c *window) counts(now uint32, windows []uint32, _ bool, out []float64) {
	var since [6]uint32
	var estimates [6]sketches.Estimate
	for i, w := range windows {
		since[i] = now + 1 - w
	}
	c.w.Counts(since[:len(windows)], estimates[:])
	for i := range windows {
		out[i] = estimates[i].N
	}
}

// exact maps each record to the minute in which it was last seen.
type exact map[uint64]uint32

func (c exact) insert(hash uint64, minute uint32) { c[hash] = max(c[hash], minute) }

func (c exact) form() int { return 12 * len(c) }

func (c exact) merge(o counter) {
	for hash, minute := range o.(exact) {
		c[hash] = max(c[hash], minute)
	}
}

func (c exact) counts(now uint32, windows []uint32, _ bool, out []float64) {
	clear(out)
	for _, minute := range c {
		for i, w := range windows {
			if minute > now-w {
				out[i]++
			}
		}
	}
}

// must is for errors that right arguments cannot bring about.
func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func axiom(p uint8) *kind[*hyperloglog.Sketch] {
	return &kind[*hyperloglog.Sketch]{
		new:    func() *hyperloglog.Sketch { return must(hyperloglog.NewSketch(p, true)) },
		insert: func(s *hyperloglog.Sketch, hash uint64) { s.InsertHash(hash) },
		union: func(parts []*hyperloglog.Sketch) *hyperloglog.Sketch {
			u := parts[0].Clone()
			for _, s := range parts[1:] {
				must(0, u.Merge(s))
			}
			return u
		},
		estimate: func(s *hyperloglog.Sketch) float64 { return float64(s.Estimate()) },
		form:     func(s *hyperloglog.Sketch) []byte { return must(s.MarshalBinary()) },
	}
}

func datasketches(p int, as hll.TgtHllType) *kind[hll.HllSketch] {
	return &kind[hll.HllSketch]{
		new:    func() hll.HllSketch { return must(hll.NewHllSketch(p, as)) },
		insert: func(s hll.HllSketch, hash uint64) { must(0, s.UpdateUInt64(hash)) },
		union: func(parts []hll.HllSketch) hll.HllSketch {
			u := must(hll.NewUnion(p))
			for _, s := range parts {
				must(0, u.UpdateSketch(s))
			}
			return must(u.GetResult(as))
		},
		estimate: func(s hll.HllSketch) float64 { return must(s.GetEstimate()) },
		form:     func(s hll.HllSketch) []byte { return must(s.ToCompactSlice()) },
	}
}
