// Package ledger chains what weir said and what people said to it, so that no
// warning can be made to disappear, or changed, without a trace.
//
// Every record holds the SHA-256 of the record before it (as in Haber and
// Stornetta, "How to Time-Stamp a Digital Document", 1991) and its own. So
// whoever changes, drops, moves or inserts one must write every later one anew;
// and a checkpoint, the number and hash of one record, kept elsewhere and
// signed, shows that too, and a cut-off end.
//
// The package is pure: bytes in, bytes out. Package stream/kafka writes the
// records, in the transactions that write the alerts themselves.
package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Kind says what a record holds.
type Kind string

// The kinds.
const (
	Alert       Kind = "alert"       // as written for people
	Suppression Kind = "suppression" // an alert that was held back, and what held it
	Verdict     Kind = "verdict"     // what a person said, when it took effect
	Refusal     Kind = "refusal"     // what stood on the topic of verdicts and does not count, and why
	Config      Kind = "config"      // the settings in force from here on
	Check       Kind = "checkpoint"  // a checkpoint that was sent outside
)

func (k Kind) valid() bool {
	switch k {
	case Alert, Suppression, Verdict, Refusal, Config, Check:
		return true
	}
	return false
}

// Hash is a SHA-256.
type Hash [sha256.Size]byte

// String returns the hash in hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the hash in hexadecimal digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (h *Hash) UnmarshalText(text []byte) error {
	b, err := hex.AppendDecode(nil, text)
	if err != nil || len(b) != len(h) {
		return fmt.Errorf("a hash of %d characters: want %d hexadecimal digits", len(text), 2*len(h))
	}
	copy(h[:], b)
	return nil
}

// Head is where a chain ends: number and hash of its last record. The zero
// value is that of an empty chain.
type Head struct {
	Seq  int64 `json:"seq"` // 1 for the first record
	Hash Hash  `json:"hash"`
}

// Record is one link. Its JSON has the keys of this struct in this order,
// without spaces:
//
//	{"seq":2,"prev":"…","kind":"alert","time":"2026-03-03T15:00:00.000Z","body":{…},"hash":"…"}
//
// hash is the SHA-256 of all bytes before `,"hash":`.
type Record struct {
	Seq  int64           `json:"seq"`
	Prev Hash            `json:"prev"` // hash of the record before; of the first record zero
	Kind Kind            `json:"kind"`
	Time time.Time       `json:"time"` // what the body says; UTC, milliseconds
	Body json.RawMessage `json:"body"`
	Hash Hash            `json:"hash"`
}

const (
	timeLayout = "2006-01-02T15:04:05.000Z"
	hashKey    = `,"hash":"`
	tailLen    = len(hashKey) + 2*sha256.Size + len(`"}`)
)

// Append appends the record that follows head, of body, which is one JSON
// value, and returns it with the new head. at is cut to milliseconds.
func Append(head Head, kind Kind, at time.Time, body []byte) ([]byte, Head, error) {
	if !kind.valid() {
		return nil, head, fmt.Errorf("chaining a record: there is no kind %q", kind)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		return nil, head, fmt.Errorf("chaining a record of kind %s: its body is no JSON: %w", kind, err)
	}
	b := append([]byte(nil), `{"seq":`...)
	b = strconv.AppendInt(b, head.Seq+1, 10)
	b = append(b, `,"prev":"`...)
	b = hex.AppendEncode(b, head.Hash[:])
	b = append(append(b, `","kind":"`...), kind...)
	b = append(b, `","time":"`...)
	b = at.UTC().AppendFormat(b, timeLayout)
	b = append(b, `","body":`...)
	b = append(b, compact.Bytes()...)
	next := Head{head.Seq + 1, sha256.Sum256(b)}
	return appendTail(b, next.Hash), next, nil
}

// Errors of Parse.
var (
	ErrNoRecord = errors.New("not a record of a ledger")
	ErrAltered  = errors.New("its content does not match its own hash")
)

// Parse reads one record and checks it against its own hash. Whether it
// follows from the one before is for a Verifier to say. With ErrAltered the
// record is returned as far as it can be read.
func Parse(b []byte) (*Record, error) {
	if len(b) < tailLen || !bytes.HasPrefix(b[len(b)-tailLen:], []byte(hashKey)) {
		return nil, ErrNoRecord
	}
	r := new(Record)
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoRecord, err)
	}
	// Compared as text: hexadecimal digits have two forms, and only one of them
	// was written.
	sum := sha256.Sum256(b[:len(b)-tailLen])
	if !bytes.Equal(b[len(b)-tailLen:], appendTail(nil, sum)) {
		return r, ErrAltered
	}
	return r, nil
}

func appendTail(b []byte, h Hash) []byte {
	b = append(b, hashKey...)
	b = hex.AppendEncode(b, h[:])
	return append(b, `"}`...)
}

// HeadOf returns the head of a chain that ends with the record.
func HeadOf(b []byte) (Head, error) {
	r, err := Parse(b)
	if err != nil {
		return Head{}, fmt.Errorf("reading the end of the ledger: %w", err)
	}
	return Head{r.Seq, r.Hash}, nil
}
