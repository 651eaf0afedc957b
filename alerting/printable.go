package alerting

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns s as one line of at most limit bytes: each character that
// does not print becomes '?', and a cut is shown by '…'. Identities and the
// answers of receivers are other people's words: they must not steer a terminal
// or forge a line of a log.
func Printable(s string, limit int) string {
	var b strings.Builder
	for i, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '?'
		}
		left := limit - b.Len()
		rest := len(s) - i
		if rest > left && left < utf8.RuneLen(r)+len("…") {
			if left >= len("…") {
				b.WriteString("…")
			}
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
