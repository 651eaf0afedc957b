package event

import (
	"encoding/hex"
	"strings"
	"testing"
)

// TestHashIsSipHash: the vector of the reference implementation (Aumasson and
// Bernstein, SipHash: a fast short-input PRF, appendix A). It pins HashVersion
// 1: a change of it makes all kept state useless.
func TestHashIsSipHash(t *testing.T) {
	var key [KeySize]byte
	for i := range key {
		key[i] = byte(i)
	}
	const id = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e"
	if got := NewHasher(key).Hash(id); got != 0xa129ca6149be45e5 {
		t.Errorf("got %#x", got)
	}
}

func TestFingerprint(t *testing.T) {
	a, b := FixedHasher(), NewHasher([KeySize]byte{1})
	if a.Fingerprint() != FixedHasher().Fingerprint() || a.Fingerprint() == b.Fingerprint() || len(a.Fingerprint()) != 16 {
		t.Errorf("got %s and %s", a.Fingerprint(), b.Fingerprint())
	}
}

// Keys that are derived differ by the purpose and by the record key, and stay the same.
func TestDerive(t *testing.T) {
	h := FixedHasher()
	a := h.Derive("verdicts")
	if a != h.Derive("verdicts") || a == h.Derive("dedup keys") || a == NewHasher([KeySize]byte{1}).Derive("verdicts") {
		t.Error("derived keys do not follow from purpose and record key alone")
	}
	if got := hex.EncodeToString(a[:8]); got != "a2dbd0d41fdafde1" {
		t.Errorf("the key of verdicts begins with %s: verdicts that were signed before count no more", got)
	}
}

func TestParseKey(t *testing.T) {
	h, ok := ParseKey("776569722d66697865642d6b65792d31\n")
	if !ok || h != FixedHasher() {
		t.Errorf("got %v, %t, want the key of FixedHasher", h, ok)
	}
	for name, text := range map[string]string{"short": "7765", "long": strings.Repeat("00", 17), "words": "weir-fixed-key-1", "empty": ""} {
		if _, ok := ParseKey(text); ok {
			t.Errorf("%s: %q was taken", name, text)
		}
	}
}
