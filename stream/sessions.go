package stream

import (
	"encoding/binary"
	"fmt"

	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

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
	names      int // in table
	table      []byte
}

// Begin begins a record.
func (w *SessionWriter) Begin(dimensions []string) {
	w.dimensions, w.body, w.table, w.names = dimensions, w.body[:0], w.table[:0], 0
}

// Fact adds a fact about a token.
func (w *SessionWriter) Fact(f TokenFact) {
	w.body = append(w.body, byte(f.Kind))
	w.body = binary.LittleEndian.AppendUint64(w.body, f.Token)
	w.body = binary.AppendVarint(w.body, f.Apply)
}

// Read begins what a token read in a tick. For each dimension in order Identity or
// NoIdentity must follow, and then Records.
func (w *SessionWriter) Read(token uint64, tick, apply int64) {
	w.body = append(w.body, byte(tokenReads))
	w.body = binary.LittleEndian.AppendUint64(w.body, token)
	w.body = binary.AppendVarint(w.body, tick)
	w.body = binary.AppendUvarint(w.body, uint64(apply-tick))
}

// Identity adds that the token read on behalf of an identity, by what Name returned.
func (w *SessionWriter) Identity(name int32) { w.body = binary.AppendUvarint(w.body, uint64(name)+1) }

// NoIdentity adds that it read on behalf of none of a dimension.
func (w *SessionWriter) NoIdentity() { w.body = append(w.body, 0) }

// Records adds which records it read.
func (w *SessionWriter) Records(r *sketches.Window) { w.body = r.AppendBinary(w.body) }

// Name adds a name to the table and returns its place there.
func (w *SessionWriter) Name(name string) int32 {
	w.table = wire.AppendText(w.table, name)
	w.names++
	return int32(w.names - 1)
}

// Full reports whether the record has grown so large that it should end.
func (w *SessionWriter) Full() bool { return len(w.body)+len(w.table) > MaxBatch }

// End returns the record. Topics, progress and the ticks in which tokens were issued
// stand in the last record of a flush.
func (w *SessionWriter) End(topics []Topic, progress []Progress, issues []int64) []byte {
	b := AppendBatchHeader(nil, w.dimensions, topics, progress)
	b[0] = sessionsVersion
	b = binary.AppendUvarint(b, uint64(len(issues)))
	for _, tick := range issues {
		b = binary.AppendVarint(b, tick)
	}
	b = binary.AppendUvarint(b, uint64(w.names))
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
	var who []IdentityRef // room for what many touches are on behalf of
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
		if cap(who)-len(who) < len(b.Dimensions) {
			who = make([]IdentityRef, 0, 64*len(b.Dimensions))
		}
		from := len(who)
		for d := range b.Dimensions {
			n := r.Uvarint()
			if n > uint64(len(b.names)) {
				r.Fail("unknown name")
			} else if n > 0 {
				who = append(who, IdentityRef{d, b.names[n-1]})
			}
		}
		t.Who = who[from:len(who):len(who)]
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
