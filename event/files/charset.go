package files

import (
	"bufio"
	"bytes"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Recoded returns a text as UTF-8 that may be in UTF-16, and has no byte order mark.
func Recoded(r io.Reader) io.Reader { return recoded(r, nil) }

// recoded returns a text as UTF-8: from the charset of its format, or from UTF-16,
// which a byte order mark or the zeros between ASCII letters tell. A text that is
// not in the charset of its format, but in UTF-8 by its byte order mark, stays.
func recoded(r io.Reader, charset encoding.Encoding) io.Reader {
	text := bufio.NewReaderSize(r, 64<<10)
	head, _ := text.Peek(4) // what is wrong with it is met again when it is read
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = text.Discard(3) // it was peeked at
		return text
	case isUTF16(head, unicode.LittleEndian):
		charset = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case isUTF16(head, unicode.BigEndian):
		charset = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case charset == nil:
		return text
	}
	return transform.NewReader(text, charset.NewDecoder())
}

// isUTF16 reports whether a text begins with the byte order mark of UTF-16, or with
// two ASCII letters in it.
func isUTF16(head []byte, order unicode.Endianness) bool {
	if len(head) < 2 {
		return false
	}
	lo, hi := 0, 1
	if order == unicode.BigEndian {
		lo, hi = 1, 0
	}
	if head[lo] == 0xff && head[hi] == 0xfe {
		return true
	}
	return len(head) == 4 && head[hi] == 0 && head[hi+2] == 0 && head[lo] != 0 && head[lo+2] != 0
}
