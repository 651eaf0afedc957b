package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writePair writes a self-signed certificate and its key to dir.
func writePair(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Unix(1<<33, 0), IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		name + ".pem": {Type: "CERTIFICATE", Bytes: cert}, name + ".key": {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(filepath.Join(dir, path), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTLSClient(t *testing.T) {
	dir := t.TempDir()
	writePair(t, dir, "a")
	writePair(t, dir, "b")
	name := filepath.Join(dir, "weir.yaml")

	c, err := Parse(name, []byte("kafka: {tls: {enabled: true, ca_file: a.pem, cert_file: b.pem, key_file: b.key, server_name: kafka}}"), env)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Kafka.TLS.Client()
	if err != nil {
		t.Fatal(err)
	}
	if got.RootCAs == nil || len(got.Certificates) != 1 || got.ServerName != "kafka" || got.InsecureSkipVerify {
		t.Errorf("got %+v", got)
	}
	if off, err := Default().Kafka.TLS.Client(); off != nil || err != nil {
		t.Errorf("TLS that is off: %v, %v", off, err)
	}

	_, err = Parse(name, []byte("kafka: {tls: {enabled: true, cert_file: a.pem, key_file: b.key}}"), env)
	if err == nil || !strings.Contains(err.Error(), "private key does not match public key") {
		t.Errorf("a key of another certificate: %v", err)
	}

	// Files may go away between reading the configuration and using it.
	if err := os.Remove(filepath.Join(dir, "a.pem")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Kafka.TLS.Client(); err == nil || !strings.Contains(err.Error(), "reading the authorities") {
		t.Errorf("authorities that went away: %v", err)
	}
	d := Destination{CAFile: filepath.Join(dir, "b.key")}
	if _, err := d.TLS(); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("authorities that are none: %v", err)
	}
}
