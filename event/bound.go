package event

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/weirhq/weir/internal/zerocopy"
)

// digestSize is how many bytes of a SHA-256 stand at the end of a shortened text.
const digestSize = 16

// AppendShortened appends a text, bounded: what is longer than MaxText becomes its
// beginning, a "~" and 32 hexadecimal digits of its SHA-256.
func AppendShortened(dst []byte, s string) []byte {
	if len(s) <= MaxText {
		return append(dst, s...)
	}
	sum := sha256.Sum256(zerocopy.Bytes(s))
	end := MaxText - 1 - 2*digestSize
	for !utf8.RuneStart(s[end]) {
		end--
	}
	dst = append(append(dst, s[:end]...), '~')
	return hex.AppendEncode(dst, sum[:digestSize])
}

// isShortened reports whether a text ends as AppendShortened ends one.
func isShortened(s string) bool {
	n := len(s) - 2*digestSize
	return n > 0 && len(s) > MaxText-4 && s[n-1] == '~' && strings.Trim(s[n:], "0123456789abcdef") == ""
}
