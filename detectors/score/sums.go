package score

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
	dims []dimSums
}

// Resolutions of the fixed-point numbers and histograms.
const (
	fixed       = 1 << 10 // units of a fixed-point number
	ratioStep   = 0.1     // nats, of the log ratio of count to expectation
	ratioCells  = 81      // from -4 to +4
	tailStep    = 0.5     // nats, of the log evidence
	tailFrom    = 2.0     // nats, the lowest edge
	TailCells   = int((MaxLog - tailFrom) / tailStep)
	kCells      = 24  // of the own dispersion, half octaves of 1/k from minInverseK
	settleShare = 0.5 // an identity tells of peers once its level is more than half its own
)

// dimSums are the sums of one dimension.
type dimSums struct {
	scored uint64 // identities closed
	chance uint64 // what their evidence may grow by in a day by chance, fixed point; see Engine.formula
	peerSums
	tail   [TailCells]uint64 // upcrossings of each edge of the log evidence
	groups map[uint32]*groupSums
}

type measureSums struct {
	count    uint64             // total count
	expected uint64             // total expectation, fixed point
	ratio    [ratioCells]uint64 // identities by log ratio of count to expectation without the mode
	weight   uint64             // identities that tell of peers, fixed point, once a day each
	log      int64              // sum of weighted log levels
	logSq    uint64             // and of their squares
	k        [kCells]uint64     // identities by their own 1/k, once a day each
}

func (s *Sums) dim(i int) *dimSums {
	for len(s.dims) <= i {
		s.dims = append(s.dims, dimSums{})
	}
	return &s.dims[i]
}

// of returns the sums of a dimension, which may have none.
func (s *Sums) of(dim int) *dimSums {
	if dim < len(s.dims) {
		return &s.dims[dim]
	}
	return &dimSums{}
}

// widest returns the dimension in which most identities tell of the common mode.
func (s *Sums) widest() int {
	best, most := 0, uint64(0)
	for i := range s.dims {
		n := uint64(0)
		for _, v := range s.dims[i].measures[Distinct].ratio {
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
		if s.dims[i].scored > 0 {
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
	return s.dims[dim].scored
}

// bin takes in a measure's count and expectation.
func (s *measureSums) bin(count, expected, mode float64, settled bool) {
	s.count += uint64(count)
	s.expected += toFixed(expected)
	if usual := expected / mode; settled && usual >= 1 && count > 0 {
		r := math.Log((count + 0.5) / (usual + 0.5))
		s.ratio[bucket(r/ratioStep+(ratioCells-1)/2+0.5, ratioCells)]++
	}
}

// rows takes in a bin with rows.
func (s *measureSums) rows(count float64) {
	if count > 0 {
		s.count += uint64(count)
		s.observe(1, math.Log(count))
	}
}

// observe adds a logarithm to the moments.
func (s *measureSums) observe(w, x float64) {
	s.weight += toFixed(w)
	s.log += int64(math.Round(w * x * fixed))
	s.logSq += toFixed(w * x * x)
}

// TailEdge returns how many edges lie at or below a log evidence.
func TailEdge(log float64) int {
	if log < tailFrom {
		return 0
	}
	return min(int((log-tailFrom)/tailStep)+1, TailCells)
}

func toFixed(v float64) uint64 { return uint64(math.Round(v * fixed)) }

func bucket(v float64, cells int) int { return min(max(int(math.Floor(v)), 0), cells-1) }

// Add adds o to s.
func (s *Sums) Add(o *Sums) {
	for i := range o.dims {
		from, to := &o.dims[i], s.dim(i)
		sums := to.numbers()
		for j, v := range from.numbers() {
			*sums[j] += *v
		}
		to.addLogs(&from.peerSums)
		to.addGroups(from)
	}
}

// numbers lists the unsigned numbers in a fixed order.
func (s *dimSums) numbers() []*uint64 {
	v := make([]*uint64, 0, 4+int(NumMeasures)*(4+ratioCells+kCells)+TailCells)
	v = s.peerSums.numbers(append(v, &s.scored, &s.chance))
	for i := range s.tail {
		v = append(v, &s.tail[i])
	}
	return v
}

const sumsVersion = 3

// AppendBinary appends the canonical encoding; runs of zeros take two bytes.
func (s *Sums) AppendBinary(b []byte) []byte {
	b = append(b, sumsVersion)
	n := len(s.dims)
	for n > 0 && s.dims[n-1].scored == 0 {
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
	n := r.CountUpTo(maxDimensions)
	s := new(Sums)
	for i := 0; i < n && r.Err() == nil; i++ {
		d := s.dim(i)
		readNumbers(&r, d.numbers())
		readLogs(&r, &d.peerSums)
		readGroupSums(&r, d)
	}
	if r.Err() == nil && n > 0 && s.dims[n-1].scored == 0 {
		r.Fail("a last dimension without sums")
	}
	if err := r.Err(); err != nil {
		return nil, nil, fmt.Errorf("decoding sums: %w", err)
	}
	return s, r.Rest(), nil
}
