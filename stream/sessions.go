package stream

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/internal/zerocopy"
	"github.com/weirhq/weir/sketches"
)

// sessionsVersion is the first byte of every record on weir.sessions. In the version
// before it all windows stood in the general form, and the minutes of a tick were not told.
const sessionsVersion = 2

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
	Dimensions  []string
	Topics      []Topic // of the sources; empty if not the last
	Progress    []Progress
	Issues      []int64     // ticks in which tokens of any partition were issued
	minutes     TickMinutes // 0: of the version before
	names       []span      // in value
	value, body []byte
	dims        []int // by dimension of the batch: the number that it has here, NoDimension if none
}

// span is where a text stands.
type span struct{ from, to int32 }

// SessionTouch is what one token read in one tick. On behalf of whom and which records is
// read when it is wanted, which is seldom; until then it keeps the batch.
type SessionTouch struct {
	Token       uint64
	Tick, Apply int64
	batch       *SessionBatch
	at          int32 // where the rest begins in the body
}

// SessionRead is a SessionTouch with all that it tells, in memory of its own.
type SessionRead struct {
	Token       uint64
	Tick, Apply int64
	Who         []IdentityRef
	Records     sketches.Window
}

// IdentityRef names an identity: the number of its dimension, and the name.
type IdentityRef struct {
	Dimension int
	Name      string
}

// SessionWriter builds the records of one partition. Names stand once a
// record, in a table.
type SessionWriter struct {
	minutes    TickMinutes
	dimensions []string
	start      uint32 // minute, of the tick of the read that is being written
	body       []byte
	names      int // in table
	table      []byte
}

// Begin begins a record.
func (w *SessionWriter) Begin(m TickMinutes, dimensions []string) {
	w.minutes, w.dimensions, w.body, w.table, w.names = m, dimensions, w.body[:0], w.table[:0], 0
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
	w.start = w.minutes.Start(tick)
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
func (w *SessionWriter) Records(r *sketches.Window) { w.body = appendWindow(w.body, r, w.start) }

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
	b = binary.AppendUvarint(b, uint64(w.minutes))
	b = binary.AppendUvarint(b, uint64(len(issues)))
	for _, tick := range issues {
		b = binary.AppendVarint(b, tick)
	}
	b = binary.AppendUvarint(b, uint64(w.names))
	b = append(b, w.table...)
	return append(b, w.body...)
}

// DecodeSessions reads a record of weir.sessions, but for its body, which
// Task.Apply goes through. The batch aliases value.
func DecodeSessions(value []byte) (*SessionBatch, error) {
	r := wire.NewReader(value)
	old := len(value) > 0 && value[0] == sessionsVersion-1
	if old {
		r.Byte()
	} else {
		r.Version(sessionsVersion)
	}
	out := &SessionBatch{value: value}
	out.Dimensions = wire.List(&r, r.Text)
	out.Topics = ReadTopics(&r)
	out.Progress = ReadProgress(&r)
	if !old {
		out.minutes = TickMinutes(r.Uvarint())
	}
	out.Issues = wire.List(&r, r.Varint)
	out.names = wire.List(&r, func() span {
		size := len(r.Bytes())
		end := len(value) - r.Len()
		return span{int32(end - size), int32(end)}
	})
	out.body = r.Rest()
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("reading a batch of sessions: %w", err)
	}
	return out, nil
}

// Each hands out the facts and the touches of a batch, in its order. dims[i] is the
// number that dimension i of the batch has here, NoDimension if it has none. All that
// SessionTouch.Read will read is checked.
func (b *SessionBatch) Each(dims []int, fact func(TokenFact), touch func(SessionTouch)) error {
	b.dims = dims
	r := partialReader{Reader: wire.NewReader(b.body), skim: true}
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
		t := SessionTouch{Token: token, Tick: r.Varint(), batch: b}
		t.Apply = t.Tick + int64(r.Uvarint())
		t.at = int32(len(b.body) - r.Len())
		b.rest(&r, t.Tick, func(int, string) {})
		if r.Err() == nil {
			touch(t)
		}
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("reading a batch of sessions: %w", err)
	}
	return nil
}

// Read returns all that a touch tells, without the identities of dimensions that are not
// known here.
func (t *SessionTouch) Read() SessionRead {
	out := SessionRead{Token: t.Token, Tick: t.Tick, Apply: t.Apply}
	r := partialReader{Reader: wire.NewReader(t.batch.body[t.at:])}
	out.Records = t.batch.rest(&r, t.Tick, func(dim int, name string) {
		if dim = t.batch.dims[dim]; dim != NoDimension {
			out.Who = append(out.Who, IdentityRef{dim, strings.Clone(name)})
		}
	})
	return out
}

// rest reads on behalf of whom a token read, and which records. Names are good as long as
// the batch.
func (b *SessionBatch) rest(r *partialReader, tick int64, who func(dim int, name string)) sketches.Window {
	for d := range b.Dimensions {
		n := r.Uvarint()
		switch {
		case n > uint64(len(b.names)):
			r.Fail("unknown name")
		case n > 0:
			at := b.names[n-1]
			who(d, zerocopy.String(b.value[at.from:at.to]))
		}
	}
	if b.minutes == 0 {
		return wire.Decode(&r.Reader, sketches.DecodeWindow)
	}
	if w := r.window(b.minutes.Start(tick)); !w.Empty() {
		return w
	}
	return sketches.New(sketches.PartialPrecision)
}
