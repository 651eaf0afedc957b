package ledger

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// CheckpointSchema is the version of a checkpoint's JSON form.
const CheckpointSchema = 1

// Checkpoint names one record of a ledger. Kept where those who can write to
// the ledger cannot, it shows that the ledger up to that record is still what
// it was. The signature shows who made it.
type Checkpoint struct {
	Schema    int       `json:"schema"`
	Ledger    string    `json:"ledger"` // name of the topic
	Seq       int64     `json:"seq"`
	Hash      Hash      `json:"hash"`
	At        time.Time `json:"at"`            // wall clock
	Key       string    `json:"key,omitempty"` // fingerprint of the public key: head of its SHA-256, 16 hexadecimal digits
	Signature []byte    `json:"signature,omitempty"`
}

// domain keeps a checkpoint's signature from being taken for one of anything
// else that the key may sign.
const domain = "weir ledger checkpoint 1\n"

// NewCheckpoint returns the checkpoint of a head, signed where key is not nil.
func NewCheckpoint(name string, head Head, at time.Time, key ed25519.PrivateKey) (Checkpoint, error) {
	c := Checkpoint{Schema: CheckpointSchema, Ledger: name, Seq: head.Seq, Hash: head.Hash, At: at.UTC().Truncate(time.Millisecond)}
	if head.Seq == 0 {
		return c, errors.New("making a checkpoint: the ledger is empty")
	}
	if key == nil {
		return c, nil
	}
	c.Key = Fingerprint(key.Public().(ed25519.PublicKey))
	message, err := c.message()
	if err != nil {
		return c, err
	}
	c.Signature = ed25519.Sign(key, message)
	return c, nil
}

// ErrSignature is wrapped by the refusal of a checkpoint whose signature does
// not hold.
var ErrSignature = errors.New("the signature does not hold")

// Verify checks the signature under a public key.
func (c Checkpoint) Verify(key ed25519.PublicKey) error {
	if len(c.Signature) == 0 {
		return fmt.Errorf("checking a checkpoint: %w: it has none", ErrSignature)
	}
	if want := Fingerprint(key); c.Key != want {
		return fmt.Errorf("checking a checkpoint: %w: it was made with the key %s, not with %s", ErrSignature, c.Key, want)
	}
	message, err := c.message()
	if err != nil {
		return err
	}
	if !ed25519.Verify(key, message, c.Signature) {
		return fmt.Errorf("checking a checkpoint: %w: it was changed, or forged", ErrSignature)
	}
	return nil
}

func (c Checkpoint) message() ([]byte, error) {
	c.Signature = nil
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("writing a checkpoint: %w", err)
	}
	return append([]byte(domain), b...), nil
}

// ParseCheckpoint reads one checkpoint as JSON.
func ParseCheckpoint(b []byte) (Checkpoint, error) {
	var c Checkpoint
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("reading a checkpoint: %w", err)
	}
	if c.Schema != CheckpointSchema || c.Seq < 1 {
		return c, fmt.Errorf("reading a checkpoint: schema %d and record %d: want schema %d and a record", c.Schema, c.Seq, CheckpointSchema)
	}
	return c, nil
}

// Fingerprint names a public key.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// ParsePrivateKey reads an Ed25519 key in the PEM form that
// `openssl genpkey -algorithm ed25519` writes.
func ParsePrivateKey(text []byte) (ed25519.PrivateKey, error) {
	const how = "make one with: openssl genpkey -algorithm ed25519 -out ledger.key"
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("reading the signing key: it is no private key in PEM form; " + how)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("reading the signing key: it is malformed; " + how) // the cause might quote it
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("reading the signing key: it is a %T, want Ed25519; %s", key, how)
	}
	return private, nil
}

// ParsePublicKey reads an Ed25519 key in the PEM form that
// `openssl pkey -pubout` writes.
func ParsePublicKey(text []byte) (ed25519.PublicKey, error) {
	const how = "make it with: openssl pkey -in ledger.key -pubout -out ledger.pub"
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("reading the public key: it is no public key in PEM form; " + how)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w; %s", err, how)
	}
	public, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("reading the public key: it is a %T, want Ed25519; %s", key, how)
	}
	return public, nil
}
