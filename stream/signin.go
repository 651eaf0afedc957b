package stream

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"github.com/weirhq/weir/detectors"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/wire"
)

// SignIn tells that an account began a session in a tick, or was issued a token.
// It goes to the partition of the account alone, and counts as an act of someone
// who has left: of everybody else a session is no access, and it is dropped.
type SignIn struct {
	Account     string
	Tick, Apply int64 // Apply: as of Partial
}

// signIns gathers, for each partition, the sign-ins until the flush.
type signIns struct {
	dimension int // of accounts; none
	lists     [][]SignIn
	seen      map[SignIn]bool
}

func (s *signIns) drop() {
	clear(s.seen)
	for p := range s.lists {
		s.lists[p] = s.lists[p][:0]
	}
}

// signIn notes that a session began, or that a token was issued.
func (in *Ingest) signIn(ev *event.Event, apply int64) {
	s := &in.signed
	who := ev.Subject
	if who == "" {
		who = ev.Actor
	}
	if s.dimension == none || who == "" {
		return
	}
	is := SignIn{who, in.cfg.Grid.TickOf(ev.Time), apply}
	if s.seen[is] {
		return
	}
	is.Account = strings.Clone(who)
	s.seen[is] = true
	in.key = append(append(in.key[:0], byte(s.dimension)), who...)
	p := partitionOf(in.key) % uint64(len(s.lists))
	s.lists[p] = append(s.lists[p], is)
}

// flush hands out the sign-ins of a partition that do not fit into one header,
// and returns the rest.
func (s *signIns) flush(p int, emit func([]SignIn)) []SignIn {
	list := s.lists[p]
	for len(list) > factsPerRecord {
		emit(list[:factsPerRecord])
		list = list[factsPerRecord:]
	}
	return list
}

func appendSignIns(b []byte, list []SignIn) []byte {
	return wire.AppendList(b, list, func(b []byte, s *SignIn) []byte {
		b = wire.AppendText(b, s.Account)
		b = binary.AppendVarint(b, s.Tick)
		return binary.AppendUvarint(b, uint64(s.Apply-s.Tick))
	})
}

func readSignIns(r *wire.Reader) []SignIn {
	return wire.List(r, func() SignIn {
		s := SignIn{Account: r.Text(), Tick: r.Varint()}
		s.Apply = s.Tick + int64(r.Uvarint())
		return s
	})
}

// tellSignIns reports, after everybody who read in a tick was judged, the
// accounts that only signed in and whose owners have left.
func (d *Detect) tellSignIns(tick int64) {
	f := d.facts
	if f == nil {
		return
	}
	signed := f.signed.take(tick)
	if tick <= d.reported {
		return // a restore: told before, and part of the state
	}
	latest := map[string]int64{}
	for i := range signed {
		s := &signed[i]
		a := f.accounts[s.Account]
		if f.cfg.Rules.Left(&a, &detectors.Use{At: s.Tick * f.grid.Tick}) {
			latest[s.Account] = max(latest[s.Account], s.Tick)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(latest)) {
		key := append([]byte{byte(f.cfg.Account)}, name...)
		id := d.known(key)
		if id == nil {
			id = newIdentity(key) // it has never read
		} else if id.last == tick {
			continue // it did more than sign in
		}
		a := f.accounts[name]
		n := f.notice(id, tick, fact.ActedAfterLeave, a.Left+f.cfg.Rules.LeaveGrace, "left_at", stamp(a.Left))
		d.tellNotice(n, &cell{id: id, apply: tick})
	}
}
