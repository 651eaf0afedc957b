package simulate

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// one is 1 in the fixed-point form of factors: 16 binary places. Integers keep
// runs equal on machines that fuse or order floating-point operations otherwise.
const one = 1 << 16

// mul multiplies by a fixed-point factor.
func mul(x, factor int64) int64 { return x * factor >> 16 }

// percent returns a fixed-point factor of n %.
func percent(n int64) int64 { return n * one / 100 }

// dice is one actor's own source of chance.
type dice struct{ pcg rand.PCG }

// newDice returns the dice of one stream of a seed; streams are unrelated.
func newDice(seed, stream uint64) dice {
	var d dice
	d.pcg.Seed(mix(seed^0x77656972), mix(mix(stream)+seed))
	return d
}

// mix is the finisher of SplitMix64 (Steele, Lea, Flood 2014): a bijection of 64 bits.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below returns a number in 0..n-1, n > 0.
func (d *dice) below(n int64) int64 {
	hi, _ := bits.Mul64(d.pcg.Uint64(), uint64(n))
	return int64(hi)
}

// between returns a number in lo..hi-1.
func (d *dice) between(lo, hi int64) int64 { return lo + d.below(hi-lo) }

// chance is true n times in a thousand.
func (d *dice) chance(n int64) bool { return d.below(1000) < n }

// exponentials holds the quantiles of the exponential distribution with mean
// one, in fixed point.
var exponentials = func() (t [1024]int64) {
	for i := range t {
		t[i] = int64(math.Round(-math.Log((float64(i)+0.5)/float64(len(t))) * one))
	}
	return t
}()

// exponential returns a fixed-point draw with mean one.
func (d *dice) exponential() int64 { return exponentials[d.pcg.Uint64()>>54] }

// frailty returns a fixed-point gamma draw with mean one and the given integer
// shape (the mean of that many exponentials: Erlang). The counts of a Poisson
// process under such a factor are negative binomial with k = shape.
func (d *dice) frailty(shape int) int64 {
	var sum int64
	for range shape {
		sum += d.exponential()
	}
	return sum / int64(shape)
}

// gap returns the milliseconds to the next event of a Poisson process whose
// rate is in thousandths of an event an hour.
func (d *dice) gap(rate int64) int64 {
	if rate <= 0 {
		return math.MaxInt32 * second
	}
	return 1 + 1000*hour/rate*d.exponential()>>16
}

// skewed returns a number in 0..n-1 whose density falls as the square root of
// the rank: some customers are read far more often than others.
func (d *dice) skewed(n int64) int64 {
	u := d.pcg.Uint64()
	sq, _ := bits.Mul64(u, u)
	hi, _ := bits.Mul64(sq, uint64(n))
	return int64(hi)
}

// serial makes numbers that never repeat and look like chance: event ids and tokens.
type serial struct{ next, salt uint64 }

// Classes of serials. What a scenario adds has serials of its own, and ids other
// ones than tokens, so that neither changes the numbers of the rest.
const (
	calmIDs uint64 = iota
	calmTokens
	extraIDs
	extraTokens
)

// newSerial returns the serial of a seed and class; classes never collide.
func newSerial(seed, class uint64) serial {
	return serial{next: class << 62, salt: mix(seed ^ 0x73657269616c)}
}

// take returns the next number, never zero in practice.
func (s *serial) take() uint64 {
	s.next++
	return mix(s.next ^ s.salt)
}
