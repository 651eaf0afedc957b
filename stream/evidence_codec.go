package stream

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/wire"
)

// EvidenceVersion is the first byte of every record on weir.evidence. Versions 1
// and 2 were JSON, whose first byte is a brace.
const EvidenceVersion = 6

// Encode returns the record's value. It refuses a measure that is not a finite
// number, which no reader would take.
func (r *EvidenceReport) Encode() ([]byte, error) {
	for i := range r.Candidates {
		c := &r.Candidates[i]
		for j := range c.Measures {
			if m := &c.Measures[j]; !m.finite() {
				return nil, fmt.Errorf("writing evidence: the measure %s of a candidate of dimension %d is not a finite number", m.Measure, c.Dimension)
			}
		}
	}
	return r.appendBinary(nil), nil
}

func (r *EvidenceReport) appendBinary(b []byte) []byte {
	b = append(b, EvidenceVersion)
	b = wire.AppendVarints(b, int64(r.Partition), r.Done)
	b = wire.AppendList(b, r.Candidates, appendCandidate)
	b = wire.AppendList(b, r.Facts, appendFactCandidate)
	return wire.AppendList(b, r.Bins, func(b []byte, s *BinSums) []byte {
		return wire.AppendBytes(wire.AppendBytes(binary.AppendVarint(b, s.Bin), s.Sums), s.Traits)
	})
}

// DecodeEvidenceReport reads a record of weir.evidence.
func DecodeEvidenceReport(value []byte) (*EvidenceReport, error) {
	if len(value) > 0 && value[0] == '{' {
		return nil, fmt.Errorf("reading evidence: it is JSON, which an older weir wrote; run that version, or start over with `weir reset`: %w", wire.ErrCorrupt)
	}
	r := wire.NewReader(value)
	r.Version(EvidenceVersion)
	partition := r.Varint()
	if partition < 0 || partition > math.MaxInt32 {
		r.Fail("a partition out of range")
	}
	out := &EvidenceReport{Partition: int32(partition), Done: r.Varint()} //nolint:gosec // compared with the range above
	out.Candidates = wire.List(&r, func() Candidate { return readCandidate(&r) })
	out.Facts = wire.List(&r, func() FactCandidate { return readFactCandidate(&r) })
	out.Bins = wire.List(&r, func() BinSums { return BinSums{r.Varint(), r.Bytes(), r.Bytes()} })
	if err := r.End(); err != nil {
		return nil, fmt.Errorf("reading evidence: %w", err)
	}
	return out, nil
}

func appendCandidate(b []byte, c *Candidate) []byte {
	b = wire.AppendVarints(b, c.Tick, int64(c.Dimension))
	b = wire.AppendText(b, c.Identity)
	b = wire.AppendText(b, c.Group)
	b = wire.AppendBool(wire.AppendBool(wire.AppendFloat64(wire.AppendFloat64(b, c.Log), c.Threshold), c.Spent), c.Stale)
	b = wire.AppendVarints(b, c.Bin, c.Onset, c.Earliest, c.Latest)
	b = AppendMeasures(b, c.Measures)
	b = AppendCourse(wire.AppendText(b, c.Peers), c.Course)
	return appendContext(c.Exposed.AppendBinary(b), &c.Context)
}

func readCandidate(r *wire.Reader) (c Candidate) {
	c.Tick, c.Dimension, c.Identity = r.Varint(), int(r.Varint()), r.Text()
	c.Group, c.Log, c.Threshold = r.Text(), r.Float64(), r.Float64()
	c.Spent, c.Stale = r.Bool(), r.Bool()
	c.Bin, c.Onset, c.Earliest, c.Latest = r.Varint(), r.Varint(), r.Varint(), r.Varint()
	c.Measures, c.Peers = ReadMeasures(r), r.Text()
	c.Course = ReadCourse(r)
	c.Exposed, c.Context = episode.ReadExposed(r), readContext(r)
	return c
}

func appendFactCandidate(b []byte, f *FactCandidate) []byte {
	b = wire.AppendVarints(b, f.Tick, int64(f.Dimension))
	b = wire.AppendText(wire.AppendText(b, f.Identity), string(f.Fact))
	b = wire.AppendTextMap(binary.AppendVarint(b, f.Time), f.Detail)
	return appendContext(f.Through.AppendBinary(f.Exposed.AppendBinary(b)), &f.Context)
}

func readFactCandidate(r *wire.Reader) (f FactCandidate) {
	f.Tick, f.Dimension, f.Identity = r.Varint(), int(r.Varint()), r.Text()
	f.Fact, f.Time, f.Detail = fact.Name(r.Text()), r.Varint(), r.TextMap()
	f.Exposed, f.Through = episode.ReadExposed(r), episode.ReadExcess(r)
	f.Context = readContext(r)
	return f
}

func appendContext(b []byte, c *Context) []byte {
	b = campaign.AppendTraitShares(b, c.Traits)
	b = wire.AppendOptional(b, c.ShareNew)
	return wire.AppendVarints(b, c.TraitsSince, c.FirstSeen, c.LastSeen)
}

func readContext(r *wire.Reader) (c Context) {
	c.Traits, c.ShareNew = campaign.ReadTraitShares(r), r.Optional()
	c.TraitsSince, c.FirstSeen, c.LastSeen = r.Varint(), r.Varint(), r.Varint()
	return c
}

// numbers lists the numbers of a measure in a fixed order.
func (m *MeasureEvidence) numbers() [9]*float64 {
	return [...]*float64{&m.Log, &m.Observed, &m.Low, &m.High, &m.Expected, &m.Mode, &m.Dispersion, &m.Ratio, &m.Allowed}
}

// finite reports whether every number can be written down.
func (m *MeasureEvidence) finite() bool {
	for _, v := range m.numbers() {
		if math.IsNaN(*v) || math.IsInf(*v, 0) {
			return false
		}
	}
	return true
}

// AppendMeasures appends the evidence of measures.
func AppendMeasures(b []byte, list []MeasureEvidence) []byte {
	return wire.AppendList(b, list, func(b []byte, m *MeasureEvidence) []byte {
		b = wire.AppendText(b, m.Measure)
		b = binary.AppendVarint(b, m.From)
		for _, v := range m.numbers() {
			b = wire.AppendFloat64(b, *v)
		}
		return wire.AppendList(b, m.Rates, func(b []byte, r *RateEvidence) []byte {
			return wire.AppendFloat64(wire.AppendFloat64(b, r.Rate), r.Log)
		})
	})
}

// ReadMeasures reads what AppendMeasures wrote.
func ReadMeasures(r *wire.Reader) []MeasureEvidence {
	return wire.List(r, func() MeasureEvidence {
		m := MeasureEvidence{Measure: r.Text(), From: r.Varint()}
		for _, v := range m.numbers() {
			*v = r.Float64()
		}
		m.Rates = wire.List(r, func() RateEvidence { return RateEvidence{r.Float64(), r.Float64()} })
		return m
	})
}

// AppendCourse appends what an identity has done since the onset.
func AppendCourse(b []byte, list []Course) []byte {
	return wire.AppendList(b, list, func(b []byte, c *Course) []byte {
		b = wire.AppendFloat64(wire.AppendFloat64(wire.AppendText(b, c.Measure), c.Observed), c.Expected)
		return c.Excess.AppendBinary(b)
	})
}

// ReadCourse reads what AppendCourse wrote.
func ReadCourse(r *wire.Reader) []Course {
	return wire.List(r, func() Course {
		return Course{Measure: r.Text(), Observed: r.Float64(), Expected: r.Float64(), Excess: episode.ReadExcess(r)}
	})
}
