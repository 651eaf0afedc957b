package ingest

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// sessions gathers what goes to weir.sessions: facts about tokens, and what was
// read by each.
type sessions struct {
	facts   []stream.TokenFact
	reads   map[string]*stream.TokenRead // by token, ticks and identities
	entries int                          // touches of all reads
	issues  []int64                      // the ticks in which tokens were issued
}

func (s *sessions) drop() {
	s.facts, s.issues, s.entries = s.facts[:0], nil, 0
	clear(s.reads)
}

// fact notes a fact about a token.
func (s *sessions) fact(f stream.TokenFact) {
	s.facts = append(s.facts, f)
	if f.Kind == stream.TokenIssued && !slices.Contains(s.issues, f.Apply) {
		s.issues = append(s.issues, f.Apply)
	}
}

// read notes an access by a token. buffer is scratch, returned for the next call.
func (s *sessions) read(buffer []byte, token uint64, ev *event.Event, a *access, dims []event.Dimension, hasher event.Hasher) []byte {
	b := binary.LittleEndian.AppendUint64(buffer[:0], token)
	b = binary.AppendVarint(b, a.tick)
	b = binary.AppendUvarint(b, uint64(a.apply-a.tick))
	from := len(b)
	for _, d := range dims {
		at := len(b)
		b = append(b, 0, 0) // the length: identities are shorter than 1<<16
		var ok bool
		if b, ok = d.AppendIdentity(b, ev, hasher); ok {
			binary.LittleEndian.PutUint16(b[at:], uint16(len(b)-at-2)+1)
		}
	}
	r := s.reads[string(b)]
	if r == nil {
		if s.reads == nil {
			s.reads = map[string]*stream.TokenRead{}
		}
		key := string(b)
		r = &stream.TokenRead{Token: token, Tick: a.tick, Apply: a.apply, Identities: key[from:]}
		s.reads[key] = r
	}
	for _, h := range a.records {
		r.Touches = append(r.Touches, sketches.NewEntry(h, a.minute))
	}
	s.entries += len(a.records) + 1
	return b
}

// flush hands out what concerns tokens, as records of weir.sessions: at least one to
// each partition, so that all of them learn the progress.
func (s *sessions) flush(dimensions []string, partitions int32, topics []stream.Topic, progress []stream.Progress, emit Emit) {
	parts := make([]stream.SessionWriter, partitions)
	for i := range parts {
		parts[i].Begin(dimensions)
	}
	of := func(token uint64) int32 { return int32(token % uint64(partitions)) }
	for _, f := range s.facts {
		p := of(f.Token)
		parts[p].Fact(f)
		parts[p].Cut(p, emit)
	}
	for _, key := range slices.Sorted(maps.Keys(s.reads)) {
		r := s.reads[key]
		p := of(r.Token)
		parts[p].Read(r)
		parts[p].Cut(p, emit)
	}
	for p := range parts {
		emit(int32(p), parts[p].End(topics, progress, s.issues))
	}
}
