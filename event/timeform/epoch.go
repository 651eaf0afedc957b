package timeform

import (
	"strconv"
	"strings"
)

// maxNumber is the longest number in bytes that is read as a time.
const maxNumber = 64

// epoch reads a number, decimal or after 0x hexadecimal, as a time since 1970, in units of 10^unit
// milliseconds. A number too large for 64 bits, or a negative one, comes back as
// -1, which is out of every range.
func epoch(s string, unit int) (int64, bool) {
	s = strings.TrimPrefix(s, "@") // as date and systemd write it
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		n, err := strconv.ParseUint(s[2:], 16, 63)
		if err != nil {
			return 0, false
		}
		s = strconv.FormatUint(n, 10)
	}
	digits, scale, negative, ok := decimal(s)
	if !ok {
		return 0, false
	}
	scale += unit
	switch {
	case scale >= 0:
		digits += strings.Repeat("0", min(scale, maxNumber))
	case -scale >= len(digits):
		digits = "0"
	default:
		digits = digits[:len(digits)+scale]
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || negative && n > 0 {
		return -1, true
	}
	return n, true
}

// guessEpoch reads a number in the one unit in which it falls between from and to.
func guessEpoch(s string, from, to int64) (int64, bool) {
	if whole, fraction, ok := strings.Cut(s, ","); ok && len(whole) >= len("946684800") && isDigits(fraction) {
		s = whole + "." + fraction // as many countries write it
	}
	for _, unit := range []int{3, 0, -3, -6} {
		ms, ok := epoch(s, unit)
		if !ok {
			return 0, false
		}
		if ms >= from && ms < to {
			return ms, true
		}
	}
	return 0, false
}

// hexDigits is how many digits seconds since 1970 have in hexadecimal until 2106. A date
// of as many decimal digits is another time by them, long before 2000.
const hexDigits = 8

// guessHex reads seconds since 1970 in hexadecimal digits alone, if they fall between from
// and to.
func guessHex(s string, from, to int64) (int64, bool) {
	if len(s) != hexDigits {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 16, 63)
	ms := int64(n) * 1000
	return ms, err == nil && ms >= from && ms < to
}

// decimal takes a number apart: its digits, and the power of ten of the last.
func decimal(s string) (digits string, scale int, negative, ok bool) {
	if len(s) == 0 || len(s) > maxNumber {
		return "", 0, false, false
	}
	s, negative = strings.CutPrefix(s, "-")
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n < -maxNumber || n > maxNumber {
			return "", 0, false, false
		}
		s, scale = s[:i], n
	}
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || point && fraction == "" || !isDigits(whole+fraction) {
		return "", 0, false, false
	}
	return whole + fraction, scale - len(fraction), negative, true
}

// isDigits reports whether s is nothing but decimal digits.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

// Fixed returns a decimal number as an integer, where it is one: "12.0" is "12",
// and "1.5e1" is "15". It has at most 64 digits.
func Fixed(s string) (string, bool) {
	digits, scale, negative, ok := decimal(s)
	if !ok || scale > maxNumber-len(digits) {
		return "", false
	}
	for ; scale < 0; scale++ {
		n := len(digits) - 1
		if n < 0 || digits[n] != '0' {
			return "", false
		}
		digits = digits[:n]
	}
	digits = strings.TrimLeft(digits+strings.Repeat("0", scale), "0")
	switch {
	case digits == "":
		return "0", true
	case negative:
		return "-" + digits, true
	}
	return digits, true
}
