package jsonscan

import (
	"encoding/binary"
	"strings"
)

// key is the name of a member of an object, with what finds it in JSON by its first eight
// bytes: those of the name, and the closing quote where it is shorter. The first byte is
// in the lowest bits.
type key struct {
	text string
	word uint64 // the bytes, zeros for those behind the quote
	mask uint64 // the bits of eight bytes of JSON that word is about
	next uint8  // of the keys at the same place of the table, 1 + the index of the next; 0 for none
}

// newKey returns the key of a name.
func newKey(text string) key {
	if strings.ContainsFunc(text, func(c rune) bool { return c < 0x20 || c == '"' || c == '\\' }) {
		return key{text: text, word: 1} // it stands in JSON with escapes only: no bytes are to fit
	}
	k := key{text: text, mask: 1<<64 - 1}
	var quoted [8]byte
	if n := copy(quoted[:], text); n < len(quoted) {
		quoted[n] = '"'
		k.mask = 1<<(8*n+8) - 1
	}
	k.word = binary.LittleEndian.Uint64(quoted[:])
	return k
}

// endsAt reports whether the key stands at b[i:] with its closing quote, given that its
// first eight bytes do.
func (k *key) endsAt(b []byte, i int) bool {
	if len(k.text) < 8 {
		return true
	}
	end := i + len(k.text)
	return end < len(b) && b[end] == '"' && string(b[i+8:end]) == k.text[8:]
}

// tableBits is the size of a table of keys, as a power of two.
const tableBits = 6

// keyTable finds the children of a node by the words of their keys: 1 + the index of the
// first at a place, 0 for none.
type keyTable [1 << tableBits]uint8

// place returns the place of the keys that have a word.
func (t *keyTable) place(word uint64) *uint8 {
	return &t[word*0x9e3779b97f4a7c15>>(64-tableBits)]
}

// find returns the index of the child of a key, or -1.
func (n *node) find(text string) int {
	for i := range n.children {
		if n.children[i].key.text == text {
			return i
		}
	}
	return -1
}

// add adds a child and returns its index.
func (n *node) add(text string) int {
	child := empty()
	child.key = newKey(text)
	n.children = append(n.children, child)
	first := n.table.place(child.key.word)
	n.children[len(n.children)-1].key.next, *first = *first, uint8(len(n.children))
	return len(n.children) - 1
}
