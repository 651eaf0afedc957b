package alerting

import (
	"math"
	"strconv"
	"strings"
)

// small shows a number with one decimal, unless that is zero.
func small(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Group(n) + " " + many
}

// whole rounds to the nearest whole number, within what an int64 holds; NaN is 0.
func whole(v float64) int64 {
	const limit = 1 << 62
	switch {
	case math.IsNaN(v):
		return 0
	case v >= limit:
		return limit
	case v <= -limit:
		return -limit
	}
	return int64(math.Round(v))
}

// Group writes n with a comma between groups of three digits: 33,700,000.
func Group(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

// Decimal writes a number of any size: with one decimal, below one with two, without
// zeros at its end, and with commas.
func Decimal(v float64) string {
	switch {
	case v >= 1000 || v <= -1000:
		return Group(int64(math.Round(v)))
	case v > -1 && v < 1:
		return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 2, 64), "0"), ".")
	}
	return small(v)
}
