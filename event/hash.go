package event

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/dchest/siphash"
	"github.com/weirhq/weir/internal/zerocopy"
)

// KeySize is the size of a record key in bytes.
const KeySize = 16

// HashVersion names how a record id becomes 64 bits: SipHash-2-4 of the id's
// text under the record key. State kept under another version cannot be used.
const HashVersion = 1

// Hasher hashes record ids under the record key. The key is what keeps anyone
// from crafting ids that collide, or from testing whether a known id was read.
type Hasher struct{ k0, k1 uint64 }

// NewHasher returns a Hasher of the given key.
func NewHasher(key [KeySize]byte) Hasher {
	return Hasher{binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:])}
}

// FixedHasher is the Hasher of files and demonstrations: its key is public, so
// that runs repeat. A deployment uses a secret key.
func FixedHasher() Hasher {
	return NewHasher([KeySize]byte([]byte("weir-fixed-key-1")))
}

// Hash returns the keyed hash of a record id.
func (h Hasher) Hash(id string) uint64 {
	return siphash.Hash(h.k0, h.k1, zerocopy.Bytes(id))
}

// sessionKey sets the hashes of sessions apart from those of records: the same
// text hashed as both gives two unrelated numbers.
const sessionKey = 0x73657373696f6e73 // "sessions"

// HashSession returns the keyed hash of a session, that is of a token. Tokens
// are secrets: only this goes further than ingest.
func (h Hasher) HashSession(token string) uint64 {
	return Hasher{h.k0 ^ sessionKey, h.k1}.Hash(token)
}

// AppendSession appends HashSession as 16 hexadecimal digits.
func (h Hasher) AppendSession(dst []byte, token string) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], h.HashSession(token))
	return hex.AppendEncode(dst, b[:])
}

// Derive returns a key of its own for a purpose: HMAC-SHA256 of its name under the
// record key. Who knows one learns nothing of the record key, nor of another.
func (h Hasher) Derive(purpose string) [32]byte {
	var key [KeySize]byte
	binary.LittleEndian.PutUint64(key[:8], h.k0)
	binary.LittleEndian.PutUint64(key[8:], h.k1)
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("weir derive 1 " + purpose))
	return [32]byte(mac.Sum(nil))
}

// Fingerprint names the key without telling it: eight bytes of SHA-256 over
// the key and the hash version. Equal fingerprints mean comparable hashes.
func (h Hasher) Fingerprint() string {
	var b [24]byte
	copy(b[:], "weirfp")
	b[7] = HashVersion
	binary.LittleEndian.PutUint64(b[8:], h.k0)
	binary.LittleEndian.PutUint64(b[16:], h.k1)
	sum := sha256.Sum256(b[:])
	return hex.EncodeToString(sum[:8])
}

// ParseKey reads a record key: 32 hexadecimal digits, as `openssl rand -hex 16`
// prints them, with white space around or not. False if text is none.
func ParseKey(text string) (Hasher, bool) {
	raw, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) != KeySize {
		return Hasher{}, false
	}
	return NewHasher([KeySize]byte(raw)), true
}
