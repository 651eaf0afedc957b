package jsonscan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/weirhq/weir/internal/zerocopy"
)

// key is the name of a member of an object, with what finds it in JSON by its first eight
// bytes: those of the name, and the closing quote where it is shorter. The first byte is
// in the lowest bits.
type key struct {
	text string
	word uint64 // the bytes, zeros for those behind the quote
	mask uint64 // the bits of eight bytes of JSON that word is about
	fold bool   // upper case is lower case
	all  bool   // word is all of it, so that bytes that fit are the key
	next uint8  // of the keys at the same place of the table, 1 + the index of the next; 0 for none
}

// lower are the bits that a lower-case letter has and its upper-case letter has not.
const lower = 0x2020202020202020

// newKey returns the key of a name, in any case if fold.
func newKey(text string, fold bool) key {
	if strings.ContainsFunc(text, func(c rune) bool { return c < 0x20 || c == '"' || c == '\\' }) {
		return key{text: text, word: 1, fold: fold} // it stands in JSON with escapes only: no bytes are to fit
	}
	k := key{text: text, mask: 1<<64 - 1, fold: fold}
	var quoted [8]byte
	if n := copy(quoted[:], text); n < len(quoted) {
		quoted[n] = '"'
		k.mask = 1<<(8*n+8) - 1
		k.all = !fold
	}
	k.word = binary.LittleEndian.Uint64(quoted[:])
	if fold {
		k.word |= lower & k.mask
	}
	return k
}

// endsAt reports whether the key stands at b[i:] with its closing quote, given that its
// first eight bytes do.
func (k *key) endsAt(b []byte, i int) bool {
	end := i + len(k.text)
	return end < len(b) && b[end] == '"' && k.is(zerocopy.String(b[i:end]))
}

// is reports whether a name is the key's.
func (k *key) is(text string) bool {
	return k.text == text || k.fold && strings.EqualFold(k.text, text)
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
		if n.children[i].key.is(text) {
			return i
		}
	}
	return -1
}

// along returns the node at the path that a key with dots spells, such as user.name; nil
// if the key has none, or nothing is wanted there.
func (n *node) along(key []byte) *node {
	name, rest, more := bytes.Cut(key, []byte{'.'})
	if !more {
		return nil
	}
	for {
		k := n.find(zerocopy.String(name))
		if k < 0 && n.elem != nil {
			n = n.elem
			k = n.find(zerocopy.String(name))
		}
		if k < 0 {
			return nil
		}
		if n = &n.children[k]; !more {
			return n
		}
		name, rest, more = bytes.Cut(rest, []byte{'.'})
	}
}

// add adds a child and returns its index.
func (n *node) add(key key) int {
	child := empty()
	child.key = key
	n.children = append(n.children, child)
	first := n.table.place(child.key.word)
	n.children[len(n.children)-1].key.next, *first = *first, uint8(len(n.children))
	return len(n.children) - 1
}

// key scans a key from after its opening quote; it returns the index of the
// closing one, or -1, and which child of n the key is, or -1. It looks first
// whether the key is the child that came at this place when last met.
func (s *Scanner) key(i int, n *node, order *uint8) (end, child int) {
	b := s.B
	if n == nil {
		end, _ = s.text(i) // whether it has escapes matters only to who looks for it
		return end, -1
	}
	if i+8 > len(b) {
		return s.anyKey(i, n)
	}
	raw := binary.LittleEndian.Uint64(b[i : i+8])
	word := raw | s.fold
	if likely := int(*order); likely < len(n.children) {
		if k := &n.children[likely].key; word&k.mask == k.word && (k.all || k.endsAt(b, i)) {
			return i + len(k.text), likely
		}
	}
	m := special(raw)
	if m != 0 { // the key ends in the word, or has an escape there
		size := bits.TrailingZeros64(m) / 8
		if end = i + size; b[end] != '"' {
			return s.anyKey(i, n)
		}
		word &= 1<<(8*size+8) - 1
	}
	for at := *n.table.place(word); at > 0; {
		k := &n.children[at-1].key
		if word == k.word && (k.all || k.endsAt(b, i)) {
			return i + len(k.text), int(at) - 1
		}
		at = k.next
	}
	if m != 0 {
		return end, -1
	}
	end, escaped := s.text(i + 8)
	if escaped {
		return s.anyKey(i, n)
	}
	return end, -1
}

// anyKey is key where the key may hold escapes.
func (s *Scanner) anyKey(i int, n *node) (end, child int) {
	end, escaped := s.text(i)
	if end < 0 {
		return -1, -1
	}
	key := s.B[i:end]
	if escaped {
		s.unescaped = AppendUnescaped(s.unescaped[:0], key)
		key = s.unescaped
	}
	return end, n.find(zerocopy.String(key))
}
