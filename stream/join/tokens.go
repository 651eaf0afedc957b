package join

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// tokenKeep is after how many days without a read a token is forgotten.
const tokenKeep = 30

// token is what is known of a token.
type token struct {
	status  tokenStatus
	day     int32 // of its last read or issue, since 1970
	revoked int32 // tick, where status is tokenRevoked or tokenRevokedRead
}

type tokenStatus uint8

const (
	tokenIssued   tokenStatus = iota // as far as one can know
	tokenUnissued                    // nobody issued it
	tokenRevoked
	tokenRevokedRead // and it has read since
)

// tokenStore holds what is known of tokens, by their hash.
type tokenStore struct {
	grid    eventtime.Grid
	known   map[uint64]token
	changed map[uint64]bool // not written since they changed
	limit   uint64          // tokens of larger hash are passed over
}

func newTokenStore(grid eventtime.Grid) tokenStore {
	return tokenStore{grid: grid, known: map[uint64]token{}, changed: map[uint64]bool{}, limit: math.MaxUint64}
}

func (s *tokenStore) day(tick int64) int32 { return int32(eventtime.DayOf(s.grid.TickStart(tick))) }

// set enters a token as of a tick, in which it read or was issued.
func (s *tokenStore) set(hash uint64, t token, tick int64) {
	t.day = s.day(tick)
	s.known[hash] = t
	s.changed[hash] = true
}

// get returns what is known of a token at a tick; false if nothing is, or if that is
// so old that it counts as forgotten.
func (s *tokenStore) get(hash uint64, tick int64) (token, bool) {
	t, ok := s.known[hash]
	return t, ok && s.day(tick)-t.day <= tokenKeep
}

// forget drops what is known of a token.
func (s *tokenStore) forget(hash uint64) {
	if _, ok := s.known[hash]; ok {
		delete(s.known, hash)
		s.changed[hash] = true
	}
}

// passesOver reports whether a token is not looked at, since there are too many.
func (s *tokenStore) passesOver(hash uint64) bool { return hash > s.limit }

// halve passes over, from now on, half of all tokens: those of larger hash.
func (s *tokenStore) halve() {
	s.limit /= 2
	for hash := range s.known {
		if s.passesOver(hash) {
			s.forget(hash)
		}
	}
}

// tokenKeyPrefix begins the key of a token's record in the state; the hash follows.
const tokenKeyPrefix = 't'

// changes returns the records of tokens that have changed since the last call.
func (s *tokenStore) changes() (out []stream.Change) {
	const most = 9 + 1 + 2*binary.MaxVarintLen32 // bytes of a record
	out = make([]stream.Change, 0, len(s.changed))
	room := make([]byte, 0, most*len(s.changed))
	for _, hash := range slices.Sorted(maps.Keys(s.changed)) {
		room = binary.BigEndian.AppendUint64(append(room[len(room):], tokenKeyPrefix), hash)
		c := stream.Change{Key: slices.Clip(room)}
		if t, ok := s.known[hash]; ok {
			room = wire.AppendVarints(append(room[len(room):], byte(t.status)), int64(t.day))
			if t.status >= tokenRevoked {
				room = wire.AppendVarints(room, int64(t.revoked))
			}
			c.Value = slices.Clip(room)
		}
		out = append(out, c)
	}
	clear(s.changed)
	return out
}

// load takes over one record that changes has returned.
func (s *tokenStore) load(key, value []byte) error {
	if len(key) != 9 || key[0] != tokenKeyPrefix {
		return fmt.Errorf("reading the state of the join: %w", wire.ErrCorrupt)
	}
	hash := binary.BigEndian.Uint64(key[1:])
	if value == nil {
		delete(s.known, hash)
		return nil
	}
	r := wire.NewReader(value)
	t := token{status: tokenStatus(r.Byte()), day: int32(r.Varint())}
	if t.status >= tokenRevoked {
		t.revoked = int32(r.Varint())
	}
	if r.Err() == nil && t.status > tokenRevokedRead {
		r.Fail("unknown status of a token")
	}
	if r.Err() != nil {
		return fmt.Errorf("reading the state of the join: %w", r.Err())
	}
	s.known[hash] = t
	return nil
}
