package stream

import (
	"encoding/binary"
	"fmt"

	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

// sessionsVersion is the first byte of every record on weir.sessions.
const sessionsVersion = 1

// tokenKind is what a fact says of a token.
type tokenKind byte

// The kinds of facts about tokens. A token is known by a keyed hash alone.
const (
	tokenIssued  tokenKind = iota // a login began with it, or it was issued
	tokenRevoked                  // it was revoked before its time
	tokenReads                    // no fact: marks an access in the encoded form
)

// tokenFact is one fact about one token, counted at the close of a tick.
type tokenFact struct {
	token uint64
	kind  tokenKind
	apply int64
}

// SessionBatch is one record on weir.sessions: what one ingest task saw of the
// tokens of one partition since its last commit. A commit too large for one
// record is several; the last of them carries what everybody is told.
type SessionBatch struct {
	Dimensions []string
	Topics     []Topic // of the sources; empty if not the last
	Progress   []Progress
	Issues     []int64 // ticks in which tokens of any partition were issued
	names      []string
	body       []byte
}

// sessionTouch is what one token read in one tick on behalf of some identities.
type sessionTouch struct {
	token       uint64
	tick, apply int64
	who         []identityRef
	records     sketches.Window
}

// identityRef names an identity: the dimension's index in the batch, and the name.
type identityRef struct {
	dimension int
	name      string
}

// sessionWriter builds the records of one partition. Names stand once a
// record, in a table.
type sessionWriter struct {
	dimensions []string
	body       []byte
	names      map[string]int
	table      []byte
}

func (w *sessionWriter) begin(dimensions []string) {
	w.dimensions, w.body, w.table, w.names = dimensions, w.body[:0], w.table[:0], map[string]int{}
}

func (w *sessionWriter) fact(f tokenFact) {
	w.body = append(w.body, byte(f.kind))
	w.body = binary.LittleEndian.AppendUint64(w.body, f.token)
	w.body = binary.AppendVarint(w.body, f.apply)
}

func (w *sessionWriter) read(r *tokenRead) {
	b := append(w.body, byte(tokenReads))
	b = binary.LittleEndian.AppendUint64(b, r.token)
	b = binary.AppendVarint(b, r.tick)
	b = binary.AppendUvarint(b, uint64(r.apply-r.tick))
	rest := r.identities
	for range w.dimensions { // for each: the name's number + 1, or 0 for none
		n := int(binary.LittleEndian.Uint16([]byte(rest[:2])))
		rest = rest[2:]
		if n == 0 {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(b, uint64(w.number(rest[:n-1]))+1)
		rest = rest[n-1:]
	}
	window := sketches.From(sketches.PartialPrecision, r.touches)
	w.body = window.AppendBinary(b)
}

func (w *sessionWriter) number(name string) int {
	n, ok := w.names[name]
	if !ok {
		n = len(w.names)
		w.names[name] = n
		w.table = wire.AppendText(w.table, name)
	}
	return n
}

// cut closes a record that has grown large.
func (w *sessionWriter) cut(partition int32, emit func(int32, []byte)) {
	if len(w.body)+len(w.table) > maxBatch {
		emit(partition, w.end(nil, nil, nil))
		w.begin(w.dimensions)
	}
}

func (w *sessionWriter) end(topics []Topic, progress []Progress, issues []int64) []byte {
	b := appendBatchHeader(nil, w.dimensions, topics, progress)
	b[0] = sessionsVersion
	b = binary.AppendUvarint(b, uint64(len(issues)))
	for _, tick := range issues {
		b = binary.AppendVarint(b, tick)
	}
	b = binary.AppendUvarint(b, uint64(len(w.names)))
	b = append(b, w.table...)
	return append(b, w.body...)
}

// DecodeSessions reads a record of weir.sessions, but for its body, which
// Join.Apply goes through.
func DecodeSessions(value []byte) (*SessionBatch, error) {
	r := wire.NewReader(value)
	r.Version(sessionsVersion)
	out := &SessionBatch{}
	out.Dimensions = wire.List(&r, r.Text)
	out.Topics = readTopics(&r)
	out.Progress = readProgress(&r)
	out.Issues = wire.List(&r, r.Varint)
	out.names = wire.List(&r, r.Text)
	out.body = r.Rest()
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("reading a batch of sessions: %w", err)
	}
	return out, nil
}

// each hands out the facts and the touches of a batch, in its order.
func (b *SessionBatch) each(fact func(tokenFact), touch func(sessionTouch)) error {
	r := wire.NewReader(b.body)
	for r.Len() > 0 {
		kind, token := tokenKind(r.Byte()), r.Uint64()
		if kind != tokenReads {
			f := tokenFact{token, kind, r.Varint()}
			if kind > tokenReads {
				r.Fail("unknown kind of fact")
			}
			if r.Err() == nil {
				fact(f)
			}
			continue
		}
		t := sessionTouch{token: token, tick: r.Varint()}
		t.apply = t.tick + int64(r.Uvarint())
		for d := range b.Dimensions {
			n := r.Uvarint()
			if n > uint64(len(b.names)) {
				r.Fail("unknown name")
			} else if n > 0 {
				t.who = append(t.who, identityRef{d, b.names[n-1]})
			}
		}
		t.records = wire.Decode(&r, sketches.DecodeWindow)
		if r.Err() == nil {
			touch(t)
		}
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("reading a batch of sessions: %w", err)
	}
	return nil
}
