package access

import (
	"errors"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

var grants = []Grant{{Name: "ana", Role: Analyst}, {Group: "soc", Role: Analyst}, {Group: "leads", Role: Admin}, {Name: "*", Role: Viewer}}

// Whom a proxy names is taken from the proxy alone, and has the highest role that the
// grants give.
func TestProxy(t *testing.T) {
	c := control(t, Options{Listen: "0.0.0.0:9464", Grants: grants, Proxy: &Proxy{Header: "X-User", GroupsHeader: "X-Groups", From: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}, time.Now)
	for _, x := range []struct {
		what, from string
		users      []string
		groups     []string
		want       Person
		err        error
	}{
		{"by name", "10.0.0.1:1", []string{"ana"}, nil, Person{"ana", Analyst}, nil},
		{"by group", "10.0.0.1:1", []string{"bob"}, []string{"staff, soc"}, Person{"bob", Analyst}, nil},
		{"the highest", "10.0.0.1:1", []string{"ana"}, []string{"soc", "leads"}, Person{"ana", Admin}, nil},
		{"everybody", "10.0.0.1:1", []string{"carl"}, []string{"Soc"}, Person{"carl", Viewer}, nil},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:1", []string{"ana"}, nil, Person{"ana", Analyst}, nil},
		{"of somebody else", "198.51.100.7:1", []string{"ana"}, nil, Person{}, ErrSignIn},
		{"no name", "10.0.0.1:1", nil, []string{"leads"}, Person{}, ErrSignIn},
		{"an empty name", "10.0.0.1:1", []string{""}, []string{"leads"}, Person{}, ErrSignIn},
		{"two names", "10.0.0.1:1", []string{"carl", "ana"}, nil, Person{}, ErrSignIn},
	} {
		p, err := c.Who(request("192.0.2.1", func(r *http.Request) {
			r.RemoteAddr = x.from
			r.Header["X-User"], r.Header["X-Groups"] = x.users, x.groups
		}))
		if p != x.want || !errors.Is(err, x.err) {
			t.Errorf("%s: %+v, %v; want %+v, %v", x.what, p, err, x.want, x.err)
		}
	}
}

// Who has signed in elsewhere and has no role sees nothing; a session goes before the
// proxy's word, and a password before both.
func TestSession(t *testing.T) {
	o := Options{
		Listen: "0.0.0.0:9464", Grants: grants[:3], Users: []User{{"lee", Viewer, hashOf(t, "right")}},
		Session: func(r *http.Request) (Identity, bool) {
			return Identity{r.Header.Get("Session"), nil}, r.Header.Get("Session") != ""
		},
		Proxy: &Proxy{Header: "X-User", From: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}},
	}
	c := control(t, o, time.Now)
	for _, x := range []struct {
		header []string
		want   Person
		err    error
	}{
		{[]string{"Session", "ana"}, Person{"ana", Analyst}, nil},
		{[]string{"Session", "bob"}, Person{}, ErrNoRole},
		{[]string{"Session", "ana", "X-User", "bob"}, Person{"ana", Analyst}, nil},
		{[]string{"X-User", "ana"}, Person{"ana", Analyst}, nil},
		{[]string{"Session", "ana", "Authorization", "Basic bGVlOnJpZ2h0"}, Person{"lee", Viewer}, nil},
		{[]string{"Session", "ana", "Authorization", "Bearer x"}, Person{}, ErrSignIn},
		{nil, Person{}, ErrSignIn},
	} {
		p, err := c.Who(request("192.0.2.1", func(r *http.Request) {
			for i := 0; i+1 < len(x.header); i += 2 {
				r.Header.Set(x.header[i], x.header[i+1])
			}
		}))
		if p != x.want || !errors.Is(err, x.err) {
			t.Errorf("%v: %+v, %v; want %+v, %v", x.header, p, err, x.want, x.err)
		}
	}
	if names := c.Judges(); len(names) != 1 || names[0] != "ana" {
		t.Errorf("judges %v", names)
	}
}
