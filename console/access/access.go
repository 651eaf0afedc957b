// Package access decides who may see and do what in the console: by the address
// it listens on, the name it is asked for, and the user or token that signs in.
//
// Without a way to sign in only a listener on the loopback interface shows anything,
// and nobody can judge. Users, tokens and a proxy need no session: each request carries
// its own credentials. Single sign-on (package oidc) keeps one, sealed, in a cookie.
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Role is what somebody may do; each may do what those before it may.
type Role int

// The roles.
const (
	Nobody  Role = iota
	Viewer       // sees everything
	Analyst      // gives verdicts; what is expected, for some days
	Admin        // says for longer what is expected
)

var roleNames = []string{"nobody", "viewer", "analyst", "admin"}

// String returns the name of the role.
func (r Role) String() string { return roleNames[r] }

// ParseRole reads the name of a role that can be given.
func ParseRole(name string) (Role, error) {
	if i := slices.Index(roleNames, name); i > 0 {
		return Role(i), nil
	}
	return Nobody, fmt.Errorf("there is no role %q; want viewer, analyst or admin", name)
}

// User is somebody who signs in with a name and a password.
type User struct {
	Name string
	Role Role
	Hash string // of the password, by bcrypt
}

// Token is what a program signs in with.
type Token struct {
	Name string
	Role Role
	Hash string // SHA-256 of the token, in hex: a token is random, so it needs no slow hash
}

// Options say who may come in.
type Options struct {
	Listen string   // address that is listened on, host:port
	Hosts  []string // names under which the console may be asked for, beside addresses and those of this machine
	Users  []User
	Tokens []Token
	Grants []Grant // roles of those whom Session and Proxy name
	// Session returns who has signed in elsewhere, see package oidc; nil: nobody does.
	Session func(*http.Request) (Identity, bool)
	Proxy   *Proxy // nil: there is none
	// Everyone is whom anybody on the loopback interface is taken for where there
	// are neither users nor tokens; the zero value sees everything and judges
	// nothing.
	Everyone Person
}

// Person is who asks.
type Person struct {
	Name string // empty: not known
	Role Role
}

// Control decides. It is safe for concurrent use.
type Control struct {
	o        Options
	loopback bool
	hosts    map[string]bool
	check    passwords
	failures limiter
}

// New returns a control; now is the wall clock.
func New(o Options, now func() time.Time) (*Control, error) {
	c := &Control{o: o, loopback: isLoopback(o.Listen), hosts: map[string]bool{"localhost": true}, failures: limiter{now: now}}
	for _, h := range o.Hosts {
		c.hosts[strings.ToLower(h)] = true
	}
	if host, _, err := net.SplitHostPort(o.Listen); err == nil && host != "" {
		c.hosts[strings.ToLower(host)] = true
	}
	for _, u := range o.Users {
		if err := CheckPasswordHash(u.Hash); err != nil {
			return nil, fmt.Errorf("the hash of user %s %w", u.Name, err)
		}
	}
	for _, t := range o.Tokens {
		if err := CheckTokenHash(t.Hash); err != nil {
			return nil, fmt.Errorf("the hash of token %s %w", t.Name, err)
		}
	}
	return c, nil
}

// SignsIn reports whether there is any way to sign in.
func (c *Control) SignsIn() bool {
	return len(c.o.Users)+len(c.o.Tokens) > 0 || c.o.Session != nil || c.o.Proxy != nil
}

// AsksPassword reports whether a browser is to ask for a name and a password.
func (c *Control) AsksPassword() bool { return len(c.o.Users) > 0 }

// Judges returns the names of the users who may give verdicts.
func (c *Control) Judges() (names []string) {
	for _, u := range c.o.Users {
		if u.Role >= Analyst {
			names = append(names, u.Name)
		}
	}
	for _, g := range c.o.Grants {
		if g.Role >= Analyst && g.Name != "" && g.Name != "*" {
			names = append(names, g.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Reasons to refuse.
var (
	ErrHost    = errors.New("this console is not asked for by that name; add it to http.hosts")
	ErrClosed  = errors.New("the console listens on more than the loopback interface and nobody can sign in: set http.users, http.tokens, http.oidc or http.proxy, or listen on 127.0.0.1")
	ErrSignIn  = errors.New("sign in")
	ErrNoRole  = errors.New("you have signed in, and have no role here: http.roles gives them")
	ErrTooMany = errors.New("too many failed attempts to sign in; wait a minute")
)

// Who says who asks, or why nothing is shown.
func (c *Control) Who(r *http.Request) (Person, error) {
	if !c.Knows(r.Host) {
		return Person{}, ErrHost
	}
	if !c.SignsIn() {
		if !c.loopback {
			return Person{}, ErrClosed
		}
		return Person{c.o.Everyone.Name, max(c.o.Everyone.Role, Viewer)}, nil
	}
	return c.signIn(r)
}

// signIn says who signs in. What is known to be right, and a token, is checked
// fast; only what is tried with a password that is not known counts towards the
// limit, so that failures of others behind the same proxy keep out nobody who has
// signed in before.
func (c *Control) signIn(r *http.Request) (Person, error) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return c.byToken(token)
	}
	name, password, ok := r.BasicAuth()
	if !ok {
		return c.byOthers(r)
	}
	i := slices.IndexFunc(c.o.Users, func(u User) bool { return u.Name == name })
	hash := nobodysHash // so that an unknown name takes as long as a wrong password
	if i >= 0 {
		hash = c.o.Users[i].Hash
	}
	if i >= 0 && c.check.isKnown(hash, password) {
		return Person{name, c.o.Users[i].Role}, nil
	}
	address := network(r.RemoteAddr)
	if !c.failures.allows(address) {
		return Person{}, ErrTooMany
	}
	if !c.check.right(hash, password) || i < 0 {
		c.failures.failed(address)
		return Person{}, ErrSignIn
	}
	return Person{name, c.o.Users[i].Role}, nil
}

// network returns whose failures are counted together: those of an address, of IPv6 those
// of its network of 64 bits, in which one machine has as many addresses as it likes.
func network(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	a, err := netip.ParseAddr(host)
	if err != nil || a.Unmap().Is4() {
		return host
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return host
	}
	return p.String()
}

// byOthers says whom a single sign-on or a proxy has signed in.
func (c *Control) byOthers(r *http.Request) (Person, error) {
	var who Identity
	ok := false
	if c.o.Session != nil {
		who, ok = c.o.Session(r)
	}
	if !ok && c.o.Proxy != nil {
		who, ok = c.o.Proxy.identity(r)
	}
	if !ok {
		return Person{}, ErrSignIn
	}
	role := RoleOf(c.o.Grants, who)
	if role == Nobody {
		return Person{}, ErrNoRole
	}
	return Person{who.Name, role}, nil
}

func (c *Control) byToken(token string) (p Person, err error) {
	sum := sha256.Sum256([]byte(token))
	given, err := hex.EncodeToString(sum[:]), ErrSignIn
	for _, t := range c.o.Tokens {
		if subtle.ConstantTimeCompare([]byte(given), []byte(strings.ToLower(t.Hash))) == 1 {
			p, err = Person{t.Name, t.Role}, nil
		}
	}
	return p, err
}

// Knows reports whether the console may be asked for under a Host header. A page
// of somebody else's whose name was made to point here (DNS rebinding) asks for
// its own name; it cannot ask for an address.
func (c *Control) Knows(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if a, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return a.Unmap().IsLoopback() || !c.loopback
	}
	return c.hosts[name]
}

// isLoopback reports whether an address is of the loopback interface alone.
func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback() || host == "localhost"
}
