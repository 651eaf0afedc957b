package campaign

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// fleetOf is a fleet of identities whose evidence has the tail that such
// statistics have, each behind one of so many traits.
type fleetOf struct {
	rng    *rand.Rand
	crowd  Crowd
	bin    int64
	traits int
	each   int
}

// hour closes a bin. lift adds to the log evidence of those behind a trait.
func (f *fleetOf) hour(lift func(trait int) float64) []CrowdEvidence {
	sums := make([]CrowdSum, f.traits)
	var all CrowdSum
	for i := range sums {
		s := &sums[i]
		s.Group, s.Trait = "user/network/", fmt.Sprint(i)
		for range f.each {
			log := math.Log(0.3/f.rng.Float64()) + lift(i) // P(e > x) = 0.3/x
			lin := 1 + 0.1*(math.Exp(min(log, 6))-1)
			s.N++
			s.Weak += math.Log(lin)
			s.Linear += lin
			if log >= 1 {
				s.Over++
			}
		}
		all.N += s.N
		all.Linear += s.Linear
		all.Over += s.Over
	}
	for i := range sums {
		sums[i].AllN, sums[i].AllLinear, sums[i].AllOver = all.N, all.Linear, all.Over
	}
	f.bin++
	return f.crowd.Close(f.bin, 24, 2, sums)
}

func newFleetOf(seed uint64) *fleetOf {
	return &fleetOf{rng: rand.New(rand.NewPCG(seed, 9)), traits: 40, each: 8}
}

func calmly(int) float64 { return 0 }

// A month of a calm fleet, in which every hour is drawn anew, opens next to
// nothing: a tenth of the budget of two a day is six.
func TestCrowdKeepsItsBudget(t *testing.T) {
	f := newFleetOf(1)
	opened := 0
	for range 30 * 24 {
		for _, ev := range f.hour(calmly) {
			if ev.Log >= ev.Threshold {
				opened++
			}
		}
	}
	if opened > 6 {
		t.Errorf("a calm month opened %d campaigns", opened)
	}
}

// Eight identities behind one trait, each with evidence of some five nats,
// are found, and only they; a day on which all of the fleet shows the same is
// none of theirs.
func TestCrowdIsFound(t *testing.T) {
	f := newFleetOf(2)
	for range 10 * 24 {
		f.hour(calmly)
	}
	for i, ev := range f.hour(func(trait int) float64 { return 2.5 }) {
		if ev.Log >= ev.Threshold {
			t.Errorf("on a day of everybody's, trait %d stands out: %.1f", i, ev.Log)
		}
	}
	found := f.hour(func(trait int) float64 {
		if trait == 7 {
			return 5
		}
		return 0
	})
	for i, ev := range found {
		if got, want := ev.Log >= ev.Threshold, i == 7; got != want {
			t.Errorf("trait %d: %.1f of %.1f", i, ev.Log, ev.Threshold)
		}
	}
}

// What a trait's identities always show is usual for it, and it reads back.
func TestCrowdLearnsWhatIsUsual(t *testing.T) {
	f := newFleetOf(3)
	always := func(trait int) float64 {
		if trait == 7 {
			return 2
		}
		return 0
	}
	for range 10 * 24 {
		for i, ev := range f.hour(always) {
			if ev.Log >= ev.Threshold && f.bin > 6*24 {
				t.Fatalf("hour %d: trait %d stands out by what is usual for it: %.1f of %.1f", f.bin, i, ev.Log, ev.Threshold)
			}
		}
	}
	if share, known := f.crowd.Share("user/network/", "8"); !known || math.Abs(share-1.0/40) > 0.005 {
		t.Errorf("share %.3f, %v; want a fortieth", share, known)
	}
	if share, _ := f.crowd.Share("user/network/", "7"); share < 0.15 {
		t.Errorf("many who have evidence come through trait 7, its share is %.3f", share)
	}
	b := f.crowd.AppendBinary(nil)
	read, rest, err := DecodeCrowd(b)
	if err != nil || len(rest) > 0 || !bytes.Equal(read.AppendBinary(nil), b) {
		t.Errorf("does not read back: %v", err)
	}
}
