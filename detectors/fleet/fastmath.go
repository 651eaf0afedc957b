package fleet

import (
	"math"
)

// A touched identity is scored at every tick and each scoring takes some thirty
// logarithms and ten exponentials, so these are table-driven. Their relative
// error is below 1e-12, which is nothing beside the float32 of a statistic, and
// they are ordinary arithmetic: the same bits on every run.

const (
	logBits = 7
	expBits = 7
)

// logTable holds for each cell of the mantissa the reciprocal of its middle and
// the logarithm of that middle.
var logTable = func() (t [1 << logBits]struct{ inverse, log float64 }) {
	for i := range t {
		middle := 1 + (float64(i)+0.5)/(1<<logBits)
		t[i].inverse = 1 / middle
		t[i].log = -math.Log(t[i].inverse)
	}
	return t
}()

// Ln returns the natural logarithm of a positive normal number.
func Ln(x float64) float64 {
	b := math.Float64bits(x)
	e := int(b>>52) - 1023
	cell := &logTable[b>>(52-logBits)&(1<<logBits-1)]
	u := math.Float64frombits(b&(1<<52-1)|1023<<52)*cell.inverse - 1 // at most 1/256 from 0
	return float64(e)*math.Ln2 + cell.log + u*(1-u*(1.0/2-u*(1.0/3-u*(1.0/4-u*(1.0/5)))))
}

// expTable holds 2^(i/128).
var expTable = func() (t [1 << expBits]float64) {
	for i := range t {
		t[i] = math.Exp2(float64(i) / (1 << expBits))
	}
	return t
}()

// Exp returns e to the power of x, for x up to 700; below -700 it is zero.
func Exp(x float64) float64 {
	if x < -700 {
		return 0
	}
	n := math.Floor(x*((1<<expBits)/math.Ln2) + 0.5)
	u := x - n*(math.Ln2/(1<<expBits)) // at most ln2/256 from 0
	i := int(n)
	scale := math.Float64frombits(uint64(i>>expBits+1023) << 52)
	return scale * expTable[i&(1<<expBits-1)] * (1 + u*(1+u*(1.0/2+u*(1.0/6+u*(1.0/24)))))
}

// LnGamma returns the logarithm of the gamma function of a positive number, by
// Stirling's series from 8 on and by recurrence below.
func LnGamma(x float64) float64 {
	shift := 0.0
	if x < 8 {
		product := 1.0
		for x < 8 {
			product *= x
			x++
		}
		shift = Ln(product)
	}
	const halfLogTau = 0.91893853320467274178
	i := 1 / x
	i2 := i * i
	return (x-0.5)*Ln(x) - x + halfLogTau + i*(1.0/12-i2*(1.0/360-i2*(1.0/1260-i2*(1.0/1680)))) - shift
}
