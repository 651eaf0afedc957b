// Package oidc signs people in to the console by OpenID Connect: the authorization code
// flow with PKCE, state and nonce.
//
// A session is a cookie that holds who signed in and until when, sealed under a key of
// the deployment; the server keeps nothing. Roles are looked up anew at each request, so
// a role that is taken away counts at once. The provider is asked for its addresses and
// keys when somebody signs in first, so that weir starts without it.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/weirhq/weir/console/access"
)

// Paths of signing in. SignedInPath is where the provider sends the browser back to: the
// redirect URL that it must know.
const (
	SignInPath   = "/console/sign-in"
	SignedInPath = "/console/signed-in"
	SignOutPath  = "/console/sign-out"
)

// Options of a sign-in.
type Options struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	RedirectURL  string   // ends in SignedInPath
	Scopes       []string // beside openid
	NameClaim    string   // such as email; an e-mail address must be verified
	GroupsClaim  string   // empty: none
	Groups       []string // those that matter; the cookie keeps no others
	Key          [32]byte // secret of the deployment, which seals cookies
	Now          func() time.Time
}

// How long a session lasts, and how long somebody may take to sign in.
const (
	sessionFor = 8 * time.Hour
	signInFor  = 10 * time.Minute
)

// client asks providers.
var client = &http.Client{Timeout: 10 * time.Second}

// SignIn signs people in. It is safe for concurrent use.
type SignIn struct {
	o      Options
	cookie sealer

	mu       sync.Mutex
	provider *oidc.Provider // nil: not asked yet
}

// New returns a SignIn; it asks nobody.
func New(o Options) (*SignIn, error) {
	if u, err := url.Parse(o.RedirectURL); err != nil || u.Path != SignedInPath {
		return nil, fmt.Errorf("setting up the single sign-on: the redirect URL ends in %s", SignedInPath)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &SignIn{o: o, cookie: sealer{o.Key}}, nil
}

// open returns the provider.
func (s *SignIn) open() (*oidc.Provider, *oauth2.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.provider == nil {
		// The provider keeps this context for later requests for its keys.
		p, err := oidc.NewProvider(oidc.ClientContext(context.Background(), client), s.o.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("asking the provider for its configuration: %w", err)
		}
		s.provider = p
	}
	return s.provider, &oauth2.Config{
		ClientID: s.o.ClientID, ClientSecret: s.o.ClientSecret, Endpoint: s.provider.Endpoint(),
		RedirectURL: s.o.RedirectURL, Scopes: append([]string{oidc.ScopeOpenID}, s.o.Scopes...),
	}, nil
}

// Begin sends a browser to the provider.
func (s *SignIn) Begin(w http.ResponseWriter, r *http.Request) error {
	_, flow, err := s.open()
	if err != nil {
		return err
	}
	t := attempt{State: random(), Nonce: random(), Verifier: oauth2.GenerateVerifier(), Next: local(r.URL.Query().Get("next")), Until: s.o.Now().Add(signInFor).Unix()}
	s.cookie.set(w, attemptCookie, &t, signInFor)
	http.Redirect(w, r, flow.AuthCodeURL(t.State, oidc.Nonce(t.Nonce), oauth2.S256ChallengeOption(t.Verifier)), http.StatusSeeOther)
	return nil
}

// End takes a browser back from the provider.
func (s *SignIn) End(w http.ResponseWriter, r *http.Request) error {
	var t attempt
	if !s.cookie.get(r, attemptCookie, &t) || s.o.Now().Unix() > t.Until {
		return errors.New("this browser has not begun to sign in, or too long ago")
	}
	clearCookie(w, attemptCookie)
	q := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(t.State)) != 1 {
		return errors.New("the state is not the one that this browser began with")
	}
	if why := q.Get("error"); why != "" {
		return fmt.Errorf("the provider refuses: %q", why+" "+q.Get("error_description"))
	}
	provider, flow, err := s.open()
	if err != nil {
		return err
	}
	ctx := oidc.ClientContext(r.Context(), client)
	token, err := flow.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(t.Verifier))
	if err != nil {
		return fmt.Errorf("exchanging the code: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return errors.New("the provider gives no id_token")
	}
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: s.o.ClientID, Now: s.o.Now}).Verify(ctx, raw)
	if err != nil {
		return fmt.Errorf("verifying the id_token: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(t.Nonce)) != 1 {
		return errors.New("the nonce of the id_token is not the one that this browser began with")
	}
	who, err := s.identity(id)
	if err != nil {
		return err
	}
	s.cookie.set(w, sessionCookie, &session{Name: who.Name, Groups: who.Groups, Until: s.o.Now().Add(sessionFor).Unix()}, sessionFor)
	http.Redirect(w, r, t.Next, http.StatusSeeOther)
	return nil
}

// identity reads the claims of a token.
func (s *SignIn) identity(id *oidc.IDToken) (who access.Identity, err error) {
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return who, fmt.Errorf("reading the id_token: %w", err)
	}
	who.Name, _ = claims[s.o.NameClaim].(string) // what is no text names nobody
	verified, said := claims["email_verified"].(bool)
	switch {
	case who.Name == "":
		return who, fmt.Errorf("the id_token has no claim %s, which is to name who signs in", s.o.NameClaim)
	case s.o.NameClaim == "email" && said && !verified:
		return who, errors.New("the e-mail address in the id_token is not verified")
	}
	if groups, ok := claims[s.o.GroupsClaim].([]any); ok && s.o.GroupsClaim != "" {
		for _, g := range groups {
			if name, ok := g.(string); ok && slices.Contains(s.o.Groups, name) {
				who.Groups = append(who.Groups, name)
			}
		}
	}
	return who, nil
}

// Session returns who has signed in with a browser.
func (s *SignIn) Session(r *http.Request) (access.Identity, bool) {
	var v session
	if !s.cookie.get(r, sessionCookie, &v) || s.o.Now().Unix() > v.Until {
		return access.Identity{}, false
	}
	return access.Identity{Name: v.Name, Groups: v.Groups}, true
}

// SignOut ends the session of a browser. That at the provider goes on.
func (s *SignIn) SignOut(w http.ResponseWriter, r *http.Request) error {
	clearCookie(w, sessionCookie)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// local returns a path of the console to go on to; nothing of somebody else's.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n") {
		return "/"
	}
	return next
}

func random() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
