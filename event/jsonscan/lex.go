package jsonscan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weirhq/weir/event"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks, by its high bit, each byte of x that ends the plain run of a
// text: a quote, a backslash or a control character. The lowest mark is exact;
// those above it may not be, because of borrows (Hacker's Delight, 6-1).
func special(x uint64) uint64 {
	quote, slash := x^ones*'"', x^ones*'\\'
	return ((x-ones*0x20)&^x | (quote-ones)&^quote | (slash-ones)&^slash) & highs
}

// text scans a text from after its opening quote; it returns the index of the
// closing one, or -1, and whether there are escapes.
func (s *Scanner) text(i int) (end int, escaped bool) {
	b := s.B
	for {
		if i+8 <= len(b) {
			m := special(binary.LittleEndian.Uint64(b[i : i+8]))
			if m == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(m) / 8
		} else {
			for i < len(b) && b[i] >= 0x20 && b[i] != '"' && b[i] != '\\' {
				i++
			}
		}
		switch {
		case i < len(b) && b[i] == '"':
			return i, escaped
		case i >= len(b) || b[i] < 0x20:
			return s.fail(event.NotJSON, i), escaped
		}
		escaped = true
		if i = s.escape(i + 1); i < 0 {
			return -1, true
		}
	}
}

// escape scans an escape from after its backslash.
func (s *Scanner) escape(i int) int {
	b := s.B
	if i >= len(b) {
		return s.fail(event.NotJSON, i)
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		if i+5 <= len(b) && hex4(b[i+1:]) >= 0 {
			return i + 5
		}
	}
	return s.fail(event.NotJSON, i)
}

// literal scans one of JSON's words.
func (s *Scanner) literal(i int, word string) int {
	if len(s.B)-i < len(word) || string(s.B[i:i+len(word)]) != word {
		return s.fail(event.NotJSON, i)
	}
	return i + len(word)
}

// number scans a number. It refuses what is no JSON: NaN, Infinity, a plus
// sign, leading zeros, a bare point.
func (s *Scanner) number(i int) (int, Kind) {
	b, k := s.B, Integer
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch from := i; {
	case i < len(b) && b[i] == '0':
		i++
	default:
		if i = Digits(b, i); i == from {
			return s.fail(event.NotJSON, i), absent
		}
	}
	if i < len(b) && b[i] == '.' {
		from := i + 1
		if i = Digits(b, from); i == from {
			return s.fail(event.NotJSON, i), absent
		}
		k = Decimal
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		from := i
		if i = Digits(b, from); i == from {
			return s.fail(event.NotJSON, i), absent
		}
		k = Decimal
	}
	return i, k
}

// Digits returns the first index from i on that is no decimal digit.
func Digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	return i
}

// hex4 reads four hexadecimal digits; -1 if b does not begin with them.
func hex4(b []byte) rune {
	if len(b) < 4 {
		return -1
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c-'0' < 10:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// AppendUnescaped appends a checked text with its escapes resolved. Half a
// surrogate pair becomes U+FFFD, as nothing in UTF-8 can stand for it.
func AppendUnescaped(dst, src []byte) []byte {
	for i := 0; i < len(src); i++ {
		if src[i] != '\\' {
			dst = append(dst, src[i])
			continue
		}
		i++
		switch c := src[i]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hex4(src[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				r2 := rune(-1)
				if i+2 < len(src) && src[i+1] == '\\' && src[i+2] == 'u' {
					r2 = hex4(src[i+3:])
				}
				if r = utf16.DecodeRune(r, r2); r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
