package fleet

import (
	"math"
)

// Clean maps counts to what the sums can hold: whole, not negative, not NaN.
func (c Counts) Clean() Counts {
	for m := range c {
		v := math.Round(c[m])
		if !(v > 0) {
			v = 0
		}
		c[m] = min(v, MaxCount)
	}
	c[OffHours], c[Newcomer] = 0, 0
	return c
}

// Any reports whether any count is above zero.
func (c *Counts) Any() bool {
	for _, v := range c[:OffHours] { // what is derived follows from the others
		if v > 0 {
			return true
		}
	}
	return false
}
