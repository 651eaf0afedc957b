package stream

import (
	"unique"

	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/sketches"
)

// Room is memory for what partials hold that are read, used again from one tick to
// the next. The zero value is ready for use.
type Room struct {
	entries slab[sketches.Entry]
	traits  slab[trait.Count]
	tokens  []uint32 // scratch
	names   [2]map[string]unique.Handle[string]
}

// Reset takes back all that was read into the room.
func (r *Room) Reset() {
	r.entries.reset()
	r.traits.reset()
}

// mostNames is how many names a room remembers, once or twice.
const mostNames = 1 << 15

// handle returns the handle of a name. Names come again from batch to batch, and a
// handle that nobody keeps has to be made again.
func (r *Room) handle(name []byte) unique.Handle[string] {
	h, ok := r.names[0][string(name)]
	if ok {
		return h
	}
	if h, ok = r.names[1][string(name)]; !ok {
		h = unique.Make(string(name))
	}
	if len(r.names[0]) >= mostNames || r.names[0] == nil {
		r.names = [2]map[string]unique.Handle[string]{{}, r.names[0]}
	}
	r.names[0][h.Value()] = h
	return h
}

// slab hands out short lists from large pieces of memory.
type slab[T any] struct {
	pieces [][]T
	at     int // the piece that lists are taken from
}

// pieceSize is how many elements one piece holds.
const pieceSize = 4096

// take returns an empty list with room for n, and for no more.
func (s *slab[T]) take(n int) []T {
	if n > pieceSize {
		return make([]T, 0, n)
	}
	for ; ; s.at++ {
		if s.at == len(s.pieces) {
			s.pieces = append(s.pieces, make([]T, 0, pieceSize))
		}
		piece := s.pieces[s.at]
		if from := len(piece); cap(piece)-from >= n {
			s.pieces[s.at] = piece[:from+n]
			return piece[from : from : from+n]
		}
	}
}

// reset takes back what was handed out. It keeps as many pieces as were in use.
func (s *slab[T]) reset() {
	s.pieces = s.pieces[:min(s.at+1, len(s.pieces))]
	for i, piece := range s.pieces {
		clear(piece)
		s.pieces[i] = piece[:0]
	}
	s.at = 0
}
