package ledger

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var epoch = time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC)

// chain returns a ledger of n records and their heads.
func chain(t testing.TB, n int) (records [][]byte, heads []Head) {
	t.Helper()
	var head Head
	kinds := []Kind{Alert, Alert, Verdict, Config, Suppression}
	for i := range n {
		b, next, err := Append(head, kinds[i%len(kinds)], epoch.Add(time.Duration(i)*time.Minute), fmt.Appendf(nil, `{"n": %d, "who": "<kim>"}`, i+1))
		if err != nil {
			t.Fatal(err)
		}
		records, heads, head = append(records, b), append(heads, next), next
	}
	return records, heads
}

// verify reads a ledger from its first record to its last.
func verify(records [][]byte, known Head, checkpoints ...Checkpoint) Result {
	v := Verifier{Checkpoints: checkpoints}
	for i, b := range records {
		v.Add(fmt.Sprint("offset ", i), b)
	}
	return v.End(known)
}

// The form is what auditors hold on to: it never changes.
func TestForm(t *testing.T) {
	records, heads := chain(t, 2)
	want := `{"seq":2,"prev":"` + heads[0].Hash.String() + `","kind":"alert","time":"2026-03-03T15:01:00.000Z","body":{"n":2,"who":"<kim>"},"hash":"` + heads[1].Hash.String() + `"}`
	if string(records[1]) != want {
		t.Errorf("got  %s\nwant %s", records[1], want)
	}
	if got := heads[0].Hash.String(); got != "653a2f30b88917b1df5dd5e8d489c422951e473914d45e2e0dcf5dfc6e85f227" {
		t.Errorf("the first hash is %s", got)
	}
	if got, err := HeadOf(records[1]); err != nil || got != heads[1] {
		t.Errorf("the head of the second is %v, %v", got, err)
	}
	if _, _, err := Append(Head{}, "gossip", epoch, []byte(`{}`)); err == nil {
		t.Error("a kind that there is not was chained")
	}
	if _, _, err := Append(Head{}, Alert, epoch, []byte(`{`)); err == nil {
		t.Error("a body that is no JSON was chained")
	}
}

func TestVerify(t *testing.T) {
	whole, heads := chain(t, 9)
	forge := func(seq int64, prev Hash) []byte { // a record that is whole in itself
		b, _, err := Append(Head{seq - 1, prev}, Alert, epoch, []byte(`{"n":"forged"}`))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		name  string
		do    func(r [][]byte) [][]byte
		known Head
		kind  FaultKind
		seq   int64
		where string
		says  string
	}{
		{name: "whole", do: func(r [][]byte) [][]byte { return r }},
		{name: "whole, and as the state knows it", do: func(r [][]byte) [][]byte { return r }, known: heads[8]},
		{name: "empty", do: func([][]byte) [][]byte { return nil }},
		{name: "a changed byte", do: func(r [][]byte) [][]byte {
			r[4] = bytes.Replace(r[4], []byte("kim"), []byte("kam"), 1)
			return r
		}, kind: Altered, seq: 5, where: "offset 4", says: "altered"},
		{name: "a changed byte of the last", do: func(r [][]byte) [][]byte {
			r[8] = bytes.Replace(r[8], []byte("kim"), []byte("kam"), 1)
			return r
		}, kind: Altered, seq: 9, where: "offset 8"},
		{name: "something else", do: func(r [][]byte) [][]byte { r[4] = []byte("hello"); return r }, kind: Altered, seq: 5, where: "offset 4", says: "no record"},
		{name: "a tombstone", do: func(r [][]byte) [][]byte { r[4] = nil; return r }, kind: Altered, seq: 5, where: "offset 4"},
		{name: "dropped", do: func(r [][]byte) [][]byte { return slices.Delete(r, 4, 5) }, kind: Missing, seq: 5, where: "offset 4", says: "record 5 is missing"},
		{name: "three dropped", do: func(r [][]byte) [][]byte { return slices.Delete(r, 4, 7) }, kind: Missing, seq: 5, where: "offset 4", says: "records 5 to 7 are missing"},
		{name: "the first dropped", do: func(r [][]byte) [][]byte { return r[1:] }, kind: Missing, seq: 1, where: "offset 0"},
		{name: "two swapped", do: func(r [][]byte) [][]byte { r[4], r[5] = r[5], r[4]; return r }, kind: Moved, seq: 5, where: "offset 4", says: "stands further down, at offset 5"},
		{name: "two far ones swapped", do: func(r [][]byte) [][]byte { r[1], r[7] = r[7], r[1]; return r }, kind: Moved, seq: 2, where: "offset 1", says: "at offset 7"},
		{name: "a copy inserted", do: func(r [][]byte) [][]byte { return slices.Insert(r, 4, r[1]) }, kind: Inserted, seq: 2, where: "offset 4"},
		{name: "a forged one inserted after its twin", do: func(r [][]byte) [][]byte {
			return slices.Insert(r, 5, forge(5, heads[3].Hash))
		}, kind: Inserted, seq: 5, where: "offset 5", says: "the second was inserted"},
		{name: "a forged one inserted before its twin", do: func(r [][]byte) [][]byte {
			return slices.Insert(r, 4, forge(5, heads[3].Hash))
		}, kind: Inserted, seq: 5, where: "offset 4", says: "the first was inserted"},
		{name: "one written anew", do: func(r [][]byte) [][]byte { r[4] = forge(5, heads[3].Hash); return r }, kind: Rewritten, seq: 5, where: "offset 4"},
		{name: "the first written anew", do: func(r [][]byte) [][]byte { r[0] = forge(1, heads[3].Hash); return r }, kind: Rewritten, seq: 1},
		{name: "the end cut off", do: func(r [][]byte) [][]byte { return r[:6] }, known: heads[8], kind: Truncated, seq: 7, where: "offset 5", says: "the end was cut off"},
		{name: "all cut off", do: func([][]byte) [][]byte { return nil }, known: heads[8], kind: Truncated, seq: 1},
		{name: "the end written anew", do: func(r [][]byte) [][]byte { r[8] = forge(9, heads[7].Hash); return r }, known: heads[8], kind: Rewritten, seq: 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := verify(c.do(slices.Clone(whole)), c.known)
			if c.kind == "" {
				if got.Fault != nil {
					t.Fatalf("found %+v", got.Fault)
				}
				return
			}
			if f := got.Fault; f == nil || f.Kind != c.kind || f.Seq != c.seq || c.where != "" && f.Where != c.where || !strings.Contains(f.Text, c.says) {
				t.Fatalf("found %+v, want %s at record %d, %s, saying %q", f, c.kind, c.seq, c.where, c.says)
			}
		})
	}
}

// Whatever one thing is done to a ledger, it is found, and what is named is
// where it was done.
func TestVerifyLaw(t *testing.T) {
	whole, _ := chain(t, 12)
	checkpoint := checkpointOf(t, whole...)
	rapid.Check(t, func(t *rapid.T) {
		r := slices.Clone(whole)
		at := rapid.IntRange(0, len(r)-1).Draw(t, "at")
		other := rapid.IntRange(0, len(r)-1).Filter(func(i int) bool { return i != at }).Draw(t, "other")
		seq := int64(at + 1)
		what := rapid.SampledFrom([]string{"change", "drop", "swap", "insert", "cut"}).Draw(t, "what")
		switch what {
		case "change":
			b := slices.Clone(r[at])
			i := rapid.IntRange(0, len(b)-1).Draw(t, "byte")
			b[i] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
			r[at] = b
		case "drop":
			r = slices.Delete(r, at, at+1)
		case "swap":
			r[at], r[other] = r[other], r[at]
			seq = int64(min(at, other) + 1)
		case "insert":
			r = slices.Insert(r, at, r[other])
		case "cut":
			r = r[:at]
		}
		got := verify(r, Head{}, checkpoint)
		if got.Fault == nil {
			t.Fatalf("%s at %d was not found", what, at)
		}
		if what != "insert" && got.Fault.Seq != seq {
			t.Fatalf("%s of record %d: %+v", what, seq, got.Fault)
		}
	})
}

// Nothing that stands on the topic can make a reader fail otherwise than by an
// error.
func FuzzParse(f *testing.F) {
	records, _ := chain(f, 2)
	f.Add(records[1])
	f.Add([]byte(`{"seq":1,"hash":"` + strings.Repeat("0", 64) + `"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Parse(b); err == nil && !bytes.Equal(b[len(b)-tailLen:], appendTail(nil, sha256.Sum256(b[:len(b)-tailLen]))) {
			t.Error("a record is whose hash is another")
		}
		var v Verifier
		v.Add("offset 0", b)
		v.End(Head{})
	})
}
