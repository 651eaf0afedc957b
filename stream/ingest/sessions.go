package ingest

import (
	"slices"

	"github.com/weirhq/weir/internal/numbering"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// sessions gathers what goes to weir.sessions: facts about tokens, and what was
// read by each.
type sessions struct {
	facts    []stream.TokenFact
	reads    []tokenRead
	known    numbering.Index // of reads
	owners   []int32         // by access: the read that it belongs to, or noRead
	gathered gathering       // by read
	issues   []int64         // the ticks in which tokens were issued
	writer   stream.SessionWriter
	named    namesOfRecord
}

// noRead stands for the read of an access without a token.
const noRead = -1

// tokenRead is what one token read in one tick on behalf of one tuple of identities.
type tokenRead struct {
	token       uint64
	tick, apply int64
	access      int32 // the first
	several     bool  // accesses
}

func (s *sessions) drop() {
	s.facts, s.reads, s.issues, s.owners = s.facts[:0], s.reads[:0], nil, s.owners[:0]
	s.gathered.drop()
	s.known.Clear()
}

// fact notes a fact about a token.
func (s *sessions) fact(f stream.TokenFact) {
	s.facts = append(s.facts, f)
	if f.Kind == stream.TokenIssued && !slices.Contains(s.issues, f.Apply) {
		s.issues = append(s.issues, f.Apply)
	}
}

// noToken notes that an access came by none.
func (s *sessions) noToken() { s.owners = append(s.owners, noRead) }

// read notes an access by a token, which is the last of the log.
func (s *sessions) read(token uint64, a *access, log *accessLog, access int32) {
	h := token
	for _, at := range a.partials {
		h = (h ^ uint64(uint32(at))) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	at, ok := s.known.Find(uint32(h), func(n int32) bool { return s.reads[n].is(token, a, log) })
	if ok {
		r := &s.reads[at]
		if !r.several {
			r.several, s.gathered.sizes[at] = true, log.size(r.access)
		}
		s.gathered.sizes[at] += log.size(access)
	} else {
		at = int32(len(s.reads))
		s.reads = append(s.reads, tokenRead{token: token, tick: a.tick, apply: a.apply, access: access})
		s.known.Add(uint32(h), at)
		s.gathered.open()
	}
	s.owners = append(s.owners, at)
}

// is reports whether an access by a token belongs to the read.
func (r *tokenRead) is(token uint64, a *access, log *accessLog) bool {
	return r.token == token && r.tick == a.tick && r.apply == a.apply && slices.Equal(log.in(r.access), a.partials)
}

// flush hands out what concerns tokens, as records of weir.sessions: at least one to
// each partition, so that all of them learn the progress.
func (s *sessions) flush(dimensions []string, partials *openPartials, topics []stream.Topic, progress []stream.Progress, emit Emit) {
	s.gathered.gather(&partials.log, s.owners, 1)
	s.named.begin(len(partials.dirty))
	facts, reads := make([][]int32, partials.partitions), make([][]int32, partials.partitions)
	of := func(token uint64) int32 { return int32(token % uint64(partials.partitions)) }
	for i := range s.facts {
		p := of(s.facts[i].Token)
		facts[p] = append(facts[p], int32(i))
	}
	for i := range s.reads {
		p := of(s.reads[i].token)
		reads[p] = append(reads[p], int32(i))
	}
	for p := range partials.partitions {
		s.begin(partials.minutes, dimensions)
		cut := func() {
			if s.writer.Full() {
				emit(p, s.writer.End(nil, nil, nil))
				s.begin(partials.minutes, dimensions)
			}
		}
		for _, at := range facts[p] {
			s.writer.Fact(s.facts[at])
			cut()
		}
		for _, at := range reads[p] {
			s.write(at, partials)
			cut()
		}
		emit(p, s.writer.End(topics, progress, s.issues))
	}
}

func (s *sessions) begin(m stream.TickMinutes, dimensions []string) {
	s.named.next()
	s.writer.Begin(m, dimensions)
}

// write adds a read to the record that is being written.
func (s *sessions) write(at int32, partials *openPartials) {
	r := &s.reads[at]
	s.writer.Read(r.token, r.tick, r.apply)
	for _, of := range partials.log.in(r.access) {
		if of == noPartial {
			s.writer.NoIdentity()
			continue
		}
		place := partials.open[of].owner
		name, known := s.named.reference(place)
		if !known {
			name = s.writer.Name(partials.key(place)[1:])
			s.named.refer(place, name)
		}
		s.writer.Identity(name)
	}
	touched := partials.log.touched(r.access)
	if r.several {
		touched = s.gathered.of(at)
	}
	window := sketches.From(sketches.PartialPrecision, touched)
	s.writer.Records(&window)
}
