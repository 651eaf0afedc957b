package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// cutOff returns a chain of n records whose first k were cut off, with the cut chained at
// its end, as it would be read. change may change the cut before it is chained.
func cutOff(t *testing.T, n, k int, change func(c *Cut)) (records [][]byte, all [][]byte) {
	t.Helper()
	all, heads := chain(t, n)
	c := &Cut{Head: heads[k-1], Tree: *treeOf(all[:k]...), Below: map[string]int64{"weir.alerts": 3, "weir.ledger": int64(k)}}
	change(c)
	body, err := json.Marshal(map[string]any{"verdict": map[string]any{"id": "v", "kind": CutKind, "dedup_key": c.String(), "author": "dpo", "reason": "a year is over", "time": epoch}})
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := Append(heads[n-1], Verdict, epoch, body)
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, b)
	return all[k:], all
}

// begun verifies records that may begin with a cut.
func begun(records [][]byte, proof Proof, checkpoints ...Checkpoint) Result {
	b := Beginning{Proof: proof}
	for _, r := range records {
		if !b.Add(r) {
			break
		}
	}
	v := Verifier{Checkpoints: checkpoints}
	v.Cut, v.Uncut = b.Cut()
	for i, r := range records {
		v.Add(fmt.Sprint("offset ", i), r)
	}
	return v.End(Head{})
}

// By its cut a ledger can be verified without its older records, and agrees with every
// checkpoint that is not older than the cut. What the cut does not say, or somebody has
// signed who may not, does not count.
func TestCut(t *testing.T) {
	signed := func([]byte) error { return nil }
	as := func(*Cut) {}
	for _, size := range []struct{ n, k int }{{1, 1}, {9, 1}, {9, 4}, {9, 7}, {9, 9}, {40, 31}} {
		records, all := cutOff(t, size.n, size.k, as)
		var outside []Checkpoint
		for i := range all {
			outside = append(outside, checkpointOf(t, all[:i+1]...))
		}
		r := begun(records, signed, outside...)
		if r.Fault != nil || r.Cut == nil || r.Cut.Head.Seq != int64(size.k) || r.Cut.Author != "dpo" || !r.Cut.Time.Equal(epoch) || r.Tree.Root() != treeOf(all...).Root() {
			t.Errorf("%d of %d deleted: %+v, %+v", size.k, size.n, r.Fault, r.Cut)
		}
		if first, err := Parse(records[0]); err != nil || !r.Cut.Left.Equal(first.Time) {
			t.Errorf("%d of %d deleted: what is left is said to begin at %v, %v", size.k, size.n, r.Cut.Left, err)
		}
		if whole := begun(all, signed, outside...); whole.Fault != nil || whole.Cut != nil {
			t.Errorf("with the records still there: %+v, %+v", whole.Fault, whole.Cut)
		}
	}
	records, all := cutOff(t, 9, 4, as)
	_, other := chain(t, 9)
	const unsigned = "it is not signed"
	for name, c := range map[string]struct {
		records [][]byte
		proof   Proof
		kind    FaultKind
		says    string
	}{
		"forged":             {records, func([]byte) error { return errors.New(unsigned) }, Missing, "records 1 to 4 are missing: after record 0 comes record 5; a cut of dpo says that they were deleted, which does not count: " + unsigned},
		"nobody's word":      {records, nil, Missing, "only where the configuration says whose word counts"},
		"more was deleted":   {records[1:], signed, Missing, "records 1 to 5 are missing"},
		"less was deleted":   {all[3:], signed, Missing, "records 1 to 3 are missing"},
		"without its record": {records[:len(records)-1], signed, Missing, "records 1 to 4 are missing"},
		"one more dropped":   {slices.Delete(slices.Clone(records), 1, 2), signed, Missing, "record 6 is missing"},
		"another chain":      {mustCut(t, func(c *Cut) { c.Head.Hash = other[7].Hash }), signed, Missing, "records 1 to 4 are missing"},
		"another tree":       {mustCut(t, func(c *Cut) { c.Tree.Edge = []tlog.Hash{{1}} }), signed, Rewritten, "are not those of the checkpoint"},
	} {
		r := begun(c.records, c.proof, checkpointOf(t, all[:2]...), checkpointOf(t, all[:6]...))
		if r.Fault == nil || r.Fault.Kind != c.kind || !strings.Contains(r.Fault.Text, c.says) {
			t.Errorf("%s: %+v, want it to say %q", name, r.Fault, c.says)
		}
	}
}

func mustCut(t *testing.T, change func(c *Cut)) [][]byte {
	t.Helper()
	records, _ := cutOff(t, 9, 4, change)
	return records
}

// A text that is not exactly that of a cut is none, and what is refused cuts nothing.
func TestParseCut(t *testing.T) {
	records, all := cutOff(t, 9, 7, func(*Cut) {})
	r, err := Parse(records[len(records)-1])
	if err != nil {
		t.Fatal(err)
	}
	c := CutOf(r)
	if c == nil || c.Below["weir.alerts"] != 3 || c.Below["weir.ledger"] != 7 || len(c.Tree.Edge) != 3 {
		t.Fatalf("it is %+v", c)
	}
	text := c.String()
	if again, err := ParseCut(text); err != nil || again.String() != text {
		t.Errorf("%v, %v", again, err)
	}
	for _, wrong := range []string{"", "cut", text + " ", text + " weir.alerts=4", text + " x=y", strings.Replace(text, "cut 7 ", "cut 8 ", 1), strings.Replace(text, "cut 7 ", "cut 07 ", 1), strings.Replace(text, "cut 7 ", "cut -7 ", 1), strings.ToUpper(text)} {
		if c, err := ParseCut(wrong); err == nil {
			t.Errorf("%q is taken for %v", wrong, c)
		}
	}
	if r.Kind = Refusal; CutOf(r) != nil {
		t.Error("a cut that was refused is one")
	}
	if _, err := ProveSince(3, c, all[7:]); err == nil || !strings.Contains(err.Error(), "the records up to 7 were deleted") {
		t.Errorf("%v", err)
	}
}
