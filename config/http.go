package config

import (
	"fmt"
	"strings"

	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/internal/webconfig"
)

// HTTP is the server of the console, of metrics and of health.
type HTTP struct {
	Listen string // host:port, or Off
	// AdminListen is where metrics, health and status are served, SlackListen where clicks
	// come in; empty: at Listen.
	AdminListen, SlackListen string
	Hosts                    []string // names under which the console may be asked for
	Users                    []HTTPUser
	Tokens                   []HTTPToken
	// NamesFor is the least role that sees people's names; viewer: everybody.
	NamesFor string
	Roles    []HTTPRole // roles of those who sign in by OIDC, Proxy or WebConfigFile
	OIDC     OIDC
	Proxy    Proxy

	WebConfigFile string
	Web           *webconfig.Config `json:"-"` // what WebConfigFile says; nil: it is not set
}

// Off is the value of HTTP.Listen that starts no server, and of alerts.heartbeat.every that
// sends no heartbeats.
const Off = "off"

// HTTPUser is somebody who signs in to the console.
type HTTPUser struct {
	Name         string
	Role         string // viewer, analyst or admin
	PasswordHash Secret // by bcrypt
}

// HTTPToken is what a program signs in to the API with.
type HTTPToken struct {
	Name   string
	Role   string
	SHA256 Secret // of the token, in hex
}

func httpFields(h *HTTP) field {
	fields := []field{
		scalar("listen", text(&h.Listen, notEmpty, listenAddress), "Address to listen on, or off for no server. The console shows nothing on more than the loopback interface where nobody can sign in.", "0.0.0.0:9464"),
		scalar("admin_listen", text(&h.AdminListen, notEmpty, listenAddress), "Address for /metrics, /healthz, /readyz and /status alone, which are then not served on `listen`; off for none.", "127.0.0.1:9465"),
		scalar("slack_listen", text(&h.SlackListen, notEmpty, listenAddress), "Address for the clicks of Slack alone, which must be reached from the internet; they are then not taken on `listen`.", "0.0.0.0:9466"),
		{name: "hosts", doc: "Names under which browsers may ask for the console, beside the address itself, localhost and the host of alerts.links.console. Other names are refused, so that no page of somebody else's reaches it.", example: "[weir.example]",
			list: texts(&h.Hosts, none, notEmpty, hostName)},
		{name: "users", doc: "People who sign in to the console with a name and a password.", items: &items{
			reset: func() { h.Users = nil },
			next: func() []field {
				h.Users = append(h.Users, HTTPUser{})
				return httpUserFields(&h.Users[len(h.Users)-1])
			},
			fields: httpUserFields(new(HTTPUser)),
			show:   none,
		}},
		{name: "tokens", doc: "What programs sign in to the API with: `Authorization: Bearer TOKEN`.", items: &items{
			reset: func() { h.Tokens = nil },
			next: func() []field {
				h.Tokens = append(h.Tokens, HTTPToken{})
				return httpTokenFields(&h.Tokens[len(h.Tokens)-1])
			},
			fields: httpTokenFields(new(HTTPToken)),
			show:   none,
		}},
	}
	return mapping("http", "The server of the console (docs/console.md), of /metrics, /healthz, /readyz and /status.", append(fields, signInFields(h)...)...)
}

const roleDoc = "viewer sees everything; analyst gives verdicts, and says for at most 7 days that something is expected; admin says so for at most 90 days, and can have lists of customers."

func httpUserFields(u *HTTPUser) []field {
	return append([]field{
		required(scalar("name", text(&u.Name, notEmpty, word), "Name to sign in with; it stands in the ledger as the author of verdicts.", "ana")),
		required(scalar("role", oneOf(&u.Role, "viewer", "analyst", "admin"), roleDoc, "analyst")),
	}, secretFields("password_hash", &u.PasswordHash, "Hash of the password by bcrypt (`htpasswd -nBC 10 ana`, what stands after the colon).", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", access.CheckPasswordHash)...)
}

func httpTokenFields(t *HTTPToken) []field {
	return append([]field{
		required(scalar("name", text(&t.Name, notEmpty, word), "Name of the program; it stands in the ledger as the author of verdicts.", "soar")),
		required(scalar("role", oneOf(&t.Role, "viewer", "analyst", "admin"), roleDoc, "viewer")),
	}, secretFields("sha256", &t.SHA256, "SHA-256 of the token in hex (make a token with `openssl rand -hex 32`, its hash with `printf %s TOKEN | sha256sum`).", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", access.CheckTokenHash)...)
}

func hostName(s string) error {
	if strings.ContainsAny(s, "/:@* \t") {
		return fmt.Errorf("is no host name; want one without scheme and port, such as weir.example")
	}
	return nil
}

// checkHTTP finds users and tokens without a hash, and names given twice.
func (p *parser) checkHTTP(h *HTTP) {
	names := map[string]bool{}
	check := func(at, name, key string, hash *Secret) {
		if name != "" && names[name] {
			p.faultAt(at+".name", "%s is given twice; the name says who gave a verdict", name)
		}
		names[name] = true
		if !hash.IsSet() && !p.given(at, key) {
			p.faultAt(at, "lacks %s or %s_file", key, key)
		}
	}
	for i := range h.Users {
		check(fmt.Sprintf("http.users[%d]", i), h.Users[i].Name, "password_hash", &h.Users[i].PasswordHash)
	}
	for i := range h.Tokens {
		check(fmt.Sprintf("http.tokens[%d]", i), h.Tokens[i].Name, "sha256", &h.Tokens[i].SHA256)
	}
	p.checkSignIn(h)
}
