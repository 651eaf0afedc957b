package event

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestIdentity(t *testing.T) {
	ev := &Event{Actor: "alice", Role: "agent", KeyID: "k1", Session: "secret", IP: "192.0.2.77", Client: "crm", Endpoint: "GET /c/{id}"}
	hashed := string(FixedHasher().AppendSession(nil, "secret"))
	for _, c := range []struct {
		fields string
		ev     *Event
		want   string // empty: no identity
	}{
		{"actor", ev, "alice"},
		{"role", ev, "agent"},
		{"role", &Event{}, ""},
		{"key_id", ev, "k1"},
		{"client", ev, "crm"},
		{"endpoint", ev, "GET /c/{id}"},
		{"ip", ev, "192.0.2.77"},
		{"network", ev, "192.0.2.0/24"},
		{"network", &Event{IP: "2001:db8:1:2:3:4:5:6"}, "2001:db8:1:2::/64"},
		{"network", &Event{IP: "::ffff:192.0.2.77"}, "192.0.2.0/24"},
		{"network", &Event{}, ""},
		{"network", &Event{IP: "none"}, ""},
		{"session", ev, hashed},
		{"session", &Event{}, ""},
		{"subject", ev, ""},
		{"subject", &Event{Subject: "bob"}, "bob"},
		{"key_id,network", ev, "k1|192.0.2.0/24"},
		{"actor,session", ev, "alice|" + hashed},
		{"actor,subject", ev, ""},
		{"actor,client", &Event{Actor: `a|b\`, Client: "|"}, `a\|b\\|\|`},
	} {
		d, err := ParseDimension("d", strings.Split(c.fields, ","))
		if err != nil {
			t.Fatal(err)
		}
		got, ok := d.AppendIdentity([]byte("before:"), c.ev, FixedHasher())
		if string(got) != "before:"+c.want || ok != (c.want != "") {
			t.Errorf("%s: got %q %t, want %q", c.fields, got, ok, c.want)
		}
	}
	if strings.Contains(hashed, "secret") || len(hashed) != 16 {
		t.Errorf("a session is shown as %q", hashed)
	}
}

// TestIdentityIsInjective: two events have one identity only if all the fields
// of the dimension are the same.
func TestIdentityIsInjective(t *testing.T) {
	d, err := ParseDimension("both", []string{"actor", "client"})
	if err != nil {
		t.Fatal(err)
	}
	word := rapid.StringOfN(rapid.SampledFrom([]rune(`a|\`)), 1, 4, -1)
	rapid.Check(t, func(t *rapid.T) {
		a := &Event{Actor: word.Draw(t, "a"), Client: word.Draw(t, "b")}
		b := &Event{Actor: word.Draw(t, "c"), Client: word.Draw(t, "d")}
		x, _ := d.AppendIdentity(nil, a, Hasher{})
		y, _ := d.AppendIdentity(nil, b, Hasher{})
		if (string(x) == string(y)) != (a.Actor == b.Actor && a.Client == b.Client) {
			t.Fatalf("%q and %q", x, y)
		}
	})
}

func TestIdentityDoesNotAllocate(t *testing.T) {
	ev := &Event{Actor: "alice", KeyID: "k1", Session: strings.Repeat("secret", 100), IP: "2001:db8::1", Client: "crm", Endpoint: "GET /c"}
	dims := append(DefaultDimensions(), Dimension{"token", []string{"session"}}, Dimension{"both", []string{"actor", "network"}})
	buf, h := make([]byte, 0, 256), FixedHasher()
	if n := testing.AllocsPerRun(100, func() {
		for _, d := range dims {
			buf, _ = d.AppendIdentity(buf[:0], ev, h)
		}
	}); n != 0 {
		t.Errorf("%g allocations an event", n)
	}
}

func TestParseDimensionFaults(t *testing.T) {
	for _, c := range []struct{ name, fields, want string }{
		{"User", "actor", `a name is a lower-case letter`},
		{"", "actor", `a name is a lower-case letter`},
		{strings.Repeat("a", 33), "actor", `a name is a lower-case letter`},
		{"user", "", `no field is called ""`},
		{"user", "actr", `no field is called "actr" (did you mean actor?); the fields are actor, role, subject, key_id, session, ip, network, client, client_family, endpoint`},
		{"user", "actor,actor", `the field actor stands twice`},
	} {
		if _, err := ParseDimension(c.name, strings.Split(c.fields, ",")); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %s: got %v, want …%s…", c.name, c.fields, err, c.want)
		}
	}
	if _, err := ParseDimension("user", nil); err == nil {
		t.Error("a dimension without fields was taken")
	}
	for _, d := range DefaultDimensions() {
		if _, err := ParseDimension(d.Name, d.Fields); err != nil {
			t.Error(err)
		}
	}
}

func TestEndpoint(t *testing.T) {
	for in, want := range map[string]string{
		"crm.search":                                "crm.search",
		"GET /customers":                            "GET /customers",
		"GET /customers/123":                        "GET /customers/{id}",
		"/customers/123/orders/7":                   "/customers/{id}/orders/{id}",
		"/c/550e8400-e29b-41d4-a716-446655440000":   "/c/{id}",
		"/c/550E8400-E29B-41D4-A716-446655440000/x": "/c/{id}/x",
		"/c/deadbeefdeadbeef":                       "/c/{id}",
		"/c/deadbeef":                               "/c/deadbeef", // may be a word
		"/v2/c/facade":                              "/v2/c/facade",
		"/c/123/":                                   "/c/{id}/",
		"//5":                                       "//{id}",
		"GET /c/5 HTTP/1.1":                         "GET /c/{id} HTTP/1.1",
		"/c?id=5&token=x":                           "/c",
		"GET /c/5?full=1 HTTP/2":                    "GET /c/{id} HTTP/2",
		"/c/5#notes":                                "/c/{id}",
		"/c/5;jsessionid=AB12":                      "/c/{id}",
		"export?id=5":                               "export",
		"https://crm.example:8080/c/5":              "https://crm.example:8080/c/{id}",
		"step 5; then 6":                            "step 5; then 6", // no path
		"/c/{id}":                                   "/c/{id}",
		"/customers.v1.Customers/GetCustomer":       "/customers.v1.Customers/GetCustomer",
		"/c/550e8400-e29b-41d4-a716-44665544000":    "/c/550e8400-e29b-41d4-a716-44665544000", // a digit short
		"?":                                         "",
	} {
		got := in
		if out, changed := AppendEndpoint(nil, in); changed {
			got = string(out)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
		if _, again := AppendEndpoint(nil, got); again {
			t.Errorf("%s: changes once more", got)
		}
	}
}

func TestHashesStandApart(t *testing.T) {
	h := FixedHasher()
	if h.Hash("x") == h.HashSession("x") {
		t.Error("a record and a session of the same text have the same hash")
	}
	if h.HashSession("x") == NewHasher([KeySize]byte{}).HashSession("x") {
		t.Error("the hash of a session does not depend on the key")
	}
}
