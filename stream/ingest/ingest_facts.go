package ingest

import (
	"encoding/binary"
	"slices"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// factsPerRecord is how many facts one record carries at most; a list of all
// staff taken in at once becomes several records.
const factsPerRecord = 2000

// broadcast gathers what every partition of weir.partials is told: the rare
// facts, and which sources were active.
type broadcast struct {
	facts  []stream.FactRecord
	active []stream.ActiveSource
}

func (b *broadcast) drop() { b.facts, b.active = nil, nil }

// activeSource notes that a source brought something for a tick.
func (b *broadcast) activeSource(name string, tick int64) {
	is := stream.ActiveSource{Name: name, Tick: tick}
	for i := len(b.active) - 1; i >= 0; i-- { // the latest is the likeliest
		if b.active[i] == is {
			return
		}
	}
	b.active = append(b.active, is)
}

// flush hands out the facts that do not fit into one header; the rest stays.
func (b *broadcast) flush(emit func(facts []stream.FactRecord)) {
	for len(b.facts) > factsPerRecord {
		emit(b.facts[:factsPerRecord])
		b.facts = b.facts[factsPerRecord:]
	}
}

// fact takes in an event that touches no record. What is about a token goes to
// the join of its partition, what is about a person or a key to everybody; that
// somebody signed in to the account's partition.
func (in *Worker) fact(ev *event.Event, apply int64) {
	switch ev.Action {
	case event.Login:
		in.signIn(ev, apply)
		in.tokenFact(ev, stream.TokenIssued, apply)
		return
	case event.Issue:
		if ev.Session != "" {
			in.signIn(ev, apply)
			in.tokenFact(ev, stream.TokenIssued, apply)
			return
		}
	case event.Revoke:
		if ev.Session != "" {
			in.tokenFact(ev, stream.TokenRevoked, apply)
			return
		}
	case event.Join, event.Leave, event.Retire:
	default:
		return
	}
	e := ev.Clone()
	in.told.facts = append(in.told.facts, stream.FactRecord{
		LifecycleEvent: fact.LifecycleEvent{Action: e.Action, Time: e.Time, Actor: e.Actor, Subject: e.Subject, KeyID: e.KeyID, SomeKeys: e.SomeKeys},
		Apply:          apply,
	})
}

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

func (in *Worker) tokenFact(ev *event.Event, kind stream.TokenKind, apply int64) {
	if ev.Session == "" {
		return
	}
	if kind == stream.TokenIssued {
		in.told.activeSource(fact.TokensIssued, apply)
	}
	if in.cfg.SessionsTopic == "" {
		return
	}
	in.tokens.facts = append(in.tokens.facts, stream.TokenFact{Token: in.cfg.Hasher.HashSession(ev.Session), Kind: kind, Apply: apply})
	if kind == stream.TokenIssued && !slices.Contains(in.tokens.issues, apply) {
		in.tokens.issues = append(in.tokens.issues, apply)
	}
}

// sessionRead notes an access by a token, whose hashed records are in.hashes.
func (in *Worker) sessionRead(ev *event.Event, tick, apply int64, minute uint32) {
	if in.cfg.SessionsTopic == "" || ev.Session == "" {
		return
	}
	token := in.cfg.Hasher.HashSession(ev.Session)
	b := binary.LittleEndian.AppendUint64(in.key[:0], token)
	b = binary.AppendVarint(b, tick)
	b = binary.AppendUvarint(b, uint64(apply-tick))
	from := len(b)
	for _, d := range in.cfg.Dimensions {
		at := len(b)
		b = append(b, 0, 0) // the length: identities are shorter than 1<<16
		var ok bool
		if b, ok = d.AppendIdentity(b, ev, in.cfg.Hasher); ok {
			binary.LittleEndian.PutUint16(b[at:], uint16(len(b)-at-2)+1)
		}
	}
	in.key = b
	s := &in.tokens
	r := s.reads[string(b)]
	if r == nil {
		if s.reads == nil {
			s.reads = map[string]*stream.TokenRead{}
		}
		key := string(b)
		r = &stream.TokenRead{Token: token, Tick: tick, Apply: apply, Identities: key[from:]}
		s.reads[key] = r
	}
	for _, h := range in.hashes {
		r.Touches = append(r.Touches, sketches.NewEntry(h, minute))
	}
	s.entries += len(in.hashes) + 1
}

// withSessions adds the join's progress to what the watermark waits for.
func (in *Worker) withSessions(topics []stream.Topic) []stream.Topic {
	if in.cfg.SessionsTopic == "" || len(topics) == 0 {
		return topics
	}
	return append(slices.Clone(topics), stream.Topic{Name: in.cfg.SessionsTopic, Partitions: in.cfg.Partitions, Listed: topics[0].Listed})
}

// FlushSessions hands out, before Flush, what concerns tokens, as records of
// weir.sessions: at least one to each partition, so that all of them learn the
// progress. Without a join it hands out nothing.
func (in *Worker) FlushSessions(topics []stream.Topic, emit func(partition int32, value []byte)) {
	if in.cfg.SessionsTopic == "" {
		return
	}
	s := &in.tokens
	parts := make([]stream.SessionWriter, in.cfg.Partitions)
	for i := range parts {
		parts[i].Begin(in.names)
	}
	of := func(token uint64) int32 { return int32(token % uint64(in.cfg.Partitions)) }
	for _, f := range s.facts {
		p := of(f.Token)
		parts[p].Fact(f)
		parts[p].Cut(p, emit)
	}
	keys := make([]string, 0, len(s.reads))
	for key := range s.reads {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		r := s.reads[key]
		p := of(r.Token)
		parts[p].Read(r)
		parts[p].Cut(p, emit)
	}
	progress := in.Progress()
	for p := range parts {
		emit(int32(p), parts[p].End(topics, progress, s.issues))
	}
}
