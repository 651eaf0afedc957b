package fleet

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
)

// fleetGroup is a group of peers as correlate knows it. Of the largest all is
// kept, of others their size only.
type fleetGroup struct {
	token uint32
	name  string // of those of which all is kept; empty: not known
	fleetSize
	peers *fleetPeers // nil: not among the largest
}

const (
	// MaxGroups is how many groups of a dimension, the largest, are kept whole.
	MaxGroups    = 16
	maxGroupSize = 256 // groups of which the size is
	// groupShape is how many days the dimension's shape counts against a group's
	// own hours.
	groupShape = 5.0
)

// observeGroups folds one bin of the groups of a dimension. Which are the
// largest follows from the totals of all partitions, so neither the order of
// events nor the partitioning shows.
func (e *Model) observeGroups(d *fleetDim, hour int, s *DimSums) {
	for _, token := range s.tokens() {
		g := d.group(token)
		g.today += float64(s.groups[token].Fresh)
		g.name = oneName(g.name, s.groups[token].name)
	}
	d.rankGroups()
	mode := d.modes()
	for _, g := range d.groups {
		if g.peers == nil {
			continue
		}
		from := s.groups[g.token]
		if from == nil {
			from = &groupSums{}
		}
		e.observePeers(g.peers, hour, &from.PeerSums, g.identities(), mode)
	}
}

// Group returns the group of a token, made if it is not known.
func (d *fleetDim) group(token uint32) *fleetGroup {
	at, ok := slices.BinarySearchFunc(d.groups, token, compareGroup)
	if !ok {
		d.groups = slices.Insert(d.groups, at, &fleetGroup{token: token})
	}
	return d.groups[at]
}

func compareGroup(g *fleetGroup, token uint32) int { return cmp.Compare(g.token, token) }

// rankGroups keeps all of the largest groups, the size of some more, and nothing
// of the rest.
func (d *fleetDim) rankGroups() {
	ranked := slices.Clone(d.groups)
	slices.SortFunc(ranked, func(a, b *fleetGroup) int {
		return cmp.Or(cmp.Compare(b.identities(), a.identities()), cmp.Compare(a.token, b.token))
	})
	for i, g := range ranked {
		switch {
		case i >= MaxGroups:
			g.peers, g.name = nil, ""
		case g.peers == nil:
			g.peers = new(fleetPeers)
			g.peers.reset()
		}
	}
	if len(ranked) > maxGroupSize {
		d.groups = ranked[:maxGroupSize]
		slices.SortFunc(d.groups, func(a, b *fleetGroup) int { return cmp.Compare(a.token, b.token) })
	}
}

// groupParameters adds the groups to the parameters of a dimension.
func (e *Model) groupParameters(d *fleetDim, to *Dimension) {
	for _, g := range d.groups {
		if g.peers == nil {
			continue
		}
		of := *to
		of.Groups, of.token, of.Peers = nil, g.token, g.name
		e.peers(&of, g.peers, &d.fleetPeers)
		g.peers.shape(&of.Shape)
		of.round()
		to.Groups = append(to.Groups, of)
	}
}

// HourFactor turns the shape of a dimension into that of a group: each hour is
// multiplied by how much more the group does than the dimension at that time of
// a working or weekend day, as far as it is known.
func (q *fleetPeers) shape(shape *[eventtime.HoursOfWeek]uint16) {
	var wide, hours [Cells]float64
	for h, v := range shape {
		wide[Cell(h)] += float64(v)
		hours[Cell(h)]++
	}
	own, total := 0.0, 0.0
	for i, n := range hours {
		own += n * q.cells[i].value
		total += wide[i]
	}
	if own <= 0 {
		return
	}
	var raw [eventtime.HoursOfWeek]float64
	sum := 0.0
	for h, v := range shape {
		i := Cell(h)
		factor := q.cells[i].value / own / (wide[i] / hours[i] / total)
		n := q.cells[i].n
		raw[h] = float64(v) * (groupShape + n*factor) / (groupShape + n)
		sum += raw[h]
	}
	for h, v := range raw {
		shape[h] = uint16(math.Round(1000 * min(max(v/sum*eventtime.HoursOfWeek, 0.02), 60)))
	}
}

// appendGroups appends what is known of groups. Most numbers of a group are zero,
// of measures that do not occur in it: of runs of them the length is written.
func (d *fleetDim) appendGroups(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(d.groups)))
	for _, g := range d.groups {
		b = binary.LittleEndian.AppendUint32(b, g.token)
		b = wire.AppendFloat64(wire.AppendFloat64(b, g.today), g.live)
		if g.peers == nil {
			b = append(wire.AppendText(b, g.name), 0)
			continue
		}
		b = append(wire.AppendText(b, g.name), 1)
		b = appendSparse(b, g.peers.numbers(nil))
	}
	return b
}

func readFleetGroups(r *wire.Reader, d *fleetDim) {
	for i := range r.CountUpTo(maxGroupSize) {
		if r.Err() != nil {
			return
		}
		g := &fleetGroup{token: r.Uint32()}
		g.today, g.live, g.name = r.Float64(), r.Float64(), r.TextUpTo(maxGroupName)
		switch r.Byte() {
		case 0:
		case 1:
			g.peers = new(fleetPeers)
			readSparse(r, g.peers.numbers(nil))
		default:
			r.Fail("a group that neither has peers nor has none")
		}
		if i > 0 && g.token <= d.groups[i-1].token {
			r.Fail("groups out of order")
		}
		d.groups = append(d.groups, g)
	}
}

// appendSparse writes numbers of which many are zero: pairs of the length of a
// run of zeros and a number, and a last run.
func appendSparse(b []byte, numbers []*float64) []byte {
	zeros := uint64(0)
	for _, v := range numbers {
		if *v == 0 {
			zeros++
			continue
		}
		b = wire.AppendFloat64(binary.AppendUvarint(b, zeros), *v)
		zeros = 0
	}
	return binary.AppendUvarint(b, zeros)
}

// readSparse reads what appendSparse wrote.
func readSparse(r *wire.Reader, numbers []*float64) {
	for r.Err() == nil {
		zeros := r.Uvarint()
		if zeros > uint64(len(numbers)) {
			r.Fail("more zeros than numbers")
			return
		}
		if numbers = numbers[zeros:]; len(numbers) == 0 {
			return
		}
		if *numbers[0] = r.Float64(); *numbers[0] == 0 {
			r.Fail("a zero outside a run of zeros")
		}
		numbers = numbers[1:]
	}
}
