package ledger

import (
	"encoding/base64"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is the Merkle tree of RFC 6962 over the records of a ledger, as they stand on the
// topic; so much of it as is needed to add the next. The root of the tree stands for all
// records. The zero value is the tree of an empty ledger.
type Tree struct {
	Size int64       `json:"size"` // number of records
	Edge []tlog.Hash `json:"edge"` // roots of the full subtrees, the largest first; at most 63
}

// Add adds the next record.
func (t *Tree) Add(record []byte) {
	hash, edge := tlog.RecordHash(record), t.Edge
	for n := t.Size; n&1 == 1; n >>= 1 { // each full subtree of the same size
		hash = tlog.NodeHash(edge[len(edge)-1], hash)
		edge = edge[:len(edge)-1]
	}
	// A copy of the tree keeps its own edge.
	t.Edge, t.Size = append(slices.Clone(edge), hash), t.Size+1
}

// Root returns the root of a tree that is not empty.
func (t *Tree) Root() tlog.Hash {
	last := len(t.Edge) - 1
	root := t.Edge[last]
	for _, hash := range slices.Backward(t.Edge[:last]) {
		root = tlog.NodeHash(hash, root)
	}
	return root
}

// stored returns the hashes of a tree as tlog numbers them: those of the edge in their
// places, and nothing in the others, which no proof of what comes after needs.
func (t *Tree) stored() []tlog.Hash {
	out := make([]tlog.Hash, tlog.StoredHashCount(t.Size))
	from := int64(0) // number of the subtree's first record
	for _, h := range t.Edge {
		level := bits.Len64(uint64(t.Size-from)) - 1 // the largest that is full
		out[tlog.StoredHashIndex(level, from>>level)] = h
		from += 1 << level
	}
	return out
}

// ProveSince returns what a witness that has seen the first old of the records needs to
// see that the others were only added: the proof of RFC 6962, one hash a line in base64.
// cut is where the records begin; nil: with the first.
func ProveSince(old int64, cut *Cut, records [][]byte) ([]byte, error) {
	if old == 0 {
		return nil, nil
	}
	var stored []tlog.Hash
	before := int64(0)
	if cut != nil {
		if before = cut.Head.Seq; old < before {
			return nil, fmt.Errorf("proving what was added after record %d: the records up to %d were deleted", old, before)
		}
		stored = cut.Tree.stored()
	}
	reader := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i, r := range records {
		more, err := tlog.StoredHashes(before+int64(i), r, reader)
		if err != nil {
			return nil, fmt.Errorf("hashing a record: %w", err)
		}
		stored = append(stored, more...)
	}
	proof, err := tlog.ProveTree(before+int64(len(records)), old, reader)
	if err != nil {
		return nil, fmt.Errorf("proving what was added after record %d: %w", old, err)
	}
	var out []byte
	for _, h := range proof {
		out = append(base64.StdEncoding.AppendEncode(out, h[:]), '\n')
	}
	return out, nil
}
