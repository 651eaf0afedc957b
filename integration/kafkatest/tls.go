package kafkatest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/testcontainers/testcontainers-go"
)

// Where the broker finds its key and whom it trusts.
const (
	serverKeystore   = "/opt/kafka/config/kafkatest-keystore.pem"
	serverTruststore = "/opt/kafka/config/kafkatest-truststore.pem"
)

// ClientPrincipal is the common name of the client certificate, which is the
// principal's name under WithMutualTLS.
const ClientPrincipal = "weir"

// TLSFiles are paths of PEM files for a client: the authority that signed the
// broker's certificate, and the client's own certificate and key.
type TLSFiles struct{ CA, Cert, Key string }

// TLSFiles returns the paths of the client's PEM files, for configurations that
// name files. They live as long as the test that started the broker. It is
// empty without WithTLS.
func (b *Broker) TLSFiles() TLSFiles { return b.files }

// TLSConfig returns a client's TLS configuration, with a client certificate
// under WithMutualTLS, and nil without WithTLS. The caller owns it.
func (b *Broker) TLSConfig() *tls.Config {
	if b.ca == nil {
		return nil
	}
	cfg := &tls.Config{RootCAs: b.ca.pool(), ServerName: b.host, MinVersion: tls.VersionTLS12}
	if b.settings.mutual {
		cfg.Certificates = []tls.Certificate{b.ca.client.certificate()}
	}
	return cfg
}

// authority is a certificate authority that lives as long as one broker.
type authority struct {
	root, server, client *identity
}

// identity is a certificate with its key, both also as PEM.
type identity struct {
	cert            *x509.Certificate
	key             crypto.Signer
	certPEM, keyPEM []byte
}

// newAuthority makes an authority, a server certificate for host and the
// loopback, and a client certificate.
func newAuthority(host string) (*authority, error) {
	root, err := newIdentity(nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: "kafkatest authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	})
	if err != nil {
		return nil, err
	}
	serverTemplate := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "broker"},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		serverTemplate.IPAddresses = append(serverTemplate.IPAddresses, ip)
	} else {
		serverTemplate.DNSNames = append(serverTemplate.DNSNames, host)
	}
	server, err := newIdentity(root, serverTemplate)
	if err != nil {
		return nil, err
	}
	client, err := newIdentity(root, &x509.Certificate{
		Subject:     pkix.Name{CommonName: ClientPrincipal},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, err
	}
	return &authority{root: root, server: server, client: client}, nil
}

// newIdentity makes a key and has the parent certify it; without a parent it
// certifies itself.
func newIdentity(parent *identity, template *x509.Certificate) (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the key of %s: %w", template.Subject.CommonName, err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("making a serial number: %w", err)
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour) // clocks of host and container may differ
	template.NotAfter = time.Now().Add(24 * time.Hour)
	signer := &identity{cert: template, key: key}
	if parent != nil {
		signer = parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, key.Public(), signer.key)
	if err != nil {
		return nil, fmt.Errorf("certifying %s: %w", template.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certifying %s: %w", template.Subject.CommonName, err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding the key of %s: %w", template.Subject.CommonName, err)
	}
	return &identity{
		cert: cert, key: key,
		certPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		keyPEM:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	}, nil
}

func (i *identity) certificate() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root.cert)
	return pool
}

// serverFiles are the broker's keystore (key, then certificate) and truststore.
func (a *authority) serverFiles() []testcontainers.ContainerFile {
	keystore := append(bytes.Clone(a.server.keyPEM), a.server.certPEM...)
	return []testcontainers.ContainerFile{
		{Reader: bytes.NewReader(keystore), ContainerFilePath: serverKeystore, FileMode: 0o644},
		{Reader: bytes.NewReader(a.root.certPEM), ContainerFilePath: serverTruststore, FileMode: 0o644},
	}
}

// writeClientFiles writes what TLSFiles names.
func (a *authority) writeClientFiles(dir string) (TLSFiles, error) {
	files := TLSFiles{
		CA:   filepath.Join(dir, "ca.pem"),
		Cert: filepath.Join(dir, "client.pem"),
		Key:  filepath.Join(dir, "client-key.pem"),
	}
	for path, text := range map[string][]byte{files.CA: a.root.certPEM, files.Cert: a.client.certPEM, files.Key: a.client.keyPEM} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return TLSFiles{}, fmt.Errorf("writing the client's TLS files: %w", err)
		}
	}
	return files, nil
}
