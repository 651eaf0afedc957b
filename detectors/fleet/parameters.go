package fleet

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
)

// Parameters are what the scoring of a bin needs to know of the whole fleet.
// Correlate makes those of bin t-1 when it has all of that bin, and bin t is
// scored with them, by every detect task alike. All values are rounded when
// made, so that the decoded are the made.
type Parameters struct {
	Bin        int64 // the last bin that is in them; -1 for the defaults
	Dimensions []Dimension
}

// Dimension holds the parameters of one dimension; and, as one of Groups, what
// a group of peers in it is scored with.
type Dimension struct {
	// Peers names the group: what its members work with. Empty for the dimension
	// itself, and for a group whose name is not known.
	Peers string
	token uint32 // GroupToken of a group
	// Groups are the largest groups of peers, by token. Shape, Prior and Mode are
	// their own, all else is the dimension's.
	Groups []Dimension
	// Shape is the factor of each hour of the week in thousandths; its mean
	// over the week is 1,000.
	Shape [eventtime.HoursOfWeek]uint16
	Prior [NumMeasures]Prior
	// Mode is the fleet's common mode expected of the next bin: 3 on a day on
	// which everyone does three times the usual.
	Mode [NumCore]float64
	// Threshold is the natural log of the evidence that opens an episode, and
	// Live the number of identities that it was computed for.
	Threshold float64
	Live      float64
	// Formula and Tail are the thresholds that Threshold follows from: by theory
	// and by the fleet's own evidence (zero: not enough of it); see settle.
	Formula, Tail float64
}

// Prior says what peers are like: a Gamma distribution of levels, and a
// dispersion.
type Prior struct {
	Mean     float64 // of the level, records a bin
	Strength float64 // the Gamma's shape: 1 / squared coefficient of variation among peers
	InverseK float64 // 1/k, the peers' over-dispersion
}

// defaultPrior is what is taken of peers that nobody has seen yet. It is wide:
// levels differ by a factor of 3 either way, counts are very uneven. So it
// gives way to the first bins of an identity's own.
var defaultPrior = Prior{Mean: 1, Strength: 0.1, InverseK: 2}

// defaultOf returns what is taken of the peers in a measure.
func defaultOf(m Measure) Prior {
	switch m {
	case Distinct, FirstTouch:
		return defaultPrior
	case RowsRead:
		return defaultRows
	case Newcomer:
		return defaultNewcomers
	}
	return Rares[m].Prior
}

// HourFactor returns the factor of an hour of the week; their mean is 1.
func (d *Dimension) HourFactor(hour int) float64 { return float64(d.Shape[hour]) / 1000 }

// Typical returns the shape of a cell of an identity's own hours, as that of a
// Wednesday or a Saturday.
func (d *Dimension) Typical(cell int) float64 {
	if cell >= 24 {
		return d.HourFactor(5*24 + cell - 24)
	}
	return d.HourFactor(2*24 + cell)
}

// Top returns the ceiling of the statistics, linear.
func (d *Dimension) Top() float64 { return Exp(min(d.Threshold+headroom, MaxLog)) }

// headroom is how far, in nats, evidence may rise above its threshold. More
// would change no decision, and at the lowest drift rate takes days to fall.
const headroom = 6.0

// Threshold returns the natural log of the evidence that opens an episode in a
// dimension.
func (p *Parameters) Threshold(dim int) float64 { return p.Dimensions[dim].Threshold }

// DefaultParameters are those of a fleet of which nothing is known.
func (e *Model) DefaultParameters() *Parameters {
	p := &Parameters{Bin: -1, Dimensions: make([]Dimension, e.dims)}
	for i := range p.Dimensions {
		d := &p.Dimensions[i]
		for h := range d.Shape {
			d.Shape[h] = 1000
		}
		for m := range d.Prior {
			d.Prior[m] = defaultOf(Measure(m))
		}
		d.Mode = Calm
		d.Live = 1
		d.Formula = round3(e.Formula(e.PerDay, e.dims))
		d.Threshold = d.Formula
	}
	return p
}

const parametersVersion = 3

// AppendBinary appends the canonical encoding: 250 to 350 bytes for each
// dimension and each group.
func (p *Parameters) AppendBinary(b []byte) []byte {
	b = append(b, parametersVersion)
	b = binary.AppendVarint(b, p.Bin)
	b = binary.AppendUvarint(b, uint64(len(p.Dimensions)))
	for i := range p.Dimensions {
		d := &p.Dimensions[i]
		for _, v := range d.thresholds() {
			b = appendThousandths(b, *v)
		}
		b = d.appendGroups(d.appendPeers(b))
	}
	return b
}

// appendPeers appends what a group has of its own.
func (d *Dimension) appendPeers(b []byte) []byte {
	for _, v := range d.Shape {
		b = binary.AppendUvarint(b, uint64(v))
	}
	for _, v := range d.values() {
		b = appendThousandths(b, *v)
	}
	return b
}

func appendThousandths(b []byte, v float64) []byte {
	return binary.AppendVarint(b, int64(math.Round(v*1000)))
}

// thresholds lists what is the same for all groups of a dimension.
func (d *Dimension) thresholds() []*float64 {
	return []*float64{&d.Threshold, &d.Live, &d.Formula, &d.Tail}
}

// values lists what a group has of its own in thousandths, in a fixed order.
func (d *Dimension) values() []*float64 {
	var v []*float64
	for m := range d.Mode {
		v = append(v, &d.Mode[m])
	}
	for m := range d.Prior {
		v = append(v, &d.Prior[m].Mean, &d.Prior[m].Strength, &d.Prior[m].InverseK)
	}
	return v
}

// round rounds all values to what the encoding holds.
func (d *Dimension) round() {
	for _, v := range append(d.thresholds(), d.values()...) {
		*v = round3(*v)
	}
	for m := range d.Prior {
		d.Prior[m].Mean = max(d.Prior[m].Mean, 0.001)
	}
}

func round3(v float64) float64 { return math.Round(v*1000) / 1000 }

// DecodeParameters reads what AppendBinary wrote and returns the bytes after it.
func DecodeParameters(b []byte) (*Parameters, []byte, error) {
	r := wire.NewReader(b)
	r.Version(parametersVersion)
	p := &Parameters{Bin: r.Varint()}
	for range r.CountUpTo(MaxDimensions) {
		if r.Err() != nil {
			break
		}
		var d Dimension
		for _, v := range d.thresholds() {
			*v = float64(readThousandths(&r)) / 1000
		}
		readPeers(&r, &d)
		readGroups(&r, &d)
		p.Dimensions = append(p.Dimensions, d)
	}
	if err := r.Err(); err != nil {
		return nil, nil, fmt.Errorf("decoding parameters: %w", err)
	}
	return p, r.Rest(), nil
}

// readPeers reads what appendPeers wrote.
func readPeers(r *wire.Reader, d *Dimension) {
	for h := range d.Shape {
		v := r.Uvarint()
		if v > math.MaxUint16 {
			r.Fail("a share of an hour too large")
		}
		d.Shape[h] = uint16(v)
	}
	for _, v := range d.values() {
		*v = float64(readThousandths(r)) / 1000
	}
	for _, q := range d.Prior {
		if q.Mean <= 0 || q.Strength <= 0 || q.InverseK <= 0 {
			r.Fail("a prior that is not above zero")
		}
	}
	for _, mode := range d.Mode {
		if mode <= 0 {
			r.Fail("a common mode that is not above zero")
		}
	}
}

// readThousandths reads a number that a float64 holds exactly.
func readThousandths(r *wire.Reader) int64 {
	v := r.Varint()
	if v < 0 || v > 1<<52 {
		r.Fail("a number below zero or too large")
		return 0
	}
	return v
}
