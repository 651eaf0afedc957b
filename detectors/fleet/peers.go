package fleet

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"

	"github.com/weirhq/weir/internal/wire"
)

// Peers of an identity are those of its dimension that work with the same
// things: the agents who come through the pages of customer care, the customers
// who come through those of the shop. What is usual among nine thousand
// customers says nothing of a new agent, and what agents do is no excuse for a
// new customer. The caller says what an identity works with (Lean, Vote): one
// name, such as the endpoint that most of its events go through, or the role
// that its source gives.
//
// The largest groups have a shape, priors and a mode of their own, drawn towards
// those of the dimension as far as a group is small (a hierarchical model: the
// dimension counts as peersNeeded identities of the group). All others are held
// against the dimension. Thresholds, tail and budget are the dimension's.

// GroupToken returns the number by which a group of peers is known: 32 bits of a
// hash of its name, never zero. Names are no secret.
func GroupToken(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return max(h.Sum32(), 1)
}

// Of returns what an identity is scored with: its group's, or the dimension's
// where the group is not among the largest.
func (p *Parameters) Of(dim int, group uint32) *Dimension {
	d := &p.Dimensions[dim]
	if group == 0 {
		return d
	}
	at, ok := slices.BinarySearchFunc(d.Groups, group, func(g Dimension, token uint32) int { return cmp.Compare(g.token, token) })
	if !ok {
		return d
	}
	return &d.Groups[at]
}

// appendGroups appends the groups of a dimension: of each its token and name,
// and what is its own.
func (d *Dimension) appendGroups(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(d.Groups)))
	for i := range d.Groups {
		g := &d.Groups[i]
		b = wire.AppendText(binary.LittleEndian.AppendUint32(b, g.token), g.Peers)
		b = g.appendPeers(b)
	}
	return b
}

// readGroups reads the groups of a dimension.
func readGroups(r *wire.Reader, d *Dimension) {
	for i := range r.CountUpTo(MaxGroups) {
		if r.Err() != nil {
			return
		}
		g := Dimension{token: r.Uint32(), Peers: r.TextUpTo(maxGroupName), Threshold: d.Threshold, Live: d.Live, Formula: d.Formula, Tail: d.Tail}
		readPeers(r, &g)
		if g.token == 0 || i > 0 && g.token <= d.Groups[i-1].token {
			r.Fail("groups out of order")
		}
		d.Groups = append(d.Groups, g)
	}
}
