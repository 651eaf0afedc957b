package fleet

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/weirhq/weir/internal/wire"
)

// Sums are what one detect task tells of one finished bin. All of it is whole
// numbers, so that adding is exact, commutative and associative: whatever the
// partitioning, the total is the same. The zero value is empty.
type Sums struct {
	dims []DimSums
}

// Resolutions of the fixed-point numbers and histograms.
const (
	Fixed       = 1 << 10 // units of a fixed-point number
	ratioStep   = 0.1     // nats, of the log ratio of count to expectation
	ratioCells  = 81      // from -4 to +4
	TailStep    = 0.5     // nats, of the log evidence
	TailFrom    = 2.0     // nats, the lowest edge
	TailCells   = int((MaxLog - TailFrom) / TailStep)
	KCells      = 24  // of the own dispersion, half octaves of 1/k from MinInverseK
	SettleShare = 0.5 // an identity tells of peers once its level is more than half its own
)

// DimSums are the sums of one dimension.
type DimSums struct {
	Scored uint64 // identities closed
	Chance uint64 // what their evidence may grow by in a day by chance, fixed point; see Model.Formula
	PeerSums
	Tail   [TailCells]uint64 // upcrossings of each edge of the log evidence
	groups map[uint32]*groupSums
}

// MeasureSums are the sums of one measure.
type MeasureSums struct {
	count    uint64             // total count
	expected uint64             // total expectation, fixed point
	ratio    [ratioCells]uint64 // identities by log ratio of count to expectation without the mode
	Weight   uint64             // identities that tell of peers, fixed point, once a day each
	Log      int64              // sum of weighted log levels
	LogSq    uint64             // and of their squares
	K        [KCells]uint64     // identities by their own 1/k, once a day each
}

// Dim returns the sums of a dimension, made if they are not there.
func (s *Sums) Dim(i int) *DimSums {
	for len(s.dims) <= i {
		s.dims = append(s.dims, DimSums{})
	}
	return &s.dims[i]
}

// Of returns the sums of a dimension, which may have none.
func (s *Sums) of(dim int) *DimSums {
	if dim < len(s.dims) {
		return &s.dims[dim]
	}
	return &DimSums{}
}

// widest returns the dimension in which most identities tell of the common mode.
func (s *Sums) widest() int {
	best, most := 0, uint64(0)
	for i := range s.dims {
		n := uint64(0)
		for _, v := range s.dims[i].Measures[Distinct].ratio {
			n += v
		}
		if n > most {
			best, most = i, n
		}
	}
	return best
}

// Empty reports whether nothing has been added.
func (s *Sums) Empty() bool {
	for i := range s.dims {
		if s.dims[i].Scored > 0 {
			return false
		}
	}
	return true
}

// Scored returns the number of identities closed in a dimension.
func (s *Sums) Scored(dim int) uint64 {
	if dim >= len(s.dims) {
		return 0
	}
	return s.dims[dim].Scored
}

// Bin takes in a measure's count and expectation.
func (s *MeasureSums) Bin(count, expected, mode float64, settled bool) {
	s.count += uint64(count)
	s.expected += ToFixed(expected)
	if usual := expected / mode; settled && usual >= 1 && count > 0 {
		r := math.Log((count + 0.5) / (usual + 0.5))
		s.ratio[Bucket(r/ratioStep+(ratioCells-1)/2+0.5, ratioCells)]++
	}
}

// Rows takes in a bin with rows.
func (s *MeasureSums) Rows(count float64) {
	if count > 0 {
		s.count += uint64(count)
		s.Observe(1, math.Log(count))
	}
}

// Observe adds a logarithm to the moments.
func (s *MeasureSums) Observe(w, x float64) {
	s.Weight += ToFixed(w)
	s.Log += int64(math.Round(w * x * Fixed))
	s.LogSq += ToFixed(w * x * x)
}

// TailEdge returns how many edges lie at or below a log evidence.
func TailEdge(log float64) int {
	if log < TailFrom {
		return 0
	}
	return min(int((log-TailFrom)/TailStep)+1, TailCells)
}

// ToFixed returns a number in the units of the fixed-point sums.
func ToFixed(v float64) uint64 { return uint64(math.Round(v * Fixed)) }

// Bucket returns the cell of a histogram that a number falls into.
func Bucket(v float64, cells int) int { return min(max(int(math.Floor(v)), 0), cells-1) }

// Add adds o to s.
func (s *Sums) Add(o *Sums) {
	for i := range o.dims {
		from, to := &o.dims[i], s.Dim(i)
		sums := to.numbers()
		for j, v := range from.numbers() {
			*sums[j] += *v
		}
		to.addLogs(&from.PeerSums)
		to.addGroups(from)
	}
}

// numbers lists the unsigned numbers in a fixed order.
func (s *DimSums) numbers() []*uint64 {
	v := make([]*uint64, 0, 4+int(NumMeasures)*(4+ratioCells+KCells)+TailCells)
	v = s.PeerSums.numbers(append(v, &s.Scored, &s.Chance))
	for i := range s.Tail {
		v = append(v, &s.Tail[i])
	}
	return v
}

const sumsVersion = 3

// AppendBinary appends the canonical encoding; runs of zeros take two bytes.
func (s *Sums) AppendBinary(b []byte) []byte {
	b = append(b, sumsVersion)
	n := len(s.dims)
	for n > 0 && s.dims[n-1].Scored == 0 {
		n--
	}
	b = binary.AppendUvarint(b, uint64(n))
	for i := range s.dims[:n] {
		d := &s.dims[i]
		b = d.appendGroups(d.appendLogs(appendNumbers(b, d.numbers())))
	}
	return b
}

// appendNumbers writes numbers of which most are zero.
func appendNumbers(b []byte, numbers []*uint64) []byte {
	zeros := uint64(0)
	for _, v := range numbers {
		if *v == 0 {
			zeros++
			continue
		}
		b = appendZeros(b, zeros)
		zeros = 0
		b = binary.AppendUvarint(b, *v)
	}
	return appendZeros(b, zeros)
}

// readNumbers reads what appendNumbers wrote.
func readNumbers(r *wire.Reader, numbers []*uint64) {
	for j := 0; j < len(numbers) && r.Err() == nil; {
		v := r.Uvarint()
		if v != 0 {
			*numbers[j] = v
			j++
			continue
		}
		run := r.Uvarint()
		if run == 0 || run > uint64(len(numbers)-j) || (r.Len() > 0 && j+int(run) < len(numbers) && r.Rest()[0] == 0) {
			r.Fail("a run of zeros that is none, too long, or in two pieces")
		}
		j += int(run)
	}
}

// appendZeros writes a run of zeros as a zero and its length.
func appendZeros(b []byte, n uint64) []byte {
	if n == 0 {
		return b
	}
	return binary.AppendUvarint(append(b, 0), n)
}

// DecodeSums reads what AppendBinary wrote and returns the bytes after it.
func DecodeSums(b []byte) (*Sums, []byte, error) {
	r := wire.NewReader(b)
	r.Version(sumsVersion)
	n := r.CountUpTo(MaxDimensions)
	s := new(Sums)
	for i := 0; i < n && r.Err() == nil; i++ {
		d := s.Dim(i)
		readNumbers(&r, d.numbers())
		readLogs(&r, &d.PeerSums)
		readGroupSums(&r, d)
	}
	if r.Err() == nil && n > 0 && s.dims[n-1].Scored == 0 {
		r.Fail("a last dimension without sums")
	}
	if err := r.Err(); err != nil {
		return nil, nil, fmt.Errorf("decoding sums: %w", err)
	}
	return s, r.Rest(), nil
}
