package access

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// nobodysHash is the hash of a password that nobody has.
const nobodysHash = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"

// CheckPasswordHash reports what is wrong with the hash of a password, without
// quoting it.
func CheckPasswordHash(hash string) error {
	cost, err := bcrypt.Cost([]byte(hash))
	switch {
	case err != nil:
		return errors.New("is no hash of bcrypt; make one with `htpasswd -nBC 10 NAME`, and take what stands after the colon")
	case cost > 14:
		return fmt.Errorf("has a cost of %d, which takes seconds at each request; want 10 to 14", cost)
	}
	return nil
}

// CheckTokenHash reports what is wrong with the hash of a token, without quoting it.
func CheckTokenHash(hash string) error {
	if b, err := hex.DecodeString(hash); err != nil || len(b) != sha256.Size {
		return errors.New("is no SHA-256 in hex: 64 digits from 0 to f")
	}
	return nil
}

// passwords checks passwords. bcrypt is slow on purpose, so one is checked at a
// time, and what was right is remembered for as long as the process lives, by a
// hash of both. right is the slow check.
type passwords struct {
	slow  sync.Mutex // held while one is checked
	mu    sync.Mutex // of known
	known map[[sha256.Size]byte]bool
}

// maxKnown bounds what is remembered.
const maxKnown = 1000

func (p *passwords) right(hash, password string) bool {
	p.slow.Lock()
	err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
	p.slow.Unlock()
	if err != nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxKnown {
		p.known = map[[sha256.Size]byte]bool{}
	}
	p.known[digest(hash, password)] = true
	return true
}

// isKnown reports whether a password was found right before.
func (p *passwords) isKnown(hash, password string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known[digest(hash, password)]
}

func digest(hash, password string) [sha256.Size]byte {
	return sha256.Sum256([]byte(hash + "\x00" + password))
}

// limiter refuses an address that has failed to sign in too often.
type limiter struct {
	now func() time.Time

	mu   sync.Mutex
	from map[string]attempts
}

type attempts struct {
	since time.Time
	n     int
}

// maxAttempts may fail in a minute, of one address; maxAddresses are told apart.
const (
	maxAttempts  = 10
	maxAddresses = 10_000
)

func (l *limiter) allows(address string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok := l.from[address]
	return !ok || a.n < maxAttempts || l.now().Sub(a.since) >= time.Minute
}

func (l *limiter) failed(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.from[address]
	if now := l.now(); now.Sub(a.since) >= time.Minute {
		a = attempts{since: now}
	}
	a.n++
	if l.from == nil || len(l.from) >= maxAddresses {
		l.from = map[string]attempts{}
	}
	l.from[address] = a
}
