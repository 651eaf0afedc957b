package fact

import "slices"

// awsPrefixes are what access keys of AWS begin with, and awsKey their length.
var awsPrefixes = []string{"AKIA", "ASIA"}

const awsKey = 20

// KeyKind returns what the names of keys of one making have in common: digits,
// runs of hexadecimal digits, and long runs of letters and digits stand for any
// of their like, but for the letters by which AWS tells lasting keys from temporary
// ones. A register that tells of the issue of web-k2 must tell of
// web-k3's, but nothing of svc-1's.
func KeyKind(name string) string {
	out := make([]byte, 0, len(name))
	for i := 0; i < len(name); {
		switch hex, any := run(name[i:], isHex), run(name[i:], isAlphanumeric); {
		case any >= 8:
			if any == awsKey && slices.Contains(awsPrefixes, name[i:i+4]) {
				out = append(out, name[i:i+4]...)
			}
			out, i = append(out, '#'), i+any
		case hex >= 4:
			out, i = append(out, '#'), i+hex
		case isDigit(name[i]):
			out = append(out, '#')
			for i < len(name) && isDigit(name[i]) {
				i++
			}
		default:
			out, i = append(out, name[i]), i+1
		}
	}
	return string(out)
}

// run returns the length of the run of such characters that begins s, if one of
// them is a digit; else 0.
func run(s string, of func(byte) bool) (n int) {
	digits := false
	for n < len(s) && of(s[n]) {
		digits = digits || isDigit(s[n])
		n++
	}
	if !digits {
		return 0
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

func isAlphanumeric(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
