package ingest

import (
	"cmp"
	"strings"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
)

// signIns gathers, for each partition, the sign-ins until the flush.
type signIns struct {
	dimension int // of accounts; stream.NoDimension: there is none
	lists     [][]stream.SignIn
	seen      map[stream.SignIn]bool
	key       []byte // scratch
}

func (s *signIns) drop() {
	clear(s.seen)
	for p := range s.lists {
		s.lists[p] = s.lists[p][:0]
	}
}

func newSignIns(dimension int, partitions int32) signIns {
	return signIns{dimension: dimension, lists: make([][]stream.SignIn, partitions), seen: map[stream.SignIn]bool{}}
}

// add notes that a session began, or that a token was issued, in a tick.
func (s *signIns) add(ev *event.Event, tick, apply int64) {
	who := cmp.Or(ev.Subject, ev.Actor)
	if s.dimension == stream.NoDimension || who == "" {
		return
	}
	is := stream.SignIn{Account: who, Tick: tick, Apply: apply}
	if s.seen[is] {
		return
	}
	is.Account = strings.Clone(who)
	s.seen[is] = true
	s.key = append(append(s.key[:0], byte(s.dimension)), who...)
	p := stream.PartitionOf(s.key) % uint64(len(s.lists))
	s.lists[p] = append(s.lists[p], is)
}

// flush hands out the sign-ins of a partition that do not fit into one header,
// and returns the rest.
func (s *signIns) flush(p int, emit func([]stream.SignIn)) []stream.SignIn {
	list := s.lists[p]
	for len(list) > factsPerRecord {
		emit(list[:factsPerRecord])
		list = list[factsPerRecord:]
	}
	return list
}
