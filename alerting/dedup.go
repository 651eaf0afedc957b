package alerting

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// DedupSecret is a key of the deployment, under which the keys of its episodes are
// made, so that nobody can say beforehand what the key of an episode will be. Without
// one (nil, as of files) anybody can.
type DedupSecret []byte

// Key returns the key of an episode: "weir-" and 16 hexadecimal digits that follow
// from the dimension, the identity and the end of the tick at which the episode first
// opened (Unix milliseconds). It never changes while the episode lives, and two runs
// over the same events under the same secret give the same key, so that a receiver
// can fold repeated messages into one incident.
//
// The digits are the head of an HMAC-SHA256 under the secret, or of a SHA-256 without
// one, 64 bits: the chance that any two of a million episodes share a key is one in
// about 37 million.
func (s DedupSecret) Key(dimension, identity string, tickEnd int64) string {
	b := make([]byte, 0, len(dimension)+len(identity)+3*binary.MaxVarintLen64)
	// Lengths in front keep ("a", "bc") and ("ab", "c") apart.
	b = append(binary.AppendUvarint(b, uint64(len(dimension))), dimension...)
	b = append(binary.AppendUvarint(b, uint64(len(identity))), identity...)
	b = binary.BigEndian.AppendUint64(b, uint64(tickEnd))
	h := sha256.New()
	if s != nil {
		h = hmac.New(sha256.New, s)
	}
	h.Write(b)
	return "weir-" + hex.EncodeToString(h.Sum(nil)[:8])
}

// DedupKey returns the key of an episode of files, or of what is no episode, such as a
// sample: without a secret.
func DedupKey(dimension, identity string, tickEnd int64) string {
	return DedupSecret(nil).Key(dimension, identity, tickEnd)
}

// MessageID returns the id of the message of an alert: dedup key, status and
// time. A message that is sent again carries the same id, so that a receiver can
// drop the repeat. It holds letters, digits, '-' and '_' only.
func (a *Alert) MessageID() string {
	return a.DedupKey + "_" + string(a.Status) + "_" + strconv.FormatInt(int64(a.Time), 10)
}
