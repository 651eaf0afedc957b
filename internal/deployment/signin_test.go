package deployment

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/console"
)

// certificate writes the certificate of httptest, which is for 127.0.0.1, and its key to
// a folder, and returns who trusts it.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	private, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "weir.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	write(t, filepath.Join(dir, "weir.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The web configuration of exporters gives TLS, headers and users; single sign-on and a
// proxy let in whom the roles name; machines come in as before.
func TestServeSignIn(t *testing.T) {
	dir := t.TempDir()
	pool := certificate(t, dir)
	hash, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "web.yml"), []byte(`
tls_server_config: {cert_file: weir.crt, key_file: weir.key, min_version: TLS13}
http_server_config: {headers: {Strict-Transport-Security: max-age=31536000}}
basic_auth_users: {ana: `+string(hash)+`}
`))
	text := []byte(`
http:
  web_config_file: web.yml
  oidc: {issuer: http://127.0.0.1:1, client_id: weir, client_secret: secret, redirect_url: https://weir.example/console/signed-in}
  proxy: {header: X-Forwarded-User, from: [127.0.0.1]}
  roles: [{name: ana, role: analyst}, {name: bob, role: viewer}]
`)
	c, err := config.Parse(filepath.Join(dir, "weir.yaml"), text, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	c.HTTP.Listen = "127.0.0.1:0"
	address := serveConfig(t, c, console.NewFeed())
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for _, x := range []struct {
		what, path, host string
		how              func(*http.Request)
		code             int
	}{
		{"nobody, a page", "/episodes/weir-1", "", nil, 303},
		{"nobody, the API", "/api/v1/episodes", "", nil, 401},
		{"a user of the web configuration", "/", "", func(r *http.Request) { r.SetBasicAuth("ana", "right") }, 200},
		{"a wrong password", "/", "", func(r *http.Request) { r.SetBasicAuth("ana", "wrong") }, 303},
		{"whom the proxy names", "/", "", func(r *http.Request) { r.Header.Set("X-Forwarded-User", "bob") }, 200},
		{"whom the proxy names, without a role", "/", "", func(r *http.Request) { r.Header.Set("X-Forwarded-User", "carl") }, 403},
		{"the host of the redirect", "/", "weir.example", func(r *http.Request) { r.SetBasicAuth("ana", "right") }, 200},
		{"another host signs in", "/console/sign-in", "thief.example", nil, 403},
		{"a provider that is away", "/console/sign-in", "", nil, 403},
		{"a scraper", "/metrics", "", nil, 200},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+x.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if r.Host = x.host; x.how != nil {
			x.how(r)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != x.code || resp.Header.Get("Strict-Transport-Security") == "" || resp.TLS.Version != tls.VersionTLS13 || resp.ProtoMajor != 2 {
			t.Errorf("%s: %d, TLS %x, HTTP %d, %v; want %d", x.what, resp.StatusCode, resp.TLS.Version, resp.ProtoMajor, resp.Header, x.code)
		}
		if x.code == 303 && resp.Header.Get("Location") != "/console/sign-in?next="+map[string]string{"/": "%2F", "/episodes/weir-1": "%2Fepisodes%2Fweir-1"}[x.path] {
			t.Errorf("%s: goes to %s", x.what, resp.Header.Get("Location"))
		}
	}
	if resp, err := http.Get("http://" + address + "/metrics"); err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP: %v, %v", resp, err)
	} else {
		resp.Body.Close()
	}
}
