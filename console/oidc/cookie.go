package oidc

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Names of cookies. The prefix has browsers take them from this host alone, over TLS.
const (
	sessionCookie = "__Host-weir"
	attemptCookie = "__Host-weir-sign-in"
)

// attempt is what a browser that has begun to sign in must bring back.
type attempt struct {
	State, Nonce, Verifier string
	Next                   string // path to go on to
	Until                  int64  // Unix s
}

// session is who has signed in.
type session struct {
	Name   string
	Groups []string
	Until  int64 // Unix s
}

// sealer writes cookies that nobody else can make: their content, and an HMAC-SHA256 of
// it and of the cookie's name.
type sealer struct{ key [32]byte }

func (s sealer) mac(name, content string) string {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte(name + "\x00" + content))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// set adds a cookie to an answer. SameSite=Lax lets the provider's redirect bring it
// back, and no form of another site.
func (s sealer) set(w http.ResponseWriter, name string, value any, lasts time.Duration) {
	b, err := json.Marshal(value)
	if err != nil {
		panic("oidc: a cookie does not encode: " + err.Error()) // a mistake in this package: it holds plain values
	}
	content := base64.RawURLEncoding.EncodeToString(b)
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: content + "." + s.mac(name, content), Path: "/", MaxAge: int(lasts.Seconds()),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// get reads a cookie of a request, and reports whether it is whole and its own.
func (s sealer) get(r *http.Request, name string, into any) bool {
	c, err := r.Cookie(name)
	if err != nil {
		return false
	}
	content, mac, _ := strings.Cut(c.Value, ".") // without a point the MAC is empty, and refused below
	if !hmac.Equal([]byte(mac), []byte(s.mac(name, content))) {
		return false
	}
	b, err := base64.RawURLEncoding.DecodeString(content)
	return err == nil && json.Unmarshal(b, into) == nil
}

func clearCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}
