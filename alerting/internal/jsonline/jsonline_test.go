package jsonline

import (
	"math"
	"testing"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		v             float64
		count, factor string
	}{
		{0, "0", "0"},
		{math.Copysign(0, -1), "0", "0"},
		{-0.04, "0", "-0.04"},
		{-0.05001, "-0.1", "-0.05001"},
		{1.25, "1.2", "1.25"},
		{20000.55, "20000.5", "20000"}, // 20000.55 lies a hair below
		{123456, "123456", "123500"},
		{999.96, "1000", "1000"},
		{math.NaN(), "0", "0"},
		{math.Inf(1), "1e+308", "1.000e+308"},
		{math.Inf(-1), "-1e+308", "-1.000e+308"},
		{1e15, "1e+15", "1.000e+15"},
		{math.MaxFloat64, "1e+308", "1.000e+308"},
		{5e-324, "0", "4.941e-324"},
	} {
		if got := string(Fixed(nil, "", c.v, 1)); got != c.count {
			t.Errorf("count of %v = %s, want %s", c.v, got, c.count)
		}
		if got := string(Factor(nil, "", c.v)); got != c.factor {
			t.Errorf("factor of %v = %s, want %s", c.v, got, c.factor)
		}
	}
}

// What an identity holds is somebody else's choice: it must come out as the
// same text, on one line, unable to steer a terminal.
func TestQuoting(t *testing.T) {
	for in, want := range map[string]string{
		"plain":             `"plain"`,
		`a"b\c`:             `"a\"b\\c"`,
		"a\nb\tc\x00":       `"a\nb\tc\u0000"`,
		"\x1b[2J\x7f\u009b": `"\u001b[2J\u007f\u009b"`,
		"<b>&":              `"<b>&"`,
		"김민지":               `"김민지"`,
		"\u202egnp.exe":     `"\u202egnp.exe"`,
		"\U000e0041":        `"\udb40\udc41"`,
		"\u2028":            `"\u2028"`,
		"bad\xff":           `"bad�"`,
	} {
		if got := string(Quoted(nil, in)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}
