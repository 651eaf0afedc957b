package score

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
)

// closing returns what closes an hour with a count of an identity of the common kind.
func closing() func() {
	p := Defaults(1, 8)
	for st := range p.Dimensions[0].Classes[0].Tail {
		p.Dimensions[0].Classes[0].Tail[st] = Tail{At: 2, LogOver: -4.5, Scale: 1.5, Shape: 0.2, Excess: 0.1}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	counts := make([]Counts, 256)
	for i := range counts {
		counts[i] = Counts{Distinct: float64(5 + rng.IntN(20)), FirstTouch: float64(rng.IntN(5))}
	}
	var s State
	at := nine(&s, monday, 15, p, func() Counts { return counts[rng.IntN(256)] })
	var ev Evidence
	var sample Sample
	i := 0
	return func() {
		if i%8 == 7 {
			at += 16
		}
		at++
		hourly.Close(&s, 0, at, &counts[i%256], p, &ev, &sample)
		i++
	}
}

// silentWeek returns what closes an hour after a week without work.
func silentWeek() func() {
	p := Defaults(1, 8)
	var s State
	at := nine(&s, monday, 15, p, func() Counts { return Counts{Distinct: 9} })
	var ev Evidence
	return func() {
		at += 168
		hourly.Close(&s, 0, at, &Counts{}, p, &ev, nil)
	}
}

// sampleNative is an event of the size and shape of most.
const sampleNative = `{"time":"2026-03-01T09:15:27.123Z","id":"01HV3Z5J2K9Q","action":"read","actor":"alice.kim","key_id":"key-2025-11","session":"tok-8f3a9b2c","ip":"10.20.30.40","client":"crm-web/4.2.1","endpoint":"GET /customers","records":["c104733"]}`

// decoding returns what decodes a native event.
func decoding(t testing.TB) func() {
	format, err := files.LoadFormat("native")
	if err != nil {
		t.Fatal(err)
	}
	d, line := format.NewDecoder(), []byte(sampleNative)
	yield := func(ev *event.Event, _ *event.Reject) {
		if ev == nil {
			t.Fatal("not decoded")
		}
	}
	return func() { d.Decode(line, yield) }
}

func benchmark(b *testing.B, run func()) {
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}

func BenchmarkClose(b *testing.B)      { benchmark(b, closing()) }
func BenchmarkSilentWeek(b *testing.B) { benchmark(b, silentWeek()) }
func BenchmarkDecode(b *testing.B)     { benchmark(b, decoding(b)) }

// TestSpeed prints what a bin with a count and a silent week cost beside the decoding
// of a native event: medians of rounds that take turns.
func TestSpeed(t *testing.T) {
	if os.Getenv("WEIR_LAB") == "" {
		t.Skip("WEIR_LAB is not set")
	}
	runs := [...]func(){decoding(t), closing(), silentWeek()}
	var times [len(runs)][]float64
	for range 101 {
		for i, run := range runs {
			start := time.Now()
			for range 1000 {
				run()
			}
			times[i] = append(times[i], float64(time.Since(start).Nanoseconds())/1000)
		}
	}
	var m [len(runs)]float64
	for i := range runs {
		slices.Sort(times[i])
		m[i] = times[i][len(times[i])/2]
	}
	t.Logf("decoding an event %.0f ns, a bin %.0f (%.2f), a silent week %.0f (%.2f)", m[0], m[1], m[1]/m[0], m[2], m[2]/m[0])
}
