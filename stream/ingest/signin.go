package ingest

import (
	"strings"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
)

// signIns gathers, for each partition, the sign-ins until the flush.
type signIns struct {
	dimension int // of accounts; none
	lists     [][]stream.SignIn
	seen      map[stream.SignIn]bool
}

func (s *signIns) drop() {
	clear(s.seen)
	for p := range s.lists {
		s.lists[p] = s.lists[p][:0]
	}
}

// signIn notes that a session began, or that a token was issued.
func (in *Worker) signIn(ev *event.Event, apply int64) {
	s := &in.signed
	who := ev.Subject
	if who == "" {
		who = ev.Actor
	}
	if s.dimension == stream.NoDimension || who == "" {
		return
	}
	is := stream.SignIn{Account: who, Tick: in.cfg.Grid.TickOf(ev.Time), Apply: apply}
	if s.seen[is] {
		return
	}
	is.Account = strings.Clone(who)
	s.seen[is] = true
	in.key = append(append(in.key[:0], byte(s.dimension)), who...)
	p := stream.PartitionOf(in.key) % uint64(len(s.lists))
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
