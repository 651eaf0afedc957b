package sketches

// arena holds many short lists in few large pieces of memory, of which the
// garbage collector sees no more than the pieces. Lists lie in blocks of fixed
// classes of size; a block that is given back waits for the next list of its
// class.
type arena struct {
	pieces [][]Entry
	used   int               // entries handed out of the last piece
	free   [maxClass]blockID // first free block of each class; its first entry says the next
}

// blockID is the place of a block: where it begins, in pairs of entries, and
// one more. Zero is no block.
type blockID uint32

const (
	pieceBits = 15 // entries in a piece: 256 KB of them
	maxClass  = 18
)

// classSize returns how many entries a block of a class holds: 2, 4, 6, 8, 12,
// 16, 24 and so on to ExactLimit.
func classSize(class uint8) int {
	if class == 0 {
		return 2
	}
	class++
	return (2 + int(class&1)) << (class / 2)
}

// classOf returns the least class that holds n entries, from 1 to ExactLimit.
func classOf(n int) uint8 {
	class := uint8(0)
	for classSize(class) < n {
		class++
	}
	return class
}

// block returns the whole block.
func (a *arena) block(id blockID, class uint8) []Entry {
	at := int(id-1) * 2
	piece := a.pieces[at>>pieceBits]
	at &= 1<<pieceBits - 1
	return piece[at : at+classSize(class) : at+classSize(class)]
}

func (a *arena) alloc(class uint8) blockID {
	if id := a.free[class]; id != 0 {
		a.free[class] = blockID(a.block(id, class)[0])
		return id
	}
	size := classSize(class)
	if len(a.pieces) == 0 || a.used+size > 1<<pieceBits {
		a.retire()
		a.pieces = append(a.pieces, make([]Entry, 1<<pieceBits))
		a.used = 0
	}
	at := (len(a.pieces)-1)<<pieceBits + a.used
	a.used += size
	return blockID(at/2 + 1)
}

// retire hands what is left of the last piece to the free lists.
func (a *arena) retire() {
	for class := uint8(maxClass); class > 0 && len(a.pieces) > 0; {
		class--
		for a.used+classSize(class) <= 1<<pieceBits {
			at := (len(a.pieces)-1)<<pieceBits + a.used
			a.used += classSize(class)
			a.release(blockID(at/2+1), class)
		}
	}
}

func (a *arena) release(id blockID, class uint8) {
	a.block(id, class)[0] = Entry(a.free[class])
	a.free[class] = id
}

func (a *arena) bytes() int { return len(a.pieces) * (8<<pieceBits + 24) }
