package ingest

import (
	"slices"

	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// sessions gathers what goes to weir.sessions: facts about tokens, and what was
// read by each.
type sessions struct {
	facts   []stream.TokenFact
	reads   []tokenRead
	latest  map[uint64]int32 // by hash of a read: the latest read of that hash, plus one
	touches touchLog         // of reads
	issues  []int64          // the ticks in which tokens were issued
	writer  stream.SessionWriter
	records int64 // begun by writer; counts from 1
}

// tokenRead is what one token read in one tick on behalf of one tuple of identities.
type tokenRead struct {
	token       uint64
	tick, apply int64
	access      int32 // where the partials of the identities begin in traitLists.accesses
	before      int32 // the read of equal hash before it, plus one; 0: there is none
}

func (s *sessions) drop() {
	s.facts, s.reads, s.issues = s.facts[:0], s.reads[:0], nil
	s.touches.drop()
	clear(s.latest)
}

// fact notes a fact about a token.
func (s *sessions) fact(f stream.TokenFact) {
	s.facts = append(s.facts, f)
	if f.Kind == stream.TokenIssued && !slices.Contains(s.issues, f.Apply) {
		s.issues = append(s.issues, f.Apply)
	}
}

// read notes an access by a token, which was the last to meet in traits.
func (s *sessions) read(token uint64, a *access, traits *traitLists) {
	h := token
	for _, at := range a.partials {
		h = (h ^ uint64(uint32(at))) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	if s.latest == nil {
		s.latest = map[uint64]int32{}
	}
	at := s.latest[h]
	for at != 0 && !s.reads[at-1].is(token, a, traits) {
		at = s.reads[at-1].before
	}
	if at == 0 {
		s.reads = append(s.reads, tokenRead{
			token: token, tick: a.tick, apply: a.apply, access: int32(len(traits.accesses) - len(a.partials)), before: s.latest[h],
		})
		s.touches.open()
		at = int32(len(s.reads))
		s.latest[h] = at
	}
	s.touches.add(at-1, a)
}

// is reports whether an access by a token belongs to the read.
func (r *tokenRead) is(token uint64, a *access, traits *traitLists) bool {
	return r.token == token && r.tick == a.tick && r.apply == a.apply && slices.Equal(traits.access(r.access), a.partials)
}

// entries returns how much memory the reads take, in touches.
func (s *sessions) entries() int { return s.touches.len() + len(s.reads) }

// flush hands out what concerns tokens, as records of weir.sessions: at least one to
// each partition, so that all of them learn the progress.
func (s *sessions) flush(dimensions []string, partials *openPartials, topics []stream.Topic, progress []stream.Progress, emit Emit) {
	s.touches.sort()
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
		s.begin(dimensions)
		cut := func() {
			if s.writer.Full() {
				emit(p, s.writer.End(nil, nil, nil))
				s.begin(dimensions)
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

func (s *sessions) begin(dimensions []string) {
	s.records++
	s.writer.Begin(dimensions)
}

// write adds a read to the record that is being written.
func (s *sessions) write(at int32, partials *openPartials) {
	r := &s.reads[at]
	s.writer.Read(r.token, r.tick, r.apply)
	for _, of := range partials.traits.access(r.access) {
		if of == noPartial {
			s.writer.NoIdentity()
			continue
		}
		a := partials.dirty[partials.open[of].owner]
		if a.read != s.records {
			a.read, a.reader = s.records, s.writer.Name(a.key[1:])
		}
		s.writer.Identity(a.reader)
	}
	window := sketches.From(sketches.PartialPrecision, s.touches.of(at))
	s.writer.Records(&window)
}
