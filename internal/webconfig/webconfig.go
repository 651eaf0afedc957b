// Package webconfig reads the web configuration of Prometheus and its exporters
// (github.com/prometheus/exporter-toolkit): TLS, headers, and users with bcrypt hashes.
//
// weir takes all of it but rate_limit. Prometheus asks its users on every path; weir
// asks them for the console alone, since scrapers and Slack come in by other ways.
package webconfig

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"
)

// Config is what a file says.
type Config struct {
	TLS   *tls.Config       // nil: plain HTTP
	Users map[string]string // name and bcrypt hash

	headers map[string]string
}

// Load reads a file. Files that it names start at its folder; certificates are read
// anew with each connection, all else once.
func Load(path string) (*Config, error) {
	if err := web.Validate(path); err != nil {
		return nil, fmt.Errorf("reading the web configuration %s: %w", path, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the web configuration: %w", err)
	}
	of := &web.Config{
		TLSConfig:  web.TLSConfig{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13},
		HTTPConfig: web.HTTPConfig{HTTP2: true},
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(of); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the web configuration %s: %w", path, err)
	}
	if of.RateLimiterConfig != (web.RateLimiterConfig{}) {
		return nil, fmt.Errorf("reading the web configuration %s: rate_limit is not taken: weir bounds connections and failed sign-ins itself", path)
	}
	c := &Config{Users: map[string]string{}, headers: of.HTTPConfig.Header}
	for name, hash := range of.Users {
		c.Users[name] = string(hash)
	}
	of.TLSConfig.SetDirectory(filepath.Dir(path))
	if of.TLSConfig.IsEnabled() {
		if c.TLS, err = web.ConfigToTLSConfig(&of.TLSConfig); err != nil {
			return nil, fmt.Errorf("reading the web configuration %s: %w", path, err)
		}
		if c.TLS.NextProtos = []string{"http/1.1"}; of.HTTPConfig.HTTP2 {
			c.TLS.NextProtos = []string{"h2", "http/1.1"}
		}
	}
	return c, nil
}

// Handler adds the headers of the file to each answer. A handler that sets one of them
// itself has the last word.
func (c *Config) Handler(next http.Handler) http.Handler {
	if len(c.headers) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range c.headers {
			w.Header().Set(name, value)
		}
		next.ServeHTTP(w, r)
	})
}
