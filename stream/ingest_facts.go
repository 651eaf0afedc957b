package stream

import (
	"encoding/binary"
	"slices"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/sketches"
)

// factsPerRecord is how many facts one record carries at most; a list of all
// staff taken in at once becomes several records.
const factsPerRecord = 2000

// broadcast gathers what every partition of weir.partials is told: the rare
// facts, and which topics spoke.
type broadcast struct {
	facts  []FactRecord
	topics []Spoke
}

func (b *broadcast) drop() { b.facts, b.topics = nil, nil }

// spoke notes that a topic brought something for a tick.
func (b *broadcast) spoke(topic string, tick int64) {
	for i := len(b.topics) - 1; i >= 0; i-- { // the latest is the likeliest
		if b.topics[i] == (Spoke{topic, tick}) {
			return
		}
	}
	b.topics = append(b.topics, Spoke{topic, tick})
}

// flush hands out the facts that do not fit into one header; the rest stays.
func (b *broadcast) flush(emit func(facts []FactRecord)) {
	for len(b.facts) > factsPerRecord {
		emit(b.facts[:factsPerRecord])
		b.facts = b.facts[factsPerRecord:]
	}
}

// fact takes in an event that touches no record. What is about a token goes to
// the join of its partition, what is about a person or a key to everybody; that
// somebody signed in to the account's partition.
func (in *Ingest) fact(ev *event.Event, apply int64) {
	switch ev.Action {
	case event.Login:
		in.signIn(ev, apply)
		in.tokenFact(ev, tokenIssued, apply)
		return
	case event.Issue:
		if ev.Session != "" {
			in.signIn(ev, apply)
			in.tokenFact(ev, tokenIssued, apply)
			return
		}
	case event.Revoke:
		if ev.Session != "" {
			in.tokenFact(ev, tokenRevoked, apply)
			return
		}
	case event.Join, event.Leave, event.Retire:
	default:
		return
	}
	e := ev.Clone()
	in.told.facts = append(in.told.facts, FactRecord{
		Action: e.Action, Time: e.Time, Apply: apply, Actor: e.Actor, Subject: e.Subject, KeyID: e.KeyID,
	})
}

// sessions gathers what goes to weir.sessions: facts about tokens, and what was
// read by each.
type sessions struct {
	facts   []tokenFact
	reads   map[string]*tokenRead // by token, ticks and identities
	entries int                   // touches of all reads
	issues  []int64               // the ticks in which tokens were issued
}

// tokenRead is what one token read in one tick on behalf of one tuple of
// identities, until the flush.
type tokenRead struct {
	token       uint64
	tick, apply int64
	identities  string // for each dimension in order: length + 1 and name, or 0
	touches     []sketches.Entry
}

func (s *sessions) drop() {
	s.facts, s.issues, s.entries = s.facts[:0], nil, 0
	clear(s.reads)
}

func (in *Ingest) tokenFact(ev *event.Event, kind tokenKind, apply int64) {
	if ev.Session == "" {
		return
	}
	if kind == tokenIssued {
		in.told.spoke(tokensSpoke, apply)
	}
	if in.cfg.SessionsTopic == "" {
		return
	}
	in.tokens.facts = append(in.tokens.facts, tokenFact{in.cfg.Hasher.HashSession(ev.Session), kind, apply})
	if kind == tokenIssued && !slices.Contains(in.tokens.issues, apply) {
		in.tokens.issues = append(in.tokens.issues, apply)
	}
}

// sessionRead notes an access by a token, whose hashed records are in.hashes.
func (in *Ingest) sessionRead(ev *event.Event, tick, apply int64, minute uint32) {
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
			s.reads = map[string]*tokenRead{}
		}
		key := string(b)
		r = &tokenRead{token: token, tick: tick, apply: apply, identities: key[from:]}
		s.reads[key] = r
	}
	for _, h := range in.hashes {
		r.touches = append(r.touches, sketches.NewEntry(h, minute))
	}
	s.entries += len(in.hashes) + 1
}

// withSessions adds the join's progress to what the watermark waits for.
func (in *Ingest) withSessions(topics []Topic) []Topic {
	if in.cfg.SessionsTopic == "" || len(topics) == 0 {
		return topics
	}
	return append(slices.Clone(topics), Topic{in.cfg.SessionsTopic, in.cfg.Partitions, topics[0].Listed})
}

// FlushSessions hands out, before Flush, what concerns tokens, as records of
// weir.sessions: at least one to each partition, so that all of them learn the
// progress. Without a join it hands out nothing.
func (in *Ingest) FlushSessions(topics []Topic, emit func(partition int32, value []byte)) {
	if in.cfg.SessionsTopic == "" {
		return
	}
	s := &in.tokens
	parts := make([]sessionWriter, in.cfg.Partitions)
	for i := range parts {
		parts[i].begin(in.names)
	}
	of := func(token uint64) int32 { return int32(token % uint64(in.cfg.Partitions)) }
	for _, f := range s.facts {
		p := of(f.token)
		parts[p].fact(f)
		parts[p].cut(p, emit)
	}
	keys := make([]string, 0, len(s.reads))
	for key := range s.reads {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		r := s.reads[key]
		p := of(r.token)
		parts[p].read(r)
		parts[p].cut(p, emit)
	}
	progress := in.Progress()
	for p := range parts {
		emit(int32(p), parts[p].end(topics, progress, s.issues))
	}
}
