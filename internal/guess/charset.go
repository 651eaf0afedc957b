package guess

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/weirhq/weir/event/fieldmap"
)

// charsetOf returns the charset of a text that is not UTF-8; "" for UTF-8.
func charsetOf(sample []byte) string {
	if utf8.Valid(sample) {
		return ""
	}
	for cut := 1; cut < utf8.UTFMax && cut < len(sample); cut++ { // the sample may end within a letter
		if len(sample) == sampleSize && utf8.Valid(sample[:len(sample)-cut]) {
			return ""
		}
	}
	if i := bytes.LastIndexByte(sample, '\n'); i > 0 {
		sample = sample[:i]
	}
	for _, script := range scripts {
		if script.fits(sample) {
			return script.charset
		}
	}
	return "windows-1252"
}

// script is how a text of one charset is told from those of others.
type script struct {
	charset string
	bytes   func(first, second byte) bool // of most pairs of bytes that are not ASCII
	runes   func(rune) bool               // of letters that are not ASCII
	share   int                           // how many of those letters at least, in percent
}

// scripts are the charsets that are told from the Latin ones, in which a letter beyond
// ASCII seldom follows another.
var scripts = []script{
	{"windows-1251", func(a, b byte) bool { return a >= 0xc0 && b >= 0xc0 }, unicode.IsLower, 60},
	{"koi8-r", func(a, b byte) bool { return a >= 0xc0 && b >= 0xc0 }, unicode.IsLower, 60},
	{"shift_jis", func(a, _ byte) bool { return a < 0xa0 }, isJapanese, 90},
	{"euc-kr", func(a, b byte) bool { return a > 0xa0 && b > 0xa0 }, func(c rune) bool { return unicode.Is(unicode.Hangul, c) }, 90},
	{"euc-jp", func(a, b byte) bool { return a > 0xa0 && b > 0xa0 }, isKana, 25},
	{"gb18030", func(a, b byte) bool { return a > 0xa0 && b > 0xa0 }, func(c rune) bool { return unicode.Is(unicode.Han, c) }, 90},
}

func isKana(c rune) bool     { return c >= 0x3040 && c <= 0x30ff }
func isJapanese(c rune) bool { return isKana(c) || unicode.Is(unicode.Han, c) }

// fits reports whether most of a text is in the script, all of it can be read, and its
// letters stand together.
func (s script) fits(sample []byte) bool {
	pairs, right := 0, 0
	for i := 0; i+1 < len(sample); i++ {
		if sample[i] >= utf8.RuneSelf {
			pairs++
			if s.bytes(sample[i], sample[i+1]) {
				right++
			}
			i++
		}
	}
	if right*5 < pairs*4 {
		return false
	}
	enc, err := fieldmap.Charset(s.charset)
	if err != nil {
		return false
	}
	text, err := enc.NewDecoder().Bytes(sample)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return false
	}
	letters, in, together, last := 0, 0, 0, rune(0)
	for _, c := range string(text) {
		if c >= utf8.RuneSelf {
			letters++
			if s.runes(c) {
				in++
			}
			if last >= utf8.RuneSelf {
				together++
			}
		}
		last = c
	}
	return in*100 >= letters*s.share && together*3 >= letters
}
