package stream

import (
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/sketches"
)

// Room is memory for what partials hold that are read, used again from one tick to
// the next. The zero value is ready for use.
type Room struct {
	entries slab[sketches.Entry]
	traits  slab[trait.Count]
	names   trait.Names
}

// Reset takes back all that was read into the room, but for the names of traits.
func (r *Room) Reset() {
	r.entries.reset()
	r.traits.reset()
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
