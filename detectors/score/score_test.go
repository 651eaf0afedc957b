package score

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var hourly = NewEngine(time.Hour, time.UTC, DefaultTuning())

// monday is the bin of Monday, 2026-03-02 00:00 UTC.
const monday = int64(1772409600 / 3600)

func distinct(n float64) *Counts { return &Counts{Distinct: n} }

// nine lets an identity work from nine to five on so many working days, and returns
// the bin of the next day's midnight.
func nine(s *State, from int64, days int, p *Parameters, counts func() Counts) int64 {
	var ev Evidence
	for range days {
		for hourly.Day(from)%7 == 2 || hourly.Day(from)%7 == 3 { // Saturday, Sunday
			from += 24
		}
		for h := int64(9); h < 17; h++ {
			c := counts()
			hourly.Close(s, 0, from+h, &c, p, &ev, nil)
		}
		from += 24
	}
	return from
}

// The mean likelihood ratio under the null is one.
func TestMeanRatioIsOne(t *testing.T) {
	lnNB := func(c, mu, k float64) float64 {
		a, _ := math.Lgamma(c + k)
		b, _ := math.Lgamma(k)
		f, _ := math.Lgamma(c + 1)
		return a - b - f + k*math.Log(k/(k+mu)) + c*math.Log(mu/(k+mu))
	}
	for _, mu := range []float64{0.5, 2, 40} {
		for _, k := range []float64{0.4, 1.5, 5} {
			var sum ratios
			for c := 0.0; c < 20_000; c++ {
				l := countRatios(c, mu, k)
				for i := range sum {
					sum[i] += math.Exp(l[i] + lnNB(c, mu, k))
				}
			}
			for i, v := range sum {
				if math.Abs(v-1) > 1e-3 {
					t.Errorf("mean %v, k %v, rate %v: the mean ratio is %v", mu, k, Rates[i], v)
				}
			}
		}
	}
	lnBB := func(f, n, q, phi float64) float64 {
		lg := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
		return lg(n+1) - lg(f+1) - lg(n-f+1) + lg(f+phi*q) + lg(n-f+phi*(1-q)) - lg(n+phi) - lg(phi*q) - lg(phi*(1-q)) + lg(phi)
	}
	for _, n := range []float64{1, 30, 500} {
		sum := 0.0
		for f := 0.0; f <= n; f++ {
			var l ratios
			l.addShares(f, n, 0.2, &[NumRates]float64{0.6}, 20)
			sum += math.Exp(l[0] + lnBB(f, n, 0.2, 20))
		}
		if math.Abs(sum-1) > 1e-6 {
			t.Errorf("%v records: the mean ratio of a share is %v", n, sum)
		}
	}
}

func TestTail(t *testing.T) {
	tail := Tail{At: 2, LogOver: -4.6, Scale: 1.5, Shape: 0.3}
	last := 0.0
	for x := 0.1; x < 5000; x *= 1.1 {
		got := tail.Allowed(x)
		if got > x || got < last {
			t.Fatalf("%v is worth %v, after %v", x, got, last)
		}
		last = got
	}
	if last < 20 {
		t.Errorf("a bin of 5,000 nats is worth %v", last)
	}
	if got := (&Tail{}).Allowed(7); got != 7 {
		t.Errorf("without a tail 7 is worth %v", got)
	}
}

// Evidence grows with the size of a dump.
func TestEvidenceGrows(t *testing.T) {
	p := Defaults(1, 8)
	var s State
	at := nine(&s, monday, 20, p, func() Counts { return Counts{Distinct: 1, FirstTouch: 1} })
	last := -1.0
	var ev Evidence
	for _, n := range []float64{1, 10, 30, 100} {
		hourly.Early(&s, 0, at+10, &Counts{Distinct: n, FirstTouch: n}, p, &ev)
		if ev.Log < last || last > 0 && ev.Log == last {
			t.Errorf("%v records: %.1f nats, fewer said %.1f", n, ev.Log, last)
		}
		last = ev.Log
	}
	if last < 20 {
		t.Errorf("a hundred by one who reads eight a day: %.1f nats", last)
	}
}

// Silence in one step is the same as bin by bin.
func TestSilence(t *testing.T) {
	p := Defaults(1, 8)
	for _, gap := range []int64{1, 30, 200, 3000} {
		var a State
		at := nine(&a, monday, 10, p, func() Counts { return Counts{Distinct: 20, FirstTouch: 5} })
		b := a.Clone()
		var ev Evidence
		for i := range gap {
			hourly.Close(&a, 0, at+i, &Counts{}, p, &ev, nil)
		}
		hourly.Close(&a, 0, at+gap, distinct(9), p, &ev, nil)
		hourly.Close(&b, 0, at+gap, distinct(9), p, &ev, nil)
		for i, x := range a.numbers() {
			if y := b.numbers()[i]; math.Abs(float64(*x-*y)) > 1e-3*math.Abs(float64(*x))+1e-4 {
				t.Errorf("%d silent bins, number %d: one by one %v, at once %v", gap, i, *x, *y)
			}
		}
	}
}

// Early changes nothing, and says what Close says.
func TestEarlyIsClose(t *testing.T) {
	p := Defaults(1, 8)
	rng := rand.New(rand.NewPCG(1, 2))
	var s State
	at := monday
	for range 400 {
		at += 1 + rng.Int64N(30)
		c := Counts{Distinct: float64(rng.IntN(50)), FirstTouch: float64(rng.IntN(3)), Rows: float64(rng.IntN(2) * 5000), Destructive: float64(rng.IntN(2))}
		before := s.AppendBinary(nil)
		var early, end Evidence
		hourly.Early(&s, 0, at, &c, p, &early)
		if after := s.AppendBinary(nil); string(before) != string(after) {
			t.Fatalf("Early changed the state at %d", at)
		}
		hourly.Close(&s, 0, at, &c, p, &end, nil)
		if early != end {
			t.Fatalf("bin %d: early %+v\nclose %+v", at, early, end)
		}
	}
}

func TestCodec(t *testing.T) {
	p := Defaults(1, 4)
	rng := rand.New(rand.NewPCG(3, 4))
	var s State
	at := monday
	for i := range 500 {
		at += 1 + rng.Int64N(20)
		c := Counts{Distinct: float64(rng.IntN(30) * rng.IntN(30)), FirstTouch: float64(rng.IntN(9)), Unissued: float64(rng.IntN(2))}
		if i%100 == 99 {
			c[Distinct] = 50_000
		}
		var ev Evidence
		s.Vote(uint32(rng.IntN(3)))
		hourly.Close(&s, 0, at, &c, p, &ev, nil)
		b := s.AppendBinary(nil)
		back, rest, err := DecodeState(append(b, 7))
		if err != nil || len(rest) != 1 {
			t.Fatalf("decoding: %v, %d bytes left", err, len(rest))
		}
		if string(back.AppendBinary(nil)) != string(b) {
			t.Fatal("a state does not come back as it was")
		}
	}
	b := s.AppendBinary(nil)
	for n := range len(b) {
		if _, _, err := DecodeState(b[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for a state", n, len(b))
		}
	}
	if len(s.History()) == 0 {
		t.Error("nothing stood out: the test does not reach the points")
	}
	b = p.AppendBinary(nil)
	again, _, err := DecodeParameters(b)
	if err != nil || string(again.AppendBinary(nil)) != string(b) {
		t.Errorf("parameters do not come back: %v", err)
	}
}

func FuzzDecodeState(f *testing.F) {
	var s State
	nine(&s, monday, 8, Defaults(1, 8), func() Counts { return Counts{Distinct: 5, Rows: 3} })
	f.Add(s.AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, rest, err := DecodeState(b)
		if err != nil {
			return
		}
		if got := s.AppendBinary(nil); string(got) != string(b[:len(b)-len(rest)]) {
			t.Errorf("%x reads as %x", b, got)
		}
	})
}

// Of an identity whose sketch shows few first touches, the estimate of their number is
// judged as what showed: in the mean of calm days the ratios are one, as where all show.
func TestHiddenFirstTouches(t *testing.T) {
	const mu, k, n, share, days = 40.0, 2.0, 60.0, 0.4, 400_000
	e := NewEngine(time.Hour, time.UTC, DefaultTuning())
	for _, shown := range []float64{1, 0.5, 0.1} {
		rng := rand.New(rand.NewPCG(5, uint64(shown*100)))
		var s State
		s.SetShown(shown)
		v := view{s: &s}
		estimate := func(f float64) float64 { // as many as showed stand for
			hits := 0.0
			for range int(f) {
				if rng.Float64() < shown {
					hits++
				}
			}
			return hits / shown
		}
		counts, shares := 0.0, 0.0
		for range days {
			l := s.countRatios(BinFirst, estimate(poisson(rng, mu*gammaOf(rng, k)/k)), mu, k)
			counts += math.Exp(l[0]) / days
			a, b := gammaOf(rng, e.Tuning.Concentration*share), gammaOf(rng, e.Tuning.Concentration*(1-share))
			f := 0.0
			for range int(n) {
				if rng.Float64() < a/(a+b) {
					f++
				}
			}
			l = ratios{}
			e.addShares(&v, &l, estimate(f), n, share, &[NumRates]float64{0.5})
			shares += math.Exp(l[0]) / days
		}
		if math.Abs(counts-1) > 0.02 || math.Abs(shares-1) > 0.02 {
			t.Errorf("%v of first touches show: the mean ratio of counts is %.3f, of shares %.3f", shown, counts, shares)
		}
	}
}

// poisson draws from a Poisson distribution, by its waiting times.
func poisson(rng *rand.Rand, mean float64) (n float64) {
	for t := rng.ExpFloat64(); t < mean; t += rng.ExpFloat64() {
		n++
	}
	return n
}

// gammaOf draws from a Gamma distribution of mean and shape k (Marsaglia and Tsang 2000).
func gammaOf(rng *rand.Rand, k float64) float64 {
	d := k - 1.0/3
	for {
		x := rng.NormFloat64()
		v := 1 + x/math.Sqrt(9*d)
		if v = v * v * v; v > 0 && math.Log(rng.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// A day on which nothing can be said of a newcomer, since nobody has seen his peers, has no
// dispersion, though his statistics say something of the days before: nobody computes a
// ratio from it.
func TestUnjudgedDayHasNoDispersion(t *testing.T) {
	var s State
	var ev Evidence
	p := Defaults(1, 8)
	hourly.Close(&s, 0, monday, distinct(900), p, &ev, nil)
	s.daily[0][DayDistinct] = stat{5, 5, 5, 5, 5}
	hourly.Explain(&s, 0, monday+1, distinct(900), p, &ev)
	if x := &ev.Stats[DayDistinct]; !x.Judged || x.K != 0 || x.Ratio != 0 {
		t.Errorf("a day that cannot be judged is told as %+v", x)
	}
}
