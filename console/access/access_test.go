package access

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

func hashOf(t *testing.T, password string) string {
	t.Helper()
	b, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func control(t *testing.T, o Options, now func() time.Time) *Control {
	t.Helper()
	c, err := New(o, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func request(host string, how func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Host, r.RemoteAddr = host, "198.51.100.7:4711"
	if how != nil {
		how(r)
	}
	return r
}

// Without users and tokens the loopback interface alone is served, and only under
// names that a page of somebody else's cannot have.
func TestHosts(t *testing.T) {
	for _, c := range []struct {
		listen, host string
		want         error
	}{
		{"127.0.0.1:9464", "127.0.0.1:9464", nil},
		{"127.0.0.1:9464", "localhost:8080", nil},
		{"127.0.0.1:9464", "LOCALHOST.", nil},
		{"[::1]:9464", "[::1]:9464", nil},
		{"localhost:9464", "localhost:9464", nil},
		{"127.0.0.1:9464", "weir.corp.example", nil},
		{"127.0.0.1:9464", "thief.example:9464", ErrHost},
		{"127.0.0.1:9464", "127.0.0.1.thief.example", ErrHost},
		{"127.0.0.1:9464", "", ErrHost},
		{"127.0.0.1:9464", "192.0.2.1", ErrHost},
		{"0.0.0.0:9464", "192.0.2.1:9464", ErrClosed},
		{":9464", "localhost:9464", ErrClosed},
		{"0.0.0.0:9464", "thief.example", ErrHost},
		{"weir.internal:9464", "weir.internal:9464", ErrClosed},
	} {
		who := control(t, Options{Listen: c.listen, Hosts: []string{"Weir.corp.example"}}, time.Now)
		if _, err := who.Who(request(c.host, nil)); !errors.Is(err, c.want) {
			t.Errorf("on %s asked for as %q: %v, want %v", c.listen, c.host, err, c.want)
		}
	}
}

// Who signs in is who they say; nobody else comes in.
func TestSignIn(t *testing.T) {
	o := Options{
		Listen: "0.0.0.0:9464", Everyone: Person{"all", Admin},
		Users:  []User{{"ana", Analyst, hashOf(t, "right")}},
		Tokens: []Token{{"soar", Admin, tokenHash("secret-token")}},
	}
	c := control(t, o, time.Now)
	basic := func(name, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(name, password) }
	}
	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	for _, x := range []struct {
		what string
		how  func(*http.Request)
		want Person
	}{
		{"nobody", nil, Person{}},
		{"right", basic("ana", "right"), Person{"ana", Analyst}},
		{"right again", basic("ana", "right"), Person{"ana", Analyst}},
		{"wrong", basic("ana", "wrong"), Person{}},
		{"unknown", basic("bob", "right"), Person{}},
		{"empty", basic("", ""), Person{}},
		{"token", bearer("secret-token"), Person{"soar", Admin}},
		{"wrong token", bearer("secret-toke"), Person{}},
		{"hash as token", bearer(tokenHash("secret-token")), Person{}},
		{"empty token", bearer(""), Person{}},
	} {
		p, err := c.Who(request("192.0.2.1", x.how))
		if p != x.want || (x.want == Person{}) != errors.Is(err, ErrSignIn) {
			t.Errorf("%s: %+v, %v", x.what, p, err)
		}
	}
}

// Guessing is slowed down; who has signed in before is not kept out by it.
func TestGuessing(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	c := control(t, Options{Listen: "0.0.0.0:1", Users: []User{{"ana", Viewer, hashOf(t, "right")}, {"bob", Viewer, hashOf(t, "bob")}}}, func() time.Time { return now })
	try := func(name, password string) error {
		_, err := c.Who(request("192.0.2.1", func(r *http.Request) { r.SetBasicAuth(name, password) }))
		return err
	}
	if err := try("ana", "right"); err != nil {
		t.Fatal(err)
	}
	for i := range maxAttempts {
		if err := try("ana", fmt.Sprint(i)); !errors.Is(err, ErrSignIn) {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	if err := try("bob", "bob"); !errors.Is(err, ErrTooMany) {
		t.Errorf("after %d failures: %v", maxAttempts, err)
	}
	if err := try("ana", "right"); err != nil {
		t.Errorf("who has signed in before: %v", err)
	}
	now = now.Add(time.Minute)
	if err := try("bob", "bob"); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// Who has many addresses has no more attempts: those of a network of IPv6 count together,
// those of IPv4 each.
func TestGuessingByManyAddresses(t *testing.T) {
	for from, want := range map[string]error{"[2001:db8:0:1::%d]:1": ErrTooMany, "198.51.100.%d:1": ErrSignIn, "[::ffff:198.51.100.%d]:1": ErrSignIn} {
		c := control(t, Options{Listen: "0.0.0.0:1", Users: []User{{"ana", Viewer, hashOf(t, "right")}}}, time.Now)
		var err error
		for i := range maxAttempts + 1 {
			_, err = c.Who(request("192.0.2.1", func(r *http.Request) {
				r.RemoteAddr = fmt.Sprintf(from, i+1)
				r.SetBasicAuth("ana", "wrong")
			}))
		}
		if !errors.Is(err, want) {
			t.Errorf("from %s: %v, want %v", from, err, want)
		}
	}
}

// What cannot be checked is refused at the start.
func TestFaults(t *testing.T) {
	for _, o := range []Options{
		{Users: []User{{"ana", Viewer, "plain"}}},
		{Users: []User{{"ana", Viewer, "$2a$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"}}},
		{Tokens: []Token{{"soar", Viewer, "secret"}}},
	} {
		if _, err := New(o, time.Now); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	if _, err := ParseRole("nobody"); err == nil {
		t.Error("nobody is a role")
	}
}
