package stream

import (
	"encoding/binary"
	"fmt"

	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

// TokenRead is what one token read in one tick on behalf of one tuple of
// identities, until the flush.
type TokenRead struct {
	Token       uint64
	Tick, Apply int64
	Identities  string // for each dimension in order: length + 1 and name, or 0
	Touches     []sketches.Entry
}

// sessionsVersion is the first byte of every record on weir.sessions.
const sessionsVersion = 1

// TokenKind is what a fact says of a token.
type TokenKind byte

// The kinds of facts about tokens. A token is known by a keyed hash alone.
const (
	TokenIssued  TokenKind = iota // a login began with it, or it was issued
	TokenRevoked                  // it was revoked before its time
	tokenReads                    // no fact: marks an access in the encoded form
)

// TokenFact is one fact about one token, counted at the close of a tick.
type TokenFact struct {
	Token uint64
	Kind  TokenKind
	Apply int64
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

// SessionTouch is what one token read in one tick on behalf of some identities.
type SessionTouch struct {
	Token       uint64
	Tick, Apply int64
	Who         []IdentityRef
	Records     sketches.Window
}

// IdentityRef names an identity: the dimension's index in the batch, and the name.
type IdentityRef struct {
	Dimension int
	Name      string
}

// SessionWriter builds the records of one partition. Names stand once a
// record, in a table.
type SessionWriter struct {
	dimensions []string
	body       []byte
	names      map[string]int
	table      []byte
}

// Begin begins a record.
func (w *SessionWriter) Begin(dimensions []string) {
	w.dimensions, w.body, w.table, w.names = dimensions, w.body[:0], w.table[:0], map[string]int{}
}

// Fact adds a fact about a token.
func (w *SessionWriter) Fact(f TokenFact) {
	w.body = append(w.body, byte(f.Kind))
	w.body = binary.LittleEndian.AppendUint64(w.body, f.Token)
	w.body = binary.AppendVarint(w.body, f.Apply)
}

// Read adds what a token read.
func (w *SessionWriter) Read(r *TokenRead) {
	b := append(w.body, byte(tokenReads))
	b = binary.LittleEndian.AppendUint64(b, r.Token)
	b = binary.AppendVarint(b, r.Tick)
	b = binary.AppendUvarint(b, uint64(r.Apply-r.Tick))
	rest := r.Identities
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
	window := sketches.From(sketches.PartialPrecision, r.Touches)
	w.body = window.AppendBinary(b)
}

func (w *SessionWriter) number(name string) int {
	n, ok := w.names[name]
	if !ok {
		n = len(w.names)
		w.names[name] = n
		w.table = wire.AppendText(w.table, name)
	}
	return n
}

// Cut emits the record, and begins the next, if it has grown large.
func (w *SessionWriter) Cut(partition int32, emit func(int32, []byte)) {
	if len(w.body)+len(w.table) > MaxBatch {
		emit(partition, w.End(nil, nil, nil))
		w.Begin(w.dimensions)
	}
}

// End returns the record. Topics, progress and the ticks in which tokens were issued
// stand in the last record of a flush.
func (w *SessionWriter) End(topics []Topic, progress []Progress, issues []int64) []byte {
	b := AppendBatchHeader(nil, w.dimensions, topics, progress)
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
// Task.Apply goes through.
func DecodeSessions(value []byte) (*SessionBatch, error) {
	r := wire.NewReader(value)
	r.Version(sessionsVersion)
	out := &SessionBatch{}
	out.Dimensions = wire.List(&r, r.Text)
	out.Topics = ReadTopics(&r)
	out.Progress = ReadProgress(&r)
	out.Issues = wire.List(&r, r.Varint)
	out.names = wire.List(&r, r.Text)
	out.body = r.Rest()
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("reading a batch of sessions: %w", err)
	}
	return out, nil
}

// Each hands out the facts and the touches of a batch, in its order.
func (b *SessionBatch) Each(fact func(TokenFact), touch func(SessionTouch)) error {
	r := wire.NewReader(b.body)
	for r.Len() > 0 {
		kind, token := TokenKind(r.Byte()), r.Uint64()
		if kind != tokenReads {
			f := TokenFact{token, kind, r.Varint()}
			if kind > tokenReads {
				r.Fail("unknown kind of fact")
			}
			if r.Err() == nil {
				fact(f)
			}
			continue
		}
		t := SessionTouch{Token: token, Tick: r.Varint()}
		t.Apply = t.Tick + int64(r.Uvarint())
		for d := range b.Dimensions {
			n := r.Uvarint()
			if n > uint64(len(b.names)) {
				r.Fail("unknown name")
			} else if n > 0 {
				t.Who = append(t.Who, IdentityRef{d, b.names[n-1]})
			}
		}
		t.Records = wire.Decode(&r, sketches.DecodeWindow)
		if r.Err() == nil {
			touch(t)
		}
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("reading a batch of sessions: %w", err)
	}
	return nil
}
