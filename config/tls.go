package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// Client returns the client side of TLS as configured, or nil if it is not
// enabled. Errors name the file and what is wrong with it.
func (t *TLS) Client() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	c := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify, // said in Warnings; some test clusters have no authority
	}
	var err error
	if c.RootCAs, err = roots(t.CAFile); err != nil {
		return nil, err
	}
	if t.CertFile != "" || t.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("reading the client certificate %s and its key %s: %w", t.CertFile, t.KeyFile, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// TLS returns the TLS of a destination; nil means the system's roots.
func (d *Destination) TLS() (*tls.Config, error) {
	pool, err := roots(d.CAFile)
	if err != nil || pool == nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}, nil
}

// roots reads the authorities of a PEM file; nil for no file.
func roots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the authorities: %w", err)
	}
	pool, err := parseRoots(pem)
	if err != nil {
		return nil, fmt.Errorf("reading the authorities: %s %w", path, err)
	}
	return pool, nil
}

func parseRoots(pem []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("holds no certificate; want a PEM file with -----BEGIN CERTIFICATE-----")
	}
	return pool, nil
}

// parsePair checks that a certificate and a key belong together.
func parsePair(cert, key []byte) error {
	_, err := tls.X509KeyPair(cert, key)
	return err
}
