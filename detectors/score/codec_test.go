package score

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/internal/wire"
	"pgregory.net/rapid"
)

// lived returns a state with some life behind it.
func lived(e *Engine, p *fleet.Parameters, seed uint64, bins int, mean float64) State {
	rng := rand.New(rand.NewPCG(seed, 8))
	var s State
	bin := int64(monday)
	for range bins {
		bin += int64(1 + rng.IntN(3)*rng.IntN(12))
		c := negBinomial(rng, mean, 2)
		e.Close(&s, 0, bin, fleet.Counts{c, math.Floor(c / 4)}, p, nil)
		s.Vote(rng.Uint32N(4)) // 0: worked with nothing
		if rng.IntN(10) == 0 {
			e.Late(&s, 0, bin-int64(rng.IntN(60)), fleet.Counts{3, 1}, p)
		}
	}
	return s
}

// TestStateCodec: a state that was written and read back is the same in every
// later decision, and equal states are equal bytes.
func TestStateCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, p := oneDimension()
		s := lived(e, p, rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 300).Draw(t, "bins"), rapid.SampledFrom([]float64{0.2, 5, 3000}).Draw(t, "mean"))
		b := s.AppendBinary([]byte("before"))[6:]
		back, rest, err := DecodeState(append(bytes.Clone(b), "after"...))
		if err != nil || string(rest) != "after" {
			t.Fatalf("%v, rest %q", err, rest)
		}
		if !bytes.Equal(back.AppendBinary(nil), b) {
			t.Fatal("written again it is other bytes")
		}
		bin := s.LastBin()
		clone := s.Clone()
		for i := range int64(60) {
			x := e.Close(&s, 0, bin+1+i*3, fleet.Counts{float64(i), 2}, p, nil)
			y := e.Close(&back, 0, bin+1+i*3, fleet.Counts{float64(i), 2}, p, nil)
			if x != y {
				t.Fatalf("decides otherwise: %+v, %+v", x, y)
			}
		}
		if !bytes.Equal(s.AppendBinary(nil), back.AppendBinary(nil)) {
			t.Fatal("lives on otherwise")
		}
		if !bytes.Equal(clone.AppendBinary(nil), b) {
			t.Fatal("what the state lives through shows in its clone")
		}
	})
}

// TestStateBytes holds the size of what is written per identity.
func TestStateBytes(t *testing.T) {
	e, p := oneDimension()
	small := lived(e, p, 1, 3, 3)
	if n := len(small.AppendBinary(nil)); n > 120 {
		t.Errorf("an identity of three bins takes %d bytes", n)
	}
	large := lived(e, p, 2, 2000, 300)
	if n := len(large.AppendBinary(nil)); n > 900 {
		t.Errorf("an identity of two thousand bins takes %d bytes", n)
	}
}

func TestDecodeFaults(t *testing.T) {
	e, p := oneDimension()
	s := lived(e, p, 1, 100, 20)
	whole := s.AppendBinary(nil)
	for n := range whole {
		if _, _, err := DecodeState(whole[:n]); !errors.Is(err, wire.ErrCorrupt) {
			t.Fatalf("cut after %d bytes of %d: %v", n, len(whole), err)
		}
	}
	other := bytes.Clone(whole)
	other[0]++
	if _, _, err := DecodeState(other); !errors.Is(err, wire.ErrCorrupt) {
		t.Errorf("another version: %v", err)
	}
	if _, _, err := e.DecodeFleet(NewEngine(Config{Dimensions: []string{"a", "b"}}).NewFleet().AppendBinary(nil)); !errors.Is(err, wire.ErrCorrupt) {
		t.Errorf("a fleet of two dimensions where one is configured: %v", err)
	}
}

// randomSums draws sums as Close makes them.
func randomSums(e *Engine, p *fleet.Parameters, seed uint64, identities int) []*fleet.Sums {
	parts := make([]*fleet.Sums, identities)
	for i := range parts {
		parts[i] = new(fleet.Sums)
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		s := lived(e, p, rng.Uint64(), rng.IntN(200), 10)
		for dim := range len(p.Dimensions) {
			if rng.IntN(3) > 0 {
				c := negBinomial(rng, 20, 1)
				own := s
				name := fmt.Sprint("GET /", rng.IntN(5))
				own.Lean(fleet.GroupToken(name))
				own.Vote(fleet.GroupToken(name))
				parts[i].Name(dim, name)
				e.Close(&own, dim, max(s.LastBin(), monday)+1, fleet.Counts{c, math.Floor(c / 2)}, p, parts[i])
			}
		}
	}
	return parts
}

// TestSumsPartitioning: whatever way identities are spread over partitions, and
// in whatever order the partitions tell, the total is the same, byte for byte,
// also when it went over the wire.
func TestSumsPartitioning(t *testing.T) {
	e := NewEngine(Config{Dimensions: []string{"user", "key", "client"}})
	p := e.DefaultParameters()
	rapid.Check(t, func(t *rapid.T) {
		parts := randomSums(e, p, rapid.Uint64().Draw(t, "seed"), 12)
		var whole fleet.Sums
		for _, s := range parts {
			whole.Add(s)
		}
		partitions := make([]fleet.Sums, rapid.IntRange(1, 5).Draw(t, "partitions"))
		for _, s := range rapid.Permutation(parts).Draw(t, "order") {
			partitions[rapid.IntRange(0, len(partitions)-1).Draw(t, "partition")].Add(s)
		}
		var total fleet.Sums
		for i := range partitions {
			b := partitions[i].AppendBinary(nil)
			s, rest, err := fleet.DecodeSums(b)
			if err != nil || len(rest) != 0 {
				t.Fatalf("%v, %d bytes left", err, len(rest))
			}
			if !bytes.Equal(s.AppendBinary(nil), b) {
				t.Fatal("written again it is other bytes")
			}
			total.Add(s)
		}
		if !bytes.Equal(total.AppendBinary(nil), whole.AppendBinary(nil)) {
			t.Fatal("the totals differ")
		}
	})
}

func TestSumsEmpty(t *testing.T) {
	e, p := oneDimension()
	var s fleet.Sums
	if !s.Empty() || len(s.AppendBinary(nil)) != 2 {
		t.Error("the zero sums are not empty")
	}
	var id State
	e.Close(&id, 0, monday, fleet.Counts{1, 1}, p, &s)
	if s.Empty() || s.Scored(0) != 1 || s.Scored(7) != 0 {
		t.Error("one closed bin leaves them empty")
	}
	t.Logf("sums of one identity: %d bytes", len(s.AppendBinary(nil)))
}

// TestFleetCodec: fleet and parameters survive being written.
func TestFleetCodec(t *testing.T) {
	c := newCompany(2, append(staff(9, 30), shop(9, 50, 20)...))
	c.run(9)
	if n := len(c.params.Dimensions[0].Groups); n != 2 {
		t.Fatalf("%d groups, want 2", n)
	}
	b := c.fleet.AppendBinary(nil)
	back, rest, err := c.engine.DecodeFleet(b)
	if err != nil || len(rest) != 0 || !bytes.Equal(back.AppendBinary(nil), b) {
		t.Fatalf("%v, %d bytes left", err, len(rest))
	}
	next := c.fleet.Bin() + 5
	clone := c.fleet.Clone()
	x := c.engine.CloseBin(c.fleet, next, new(fleet.Sums))
	if !bytes.Equal(clone.AppendBinary(nil), b) {
		t.Fatal("a clone is another fleet, or changes with the fleet that it was made of")
	}
	y := c.engine.CloseBin(back, next, new(fleet.Sums))
	if !reflect.DeepEqual(x, y) {
		t.Fatal("the fleet that was read makes other parameters")
	}
	wire := x.AppendBinary(nil)
	t.Logf("fleet %d bytes, parameters %d bytes of a dimension and two groups", len(b), len(wire))
	z, rest, err := fleet.DecodeParameters(wire)
	if err != nil || len(rest) != 0 || !reflect.DeepEqual(x, z) {
		t.Fatalf("parameters came back as others: %v", err)
	}
}

func FuzzDecodeState(f *testing.F) {
	e, p := oneDimension()
	for seed := range uint64(4) {
		s := lived(e, p, seed, int(seed)*50, 20)
		f.Add(s.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, rest, err := DecodeState(b)
		if err != nil {
			return
		}
		if again := s.AppendBinary(nil); !bytes.Equal(again, b[:len(b)-len(rest)]) {
			t.Fatalf("accepted %x, writes %x", b, again)
		}
		e.Close(&s, 0, s.LastBin()+3, fleet.Counts{5, 2}, p, new(fleet.Sums))
		e.Late(&s, 0, s.LastBin()-1, fleet.Counts{5, 2}, p)
	})
}

func FuzzDecodeSums(f *testing.F) {
	e, p := oneDimension()
	for _, s := range randomSums(e, p, 1, 4) {
		f.Add(s.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, rest, err := fleet.DecodeSums(b)
		if err != nil {
			return
		}
		if again := s.AppendBinary(nil); !bytes.Equal(again, b[:len(b)-len(rest)]) {
			t.Fatalf("accepted %x, writes %x", b, again)
		}
		e.CloseBin(e.NewFleet(), 5, s)
	})
}

func FuzzDecodeParameters(f *testing.F) {
	e, p := oneDimension()
	f.Add(p.AppendBinary(nil))
	c := newCompany(2, shop(9, 20, 5))
	c.run(2)
	f.Add(c.params.AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, rest, err := fleet.DecodeParameters(b)
		if err != nil {
			return
		}
		if again := q.AppendBinary(nil); !bytes.Equal(again, b[:len(b)-len(rest)]) {
			t.Fatalf("accepted %x, writes %x", b, again)
		}
		if len(q.Dimensions) > 0 {
			var s State
			e.Close(&s, 0, 5, fleet.Counts{5, 2}, q, nil)
		}
	})
}

func FuzzDecodeEpisode(f *testing.F) {
	ep := episode.Episode{Dimension: "user", Identity: "a", First: 5, Announced: -3, Severity: episode.High}
	f.Add(ep.AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		ep, rest, err := episode.Decode(b)
		if err != nil {
			return
		}
		if again := ep.AppendBinary(nil); !bytes.Equal(again, b[:len(b)-len(rest)]) {
			t.Fatalf("accepted %x, writes %x", b, again)
		}
	})
}
