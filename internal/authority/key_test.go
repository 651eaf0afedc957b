package authority

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

// A key is read as openssl writes it; an error does not quote it.
func TestParsePrivateKey(t *testing.T) {
	der, err := x509.MarshalPKCS8PrivateKey(keyOf('k'))
	if err != nil {
		t.Fatal(err)
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if got, err := ParsePrivateKey(secret); err != nil || !got.Equal(keyOf('k')) {
		t.Error(err)
	}
	public := strings.ReplaceAll(string(secret), "PRIVATE", "PUBLIC")
	for _, text := range []string{"", "hunter2", public, "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n"} {
		if _, err := ParsePrivateKey([]byte(text)); err == nil || !strings.Contains(err.Error(), "openssl genpkey") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
