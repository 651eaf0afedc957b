package campaign

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/wire"
	"pgregory.net/rapid"
)

// Sums by trait are a function of the set of identities, however these are
// spread over partitions, also past every bound.
func TestTraitSumsPartitioning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, spread := rapid.IntRange(1, 60).Draw(t, "identities"), rapid.SampledFrom([]int{1, 3, 5000}).Draw(t, "traits")
		whole, parts := new(TraitSums), []*TraitSums{{}, {}, {}}
		for i := range n {
			m := &ActiveIdentity{
				Dimension: i % 2, Identity: fmt.Sprint("u", i), Log: rapid.Float64Range(-50, 50).Draw(t, "log"),
				Observed: float64(rapid.IntRange(0, 1000).Draw(t, "observed")),
			}
			for j := range rapid.IntRange(0, 40).Draw(t, "own") {
				m.Traits = append(m.Traits, trait.Trait{Dimension: 2 + j%2, Identity: fmt.Sprint("t", (i*41+j)%spread)})
			}
			whole.Add(m)
			parts[rapid.IntRange(0, 2).Draw(t, "partition")].Add(m)
		}
		merged := new(TraitSums)
		for _, p := range parts {
			read, err := DecodeTraitSums(p.AppendBinary(nil))
			if err != nil {
				t.Fatal(err)
			}
			merged.Merge(read)
		}
		if !bytes.Equal(whole.AppendBinary(nil), merged.AppendBinary(nil)) {
			t.Fatal("three partitions together differ from one")
		}
	})
}

// Of a trait that is beyond the bound nothing is told, of those within it all.
func TestTraitSumsAreBounded(t *testing.T) {
	s := new(TraitSums)
	for i := range 3 * MaxSharedTraits {
		s.Add(&ActiveIdentity{Identity: fmt.Sprint("u", i), Log: 5, Traits: []trait.Trait{{Dimension: 1, Identity: fmt.Sprint("n", i)}, {Dimension: 2, Identity: "one"}}})
	}
	read, err := DecodeTraitSums(s.AppendBinary(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(read.Keys()); got != MaxSharedTraits+1 {
		t.Errorf("%d traits are kept, want %d", got, MaxSharedTraits+1)
	}
	if of := read.Of(0, trait.Trait{Dimension: 2, Identity: "one"}); of.N != 3*MaxSharedTraits || of.Over != of.N || len(of.Top) != maxTraitMembers || of.Top[0].Identity != "u0" {
		t.Errorf("the shared one has %d, %d over, top %v", of.N, of.Over, of.Top)
	}
}

func FuzzDecodeTraitSums(f *testing.F) {
	s := new(TraitSums)
	s.Add(&ActiveIdentity{Identity: "u", Log: 3, Traits: []trait.Trait{{Dimension: 1, Identity: "n"}}})
	f.Add(s.AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeTraitSums(b)
		if err != nil {
			if !errors.Is(err, wire.ErrCorrupt) {
				t.Fatalf("%v is not wire.ErrCorrupt", err)
			}
			return
		}
		if _, err := DecodeTraitSums(s.AppendBinary(nil)); err != nil {
			t.Fatalf("does not read back: %v", err)
		}
	})
}
