// Package jsonline appends JSON by hand, in one fixed form. Two runs that find
// the same must write the same bytes, so the order of keys and the rounding of
// numbers belong to the format: no field that moves and no other version of a
// library may change them.
//
// A function appends one key and its value, and returns the extended buffer. The
// key is given with the comma or bracket before it and the colon after it, such
// as `,"status":`. JSON has no NaN and no infinity: NaN is written as 0, an infinity
// as ±1e308. Nothing here fails but Parse.
package jsonline

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weirhq/weir/internal/eventtime"
)

// Parse decodes exactly one JSON value into v; anything after it is an error.
func Parse(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

const (
	// FactorDigits is how many significant digits Factor writes.
	FactorDigits = 4

	infinity     = 1e308 // is written for an infinity, which JSON does not have
	exponentFrom = 1e15  // numbers from here on are written with an exponent, and factors below its inverse
)

// Text appends a text.
func Text(b []byte, key, s string) []byte {
	return Quoted(append(b, key...), s)
}

// Time appends a time: RFC 3339 in UTC with milliseconds, see eventtime.Layout.
func Time(b []byte, key string, t time.Time) []byte {
	b = append(append(b, key...), '"')
	b = t.UTC().AppendFormat(b, eventtime.Layout)
	return append(b, '"')
}

// Fixed appends v with at most the given decimals and without trailing zeros.
func Fixed(b []byte, key string, v float64, decimals int) []byte {
	b = append(b, key...)
	v = finite(v)
	if math.Abs(v) >= exponentFrom {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	start := len(b)
	b = strconv.AppendFloat(b, v, 'f', decimals, 64)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	if string(b[start:]) == "-0" {
		b = append(b[:start], '0')
	}
	return b
}

// Factor appends v with FactorDigits significant digits.
func Factor(b []byte, key string, v float64) []byte {
	b = append(b, key...)
	v = finite(v)
	if v == 0 {
		return append(b, '0')
	}
	if m := math.Abs(v); m >= exponentFrom || m < 1/exponentFrom {
		return strconv.AppendFloat(b, v, 'e', FactorDigits-1, 64)
	}
	// Rounding through text is exact; scaling by powers of ten is not.
	var tmp [32]byte
	rounded, err := strconv.ParseFloat(string(strconv.AppendFloat(tmp[:0], v, 'e', FactorDigits-1, 64)), 64)
	if err != nil {
		rounded = v // cannot be: the text of a finite float of this size parses
	}
	return strconv.AppendFloat(b, rounded, 'f', -1, 64)
}

// finite returns v as a number that JSON can write.
func finite(v float64) float64 {
	switch {
	case math.IsNaN(v):
		return 0
	case v > infinity:
		return infinity
	case v < -infinity:
		return -infinity
	}
	return v
}

const hexDigits = "0123456789abcdef"

// Quoted appends s as a JSON string. Invalid UTF-8 becomes U+FFFD; characters
// that do not print are escaped, so that no text can steer the terminal that
// shows it. HTML characters stay as they are.
func Quoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c < utf8.RuneSelf-1 && c != '"' && c != '\\' {
			b = append(b, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\t':
			b = append(b, '\\', 't')
		case unicode.IsPrint(r): // also U+FFFD, which stands for an invalid byte
			b = utf8.AppendRune(b, r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			b = appendEscape(appendEscape(b, hi), lo)
		default:
			b = appendEscape(b, r)
		}
	}
	return append(b, '"')
}

// appendEscape appends a character below U+10000 as \uXXXX.
func appendEscape(b []byte, r rune) []byte {
	return append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// Map appends a map as an object sorted by key, or nothing where it is empty.
func Map(b []byte, key string, m map[string]string) []byte {
	if len(m) == 0 {
		return b
	}
	b = append(append(b, key...), '{')
	for _, k := range slices.Sorted(maps.Keys(m)) {
		b = append(Quoted(Separated(b), k), ':')
		b = Quoted(b, m[k])
	}
	return append(b, '}')
}

// Texts appends a list of texts, or nothing where it is empty.
func Texts[T ~string](b []byte, key string, list []T) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(append(b, key...), '[')
	for _, s := range list {
		b = Quoted(Separated(b), string(s))
	}
	return append(b, ']')
}

// Optional appends a text, or nothing where it is empty.
func Optional(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	return Text(b, key, s)
}

// Separated appends a comma, unless an object or list has just begun.
func Separated(b []byte) []byte {
	if c := b[len(b)-1]; c == '{' || c == '[' {
		return b
	}
	return append(b, ',')
}
