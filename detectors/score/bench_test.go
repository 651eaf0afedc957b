package score

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkClose closes an hour with a count of an identity of the common kind.
func BenchmarkClose(b *testing.B) {
	p := Defaults(1, 8)
	rng := rand.New(rand.NewPCG(1, 1))
	counts := make([]Counts, 256)
	for i := range counts {
		counts[i] = Counts{Distinct: float64(5 + rng.IntN(20)), FirstTouch: float64(rng.IntN(5))}
	}
	var s State
	at := nine(&s, monday, 15, p, func() Counts { return counts[rng.IntN(256)] })
	var ev Evidence
	var lesson Lesson
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%8 == 7 {
			at += 16
		}
		at++
		hourly.Close(&s, 0, at, &counts[i%256], p, &ev, &lesson)
	}
}

// BenchmarkSilentWeek closes an hour after a week without work.
func BenchmarkSilentWeek(b *testing.B) {
	p := Defaults(1, 8)
	var s State
	at := nine(&s, monday, 15, p, func() Counts { return Counts{Distinct: 9} })
	var ev Evidence
	b.ReportAllocs()
	for b.Loop() {
		at += 168
		hourly.Close(&s, 0, at, &Counts{}, p, &ev, nil)
	}
}
