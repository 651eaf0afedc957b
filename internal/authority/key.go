package authority

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// ParsePrivateKey reads an Ed25519 key in the PEM form that
// `openssl genpkey -algorithm ed25519` writes. Its error does not quote the key.
func ParsePrivateKey(text []byte) (ed25519.PrivateKey, error) {
	const how = "make one with: openssl genpkey -algorithm ed25519 -out NAME.key"
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("reading the signing key: it is no private key in PEM form; " + how)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("reading the signing key: it is malformed; " + how)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("reading the signing key: it is a %T, want Ed25519; %s", key, how)
	}
	return private, nil
}
