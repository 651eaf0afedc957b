package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Cut says where a ledger begins whose older records were deleted, as is their due after
// some time: what its chain and its tree were up to there. It is the text of a signed
// verdict of the kind CutKind, which is chained like any other: who deletes records
// without one is found out.
type Cut struct {
	Head Head // of the last record that is deleted
	Tree Tree // over all that are
	// Below has, by topic, the offset below which records are deleted: those of the
	// ledger, and those of other topics that say the same.
	Below map[string]int64
	// ID, Author, Reason and Time are those of the verdict. They are no part of its text.
	ID, Author, Reason string
	Time               time.Time
	Verdict            json.RawMessage // as it was written, with its signature
	// Left is the time of the first record that is left, once that is known: an author may
	// have deleted more than is due.
	Left time.Time
}

// CutKind is the kind of a verdict whose dedup_key is the text of a Cut.
const CutKind = "cut"

// errCut is what a text is that is no Cut.
var errCut = errors.New("it does not say where a ledger begins")

// String returns the text of a cut: number and hash of the last record, the edge of the
// tree, and the offsets by topic.
func (c *Cut) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %s", CutKind, c.Head.Seq, c.Head.Hash)
	for _, h := range c.Tree.Edge {
		b.WriteString(" " + h.String())
	}
	for _, topic := range slices.Sorted(maps.Keys(c.Below)) {
		fmt.Fprintf(&b, " %s=%d", topic, c.Below[topic])
	}
	return b.String()
}

// ParseCut reads the text of a cut.
func ParseCut(text string) (*Cut, error) {
	words := strings.Fields(text)
	if len(words) < 3 || words[0] != CutKind {
		return nil, errCut
	}
	seq, err := strconv.ParseInt(words[1], 10, 64)
	c := &Cut{Head: Head{Seq: seq}, Tree: Tree{Size: seq}, Below: map[string]int64{}}
	if err != nil || seq < 1 || c.Head.Hash.UnmarshalText([]byte(words[2])) != nil {
		return nil, errCut
	}
	edge := bits.OnesCount64(uint64(seq)) // as many as there are full subtrees
	if words = words[3:]; len(words) < edge {
		return nil, errCut
	}
	for _, word := range words[:edge] {
		h, err := tlog.ParseHash(word)
		if err != nil {
			return nil, errCut
		}
		c.Tree.Edge = append(c.Tree.Edge, h)
	}
	for _, word := range words[edge:] {
		topic, offset, _ := strings.Cut(word, "=")
		if c.Below[topic], err = strconv.ParseInt(offset, 10, 64); err != nil {
			return nil, errCut
		}
	}
	if c.String() != text { // a cut has one text
		return nil, errCut
	}
	return c, nil
}

// CutOf returns the cut that a record chains, nil if it chains none.
func CutOf(r *Record) *Cut {
	var body struct {
		Verdict json.RawMessage `json:"verdict"`
	}
	if r.Kind != Verdict || json.Unmarshal(r.Body, &body) != nil {
		return nil
	}
	return CutOfVerdict(body.Verdict)
}

// CutOfVerdict returns the cut that is the text of a verdict, nil if the verdict is of
// another kind.
func CutOfVerdict(verdict []byte) *Cut {
	var v struct {
		ID, Kind, Author, Reason string
		Time                     time.Time
		Text                     string `json:"dedup_key"`
	}
	if json.Unmarshal(verdict, &v) != nil || v.Kind != CutKind {
		return nil
	}
	c, err := ParseCut(v.Text)
	if err != nil {
		return nil
	}
	c.ID, c.Author, c.Reason, c.Time, c.Verdict = v.ID, v.Author, v.Reason, v.Time, verdict
	return c
}

// MarshalJSON writes what people ask of a cut. One that nobody has signed yet has no author.
func (c *Cut) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Records int64            `json:"records"` // as many were deleted
		Hash    Hash             `json:"hash"`    // of the last of them
		Below   map[string]int64 `json:"below"`
		Author  string           `json:"author,omitempty"`
		Time    time.Time        `json:"time,omitzero"`
		Reason  string           `json:"reason,omitempty"`
		Left    time.Time        `json:"left_from,omitzero"`
	}{c.Head.Seq, c.Head.Hash, c.Below, c.Author, c.Time, c.Reason, c.Left})
}

// Proof returns why the verdict of a cut does not count, nil if it does: somebody who may
// give verdicts has signed it.
type Proof func(verdict []byte) error

// Beginning finds where a ledger begins: it is given the records from the first that is
// there, until it needs no more.
type Beginning struct {
	Proof Proof // nil: no cut counts, since nothing is known of who may make one

	first *Record
	cut   *Cut
	why   error
}

// Add takes in the next record, and reports whether more are needed.
func (b *Beginning) Add(record []byte) bool {
	r, err := Parse(record)
	if err != nil {
		return b.first != nil // a first record that is none begins nothing
	}
	if b.first == nil {
		b.first = r
	}
	if b.first.Seq == 1 {
		return false
	}
	c := CutOf(r)
	if c == nil || c.Head != (Head{b.first.Seq - 1, b.first.Prev}) {
		return true
	}
	if b.Proof == nil {
		b.why = fmt.Errorf("a cut of %s says that they were deleted, which counts only where the configuration says whose word counts", c.Author)
		return true
	}
	if err := b.Proof(c.Verdict); err != nil {
		b.why = fmt.Errorf("a cut of %s says that they were deleted, which does not count: %w", c.Author, err)
		return true
	}
	c.Left = b.first.Time
	b.cut, b.why = c, nil
	return false
}

// Cut returns what is known of the records before the first: the cut that deleted them;
// nil where they are there, or where nothing that counts tells of them, and then, if
// something else does, why that does not count.
func (b *Beginning) Cut() (*Cut, error) { return b.cut, b.why }
