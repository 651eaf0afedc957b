package fleet

import (
	"math"
	"unsafe"

	"github.com/weirhq/weir/detectors/score"
)

// Sums are what one detect task tells of one finished bin. All of it is whole
// numbers, so that adding is exact and in any order the same. The zero value is
// empty.
type Sums struct {
	known uint64 // most records that an identity of any dimension has touched
	dims  []dimSums
}

// dimSums are the sums of one dimension.
type dimSums struct {
	dimCounters
	classes map[uint32]*classSums // by token of peers; 0 is everybody
}

// dimCounters are unsigned numbers and nothing else, see numbers.
type dimCounters struct {
	work, off uint64 // identities at work, and of them those at an unusual hour of their own
	of        [standings]struct {
		days, bins uint64                         // closed
		cross      [score.NumGroups][edges]uint64 // upcrossings of each edge of the log evidence
	}
}

// The standings of identities: each has thresholds of its own, since whoever can make up
// names can make up as many crossings of those without a history as he likes.
const (
	newcomer = iota
	known
	standings
)

// classSums are those of peers.
type classSums struct {
	classCounters
	square [standings][score.NumStats]int64 // fixed point
	name   string
}

// classCounters are unsigned numbers and nothing else, see numbers.
type classCounters struct {
	of          [standings]ratioSums
	young       [youth + 1]uint64
	first       [youth + 1][score.PeerMeasures]uint64 // sums of ln(1+count), fixed point
	firstSquare [youth + 1][score.PeerMeasures]uint64 // of its squares, fixed point
	day, bin    [ratioCells]uint64                    // identities by count against mean
	days        uint64
}

// ratioSums are what bins and days of those of a standing said; unsigned numbers and
// nothing else.
type ratioSums struct {
	tail   [score.NumStats][tailCells]uint64 // bins by log mean ratio
	low    [score.NumStats]uint64            // evidence of those in the lowest cell, fixed point
	weight [score.NumStats]uint64            // fixed point
}

// numbers returns the counters in their order, which is that of the binary form. They
// are the counters themselves: most are zero, so they are added, written and read in
// one go and not each by its name.
func (c *classCounters) numbers() []uint64 { return numbers(c) }

func (d *dimCounters) numbers() []uint64 { return numbers(d) }

// numbers returns a struct of unsigned numbers as their list.
func numbers[T classCounters | dimCounters](v *T) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(v)), unsafe.Sizeof(*v)/unsafe.Sizeof(uint64(0)))
}

// Resolutions.
const (
	fixed      = 1 << 10
	youth      = 5
	edges      = 2 * (score.MaxLog - edgeFrom)
	edgeFrom   = 1  // nats
	ratioCells = 81 // tenths of a nat, from -4 to +4
	tailCells  = 96 // twelve to a decade, from tailFrom on
	tailFrom   = 0.05
)

func (s *Sums) dim(i int) *dimSums {
	for len(s.dims) <= i {
		s.dims = append(s.dims, dimSums{classes: map[uint32]*classSums{}})
	}
	return &s.dims[i]
}

// standing returns the standing of an identity.
func standing(l *score.Sample) int {
	if l.Known {
		return known
	}
	return newcomer
}

func (d *dimSums) class(token uint32) *classSums {
	c := d.classes[token]
	if c == nil {
		c = &classSums{}
		d.classes[token] = c
	}
	return c
}

// Add takes in what a closed bin of an identity told.
func (s *Sums) Add(dim int, l *score.Sample) {
	d := s.dim(dim)
	s.known = max(s.known, uint64(l.Seen))
	x, was := &d.of[standing(l)], l.Was
	if l.Known && l.Days > 0 && l.Young < youth { // is known from now on: it has crossed nothing among them
		clear(was[:])
	}
	x.days += uint64(l.Days)
	x.bins += uint64(l.Bins)
	if l.Work {
		d.work++
		if l.Off {
			d.off++
		}
	}
	for g := range x.cross {
		for i := edgeOf(float64(was[g])); i < edgeOf(float64(l.Is[g])); i++ {
			x.cross[g][i]++
		}
	}
	d.class(0).add(l)
	if l.Token != 0 {
		d.class(l.Token).add(l)
	}
}

func (c *classSums) add(l *score.Sample) {
	c.days += uint64(l.Days)
	x := &c.of[standing(l)]
	for st, n := range l.N {
		for i := range n {
			at := tailCell(l.X[st][i])
			x.tail[st][at]++
			if at == 0 {
				x.low[st] += uint64(math.Exp(l.X[st][i]) * fixed)
			}
		}
		c.square[standing(l)][st] += int64(math.Round(l.Square[st] * fixed))
		x.weight[st] += uint64(math.Round(l.Weight[st] * fixed))
	}
	if l.Days > 0 {
		c.young[l.Young]++
		for m, n := range l.First {
			log := math.Log1p(n)
			c.first[l.Young][m] += uint64(math.Round(log * fixed))
			c.firstSquare[l.Young][m] += uint64(math.Round(log * log * fixed))
		}
	}
	if l.HasDay {
		c.day[ratioCell(l.DayRatio)]++
	}
	if l.HasBin {
		c.bin[ratioCell(l.BinRatio)]++
	}
}

// edgeOf returns how many edges lie at or below a log evidence.
func edgeOf(log float64) int {
	if log < edgeFrom {
		return 0
	}
	return min(int(2*(log-edgeFrom))+1, edges)
}

func ratioCell(r float64) int {
	return min(max(int(math.Floor(r*10+(ratioCells-1)/2+0.5)), 0), ratioCells-1)
}

// tailCell returns the cell of a log mean ratio; tailEdge is its lower end, and
// tailMiddle between that and the next.
func tailCell(x float64) int {
	if x <= tailFrom {
		return 0
	}
	return min(tailCells-1, 1+int(12*math.Log10(x/tailFrom)))
}

var tailEdge, tailMiddle = func() (edge [tailCells + 1]float64, middle [tailCells]float64) {
	for i := 1; i <= tailCells; i++ {
		edge[i] = tailFrom * math.Pow(10, float64(i-1)/12)
	}
	for i := range middle {
		middle[i] = math.Sqrt(edge[i] * edge[i+1])
	}
	return edge, middle
}()

// Empty reports whether nothing has been added.
func (s *Sums) Empty() bool {
	for i := range s.dims {
		if len(s.dims[i].classes) > 0 {
			return false
		}
	}
	return true
}

// Name says what the peers of a token work with; of two names the last in the
// alphabet holds.
func (s *Sums) Name(dim int, token uint32, name string) {
	c := s.dim(dim).class(token)
	c.name = max(c.name, name)
}
