package oidc

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/console/consoletest"
)

// site is a console of which all pages say who has signed in.
type site struct {
	*httptest.Server
	*SignIn
	now time.Time
	at  *url.URL
}

func newSite(t *testing.T, p *provider) *site {
	t.Helper()
	s := &site{now: time.Now()}
	mux := http.NewServeMux()
	s.Server = httptest.NewTLSServer(mux)
	t.Cleanup(s.Close)
	var err error
	if s.at, err = url.Parse(s.URL); err != nil {
		t.Fatal(err)
	}
	s.SignIn, err = New(Options{
		Issuer: p.URL, ClientID: "weir", ClientSecret: "secret", RedirectURL: s.URL + SignedInPath, Scopes: []string{"email"},
		NameClaim: "email", GroupsClaim: "groups", Groups: []string{"soc", "admins"}, Key: [32]byte{1}, Now: func() time.Time { return s.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, do := range map[string]func(http.ResponseWriter, *http.Request) error{"GET " + SignInPath: s.Begin, "GET " + SignedInPath: s.End, "POST " + SignOutPath: s.SignOut} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if err := do(w, r); err != nil {
				http.Error(w, err.Error(), http.StatusForbidden)
			}
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		says := "nobody"
		if who, ok := s.Session(r); ok {
			says = r.URL.Path + " " + who.Name + " " + strings.Join(who.Groups, ",")
		}
		_, _ = io.WriteString(w, says) // get sees what is missing
	})
	return s
}

// browser is a client that keeps cookies.
func (s *site) browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // the test's own server
}

// get returns the text of a page, which says what has come of asking for it.
func (s *site) get(t *testing.T, c *http.Client, path string) string {
	t.Helper()
	_, body := consoletest.Get(t, c, s.URL+path)
	return body
}

// Who signs in comes back to where they were, is who the provider says, and stays so
// until they sign out or the session ends.
func TestSignIn(t *testing.T) {
	p := newProvider(t)
	p.claims = map[string]any{"email": "ana@corp.example", "email_verified": true, "groups": []string{"soc", "all-staff"}}
	s := newSite(t, p)
	c := s.browser(t)
	if got := s.get(t, c, SignInPath+"?next="+url.QueryEscape("/episodes/weir-1?a=b")); got != "/episodes/weir-1 ana@corp.example soc" || !p.verified {
		t.Fatalf("signed in: %q, verifier %v", got, p.verified)
	}
	if got := s.get(t, c, "/"); got != "/ ana@corp.example soc" {
		t.Errorf("afterwards: %q", got)
	}
	if names := cookieNames(c, s.at); !slices.Equal(names, []string{sessionCookie}) {
		t.Errorf("cookies %v", names)
	}
	s.now = s.now.Add(sessionFor + time.Second)
	if got := s.get(t, c, "/"); got != "nobody" {
		t.Errorf("after the session: %q", got)
	}
	s.now = time.Now()
	if resp, err := c.Post(s.URL+SignOutPath, "", nil); err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	if got := s.get(t, c, "/"); got != "nobody" {
		t.Errorf("signed out: %q", got)
	}
}

func cookieNames(c *http.Client, u *url.URL) (names []string) {
	for _, k := range c.Jar.Cookies(u) {
		names = append(names, k.Name)
	}
	return names
}

// Nobody signs in by what is not theirs.
func TestRefused(t *testing.T) {
	for what, c := range map[string]struct {
		change func(p *provider)
		says   string
	}{
		"an unverified address":      {func(p *provider) { p.claims["email_verified"] = false }, "not verified"},
		"no name":                    {func(p *provider) { delete(p.claims, "email") }, "has no claim email"},
		"a token of another program": {func(p *provider) { p.claims["aud"] = "wiki" }, "expected audience"},
		"a token of another issuer":  {func(p *provider) { p.claims["iss"] = "https://evil.example" }, "verifying"},
		"an old token":               {func(p *provider) { p.claims["exp"] = time.Now().Add(-time.Hour).Unix() }, "expired"},
		"a token of another sign-in": {func(p *provider) { p.nonce = "other" }, "nonce"},
	} {
		p := newProvider(t)
		p.claims = map[string]any{"email": "ana@corp.example"}
		c.change(p)
		s := newSite(t, p)
		b := s.browser(t)
		if got := s.get(t, b, SignInPath); !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, want %q", what, got, c.says)
		}
		if got := s.get(t, b, "/"); got != "nobody" {
			t.Errorf("%s: signed in as %q", what, got)
		}
	}
}

// A browser that did not begin is not signed in by a link (login CSRF), a cookie that
// was changed, of another name or under another key counts for nothing, and a session
// that was planted before is replaced (session fixation).
func TestForged(t *testing.T) {
	p := newProvider(t)
	p.claims = map[string]any{"email": "ana@corp.example"}
	s := newSite(t, p)
	if got := s.get(t, s.browser(t), SignedInPath+"?code=4711&state=x"); !strings.Contains(got, "has not begun") {
		t.Errorf("without a beginning: %q", got)
	}
	w := httptest.NewRecorder()
	s.cookie.set(w, attemptCookie, &attempt{State: "mine", Until: s.now.Add(time.Hour).Unix()}, time.Hour)
	planted := w.Result().Cookies()[0]
	b := s.browser(t)
	b.Jar.SetCookies(s.at, []*http.Cookie{planted})
	if got := s.get(t, b, SignedInPath+"?code=4711&state=other"); !strings.Contains(got, "state is not") {
		t.Errorf("with another state: %q", got)
	}
	w = httptest.NewRecorder()
	mallory := &session{Name: "mallory", Until: s.now.Add(time.Hour).Unix()}
	s.cookie.set(w, sessionCookie, mallory, time.Hour)
	good := w.Result().Cookies()[0]
	w = httptest.NewRecorder()
	sealer{[32]byte{2}}.set(w, sessionCookie, mallory, time.Hour)
	other := w.Result().Cookies()[0]
	for what, value := range map[string]string{
		"changed": "e30" + good.Value[3:], "another key": other.Value, "another name": planted.Value, "no seal": strings.Split(good.Value, ".")[0], "empty": "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: value})
		if who, ok := s.Session(r); ok {
			t.Errorf("%s: signed in as %s", what, who.Name)
		}
	}
	b = s.browser(t)
	b.Jar.SetCookies(s.at, []*http.Cookie{good})
	if got := s.get(t, b, SignInPath); got != "/ ana@corp.example " {
		t.Errorf("after a planted session: %q", got)
	}
	if !good.Secure || !good.HttpOnly || good.SameSite != http.SameSiteLaxMode || good.Domain != "" || good.Path != "/" {
		t.Errorf("the cookie is %+v", good)
	}
}

// After signing in a browser goes to a page of the console and nowhere else.
func TestNext(t *testing.T) {
	for next, want := range map[string]string{
		"/episodes/weir-1?a=b": "/episodes/weir-1?a=b", "": "/", "https://evil.example/": "/", "//evil.example": "/", `/\evil.example`: "/", "evil": "/",
		"javascript:alert(1)": "/", "/%2f/evil.example": "/%2f/evil.example",
	} {
		if got := local(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

// weir starts without its provider, and says what is wrong when somebody signs in.
func TestNoProvider(t *testing.T) {
	p := newProvider(t)
	s := newSite(t, p)
	p.Close()
	if got := s.get(t, s.browser(t), SignInPath); !strings.Contains(got, "asking the provider") {
		t.Errorf("without a provider: %q", got)
	}
	if _, err := New(Options{RedirectURL: "https://weir.example/"}); err == nil {
		t.Error("another redirect URL is taken")
	}
}
