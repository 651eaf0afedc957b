package numbering

import (
	"hash/maphash"

	"github.com/weirhq/weir/internal/zerocopy"
)

// Names numbers names, from zero on. Make it with NewNames.
type Names struct {
	seed  maphash.Seed // so that nobody can choose names that fall together
	index Index
	names []string // by number, in pieces of text
	text  []byte   // the piece that the next name goes into
}

// pieceSize is how many bytes of names stand in one piece of memory.
const pieceSize = 1 << 16

// NewNames returns an empty numbering.
func NewNames() Names { return Names{seed: maphash.MakeSeed()} }

// Number returns the number of a name, and whether it is a new one.
func (t *Names) Number(name []byte) (number int32, isNew bool) {
	hash := uint32(maphash.Bytes(t.seed, name))
	number, ok := t.index.Find(hash, func(n int32) bool { return t.names[n] == string(name) })
	if ok {
		return number, false
	}
	number = int32(len(t.names))
	t.index.Add(hash, number)
	t.names = append(t.names, t.own(name))
	return number, true
}

// Name returns the name of a number.
func (t *Names) Name(number int32) string { return t.names[number] }

// Len returns how many names there are.
func (t *Names) Len() int { return len(t.names) }

// Retain drops the names that are not kept, and numbers the others anew in the same
// order. The memory of those that are dropped is freed.
func (t *Names) Retain(keep func(number int32) bool) {
	old := t.names
	t.names, t.text = t.names[:0], nil
	for n, name := range old {
		if keep(int32(n)) {
			t.names = append(t.names, t.own(zerocopy.Bytes(name)))
		}
	}
	clear(old[len(t.names):])
	t.index.Clear()
	for n, name := range t.names {
		t.index.Add(uint32(maphash.String(t.seed, name)), int32(n))
	}
}

// own returns a name in memory of its own.
func (t *Names) own(name []byte) string {
	if cap(t.text)-len(t.text) < len(name) {
		t.text = make([]byte, 0, max(pieceSize, len(name)))
	}
	from := len(t.text)
	t.text = append(t.text, name...)
	return zerocopy.String(t.text[from:])
}
