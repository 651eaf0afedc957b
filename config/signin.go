package config

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/oidc"
	"github.com/weirhq/weir/internal/webconfig"
)

// OIDC is the single sign-on of the console.
type OIDC struct {
	Issuer       string // empty: there is none
	ClientID     string
	ClientSecret Secret
	RedirectURL  string
	Scopes       []string
	NameClaim    string
	GroupsClaim  string
}

// Proxy is what signs people in before the console.
type Proxy struct {
	Header       string // empty: there is none
	GroupsHeader string
	From         []string // addresses, or networks
}

// Prefixes returns the proxy's addresses as networks.
func (x *Proxy) Prefixes() (out []netip.Prefix) {
	for _, text := range x.From {
		p, _ := prefix(text) // no error: it was checked when the file was read
		out = append(out, p)
	}
	return out
}

// HTTPRole gives a role to somebody who signs in by the web configuration, the single
// sign-on or the proxy.
type HTTPRole struct {
	Name, Group string
	Role        string
}

func prefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("is neither an address nor a network; want such as 10.0.0.1 or 10.0.0.0/8")
	}
	return p, nil
}

func signInFields(h *HTTP) []field {
	oidcFields := []field{
		scalar("issuer", text(&h.OIDC.Issuer, httpURL), "Address of the provider, as its id_tokens name it.", "https://login.example"),
		scalar("client_id", text(&h.OIDC.ClientID, notEmpty), "Name of this client at the provider.", "weir"),
	}
	oidcFields = append(oidcFields, secretFields("client_secret", &h.OIDC.ClientSecret, "Its secret.", "${OIDC_SECRET}")...)
	oidcFields = append(oidcFields,
		scalar("redirect_url", text(&h.OIDC.RedirectURL, httpURL), "Where the provider sends browsers back to: the console's address and "+oidc.SignedInPath+".", "https://weir.example"+oidc.SignedInPath),
		field{name: "scopes", doc: "Scopes to ask for, beside openid.", example: "[email]", list: texts(&h.OIDC.Scopes, func() string { return "[" + strings.Join(h.OIDC.Scopes, ", ") + "]" }, notEmpty)},
		scalar("name_claim", text(&h.OIDC.NameClaim, notEmpty), "Claim that names who signs in; it stands in the ledger as the author of verdicts.", "email"),
		scalar("groups_claim", text(&h.OIDC.GroupsClaim), "Claim that lists groups; without it there are none.", "groups"),
	)
	return []field{
		scalar("names_for", oneOf(&h.NamesFor, "viewer", "analyst", "admin"), "Least role that sees the names of people; others see pseudonyms. Unless it is viewer, nobody sees the names of those of whom no message was sent (docs/console.md).", "analyst"),
		scalar("web_config_file", file(&h.WebConfigFile), "TLS, headers and users as Prometheus and its exporters have them (docs/console.md).", "web.yml"),
		mapping("oidc", "Single sign-on of the console by OpenID Connect (docs/console.md).", oidcFields...),
		mapping("proxy", "A proxy that signs people in and names them in a header (docs/console.md).",
			scalar("header", text(&h.Proxy.Header, notEmpty, word), "Header that has the name.", "X-Forwarded-User"),
			scalar("groups_header", text(&h.Proxy.GroupsHeader, word), "Header that lists groups, with commas between; without it there are none.", "X-Forwarded-Groups"),
			field{name: "from", doc: "The proxy's addresses or networks. The header of anybody else counts for nothing.", example: "[10.0.0.1, 192.0.2.0/24]", list: texts(&h.Proxy.From, none, func(s string) error {
				_, err := prefix(s)
				return err
			})},
		),
		{name: "roles", doc: "Roles of those who sign in by web_config_file, oidc or proxy. Of several the highest counts.", items: &items{
			reset: func() { h.Roles = nil },
			next: func() []field {
				h.Roles = append(h.Roles, HTTPRole{})
				return httpRoleFields(&h.Roles[len(h.Roles)-1])
			},
			fields: httpRoleFields(new(HTTPRole)),
			show:   none,
		}},
	}
}

func httpRoleFields(r *HTTPRole) []field {
	return []field{
		scalar("name", text(&r.Name, notEmpty), "Name of a person; `*` stands for everybody who signs in.", "ana@example.com"),
		scalar("group", text(&r.Group, notEmpty), "Name of a group, in place of a person.", "soc"),
		required(scalar("role", oneOf(&r.Role, "viewer", "analyst", "admin"), roleDoc, "analyst")),
	}
}

// checkSignIn finds a web configuration that cannot be used, half a single sign-on or
// proxy, and people without a role.
func (p *parser) checkSignIn(h *HTTP) {
	p.checkRoles(h)
	if o := &h.OIDC; o.Issuer != "" || o.ClientID != "" || o.ClientSecret.IsSet() || o.RedirectURL != "" {
		for key, has := range map[string]bool{"issuer": o.Issuer != "", "client_id": o.ClientID != "", "client_secret": o.ClientSecret.IsSet() || p.given("http.oidc", "client_secret"), "redirect_url": o.RedirectURL != ""} {
			if !has && !p.set("http.oidc."+key) {
				p.faultAt("http.oidc", "lacks %s", key)
			}
		}
		if o.RedirectURL != "" && !strings.HasSuffix(o.RedirectURL, oidc.SignedInPath) {
			p.faultAt("http.oidc.redirect_url", "%s does not end in %s", o.RedirectURL, oidc.SignedInPath)
		}
	}
	if x := &h.Proxy; (x.Header != "") != (len(x.From) > 0) {
		p.faultAt("http.proxy", "needs both header and from: the header of anybody else must count for nothing")
	}
	if h.WebConfigFile == "" {
		return
	}
	web, err := webconfig.Load(h.WebConfigFile)
	if err != nil {
		p.faultAt("http.web_config_file", "%v", err)
		return
	}
	h.Web = web
	grants := h.Grants()
	for _, name := range slices.Sorted(maps.Keys(web.Users)) {
		if access.RoleOf(grants, access.Identity{Name: name}) == access.Nobody {
			p.faultAt("http.web_config_file", "its user %s has no role; give one under http.roles", name)
		}
		if err := access.CheckPasswordHash(web.Users[name]); err != nil {
			p.faultAt("http.web_config_file", "the hash of its user %s %v", name, err)
		}
		for i := range h.Users {
			if h.Users[i].Name == name {
				p.faultAt("http.web_config_file", "its user %s stands under http.users too; want one of them", name)
			}
		}
	}
}

// checkRoles finds roles that are given to nobody, or to a person and a group at once.
func (p *parser) checkRoles(h *HTTP) {
	for i, r := range h.Roles {
		if (r.Name == "") == (r.Group == "") {
			p.faultAt(itemPath("http.roles", i), "needs a name or a group, and not both")
		}
	}
}

// Grants returns the roles in the terms of the console.
func (h *HTTP) Grants() (out []access.Grant) {
	for _, r := range h.Roles {
		role, err := access.ParseRole(r.Role)
		if err == nil { // else it was reported when the file was read
			out = append(out, access.Grant{Name: r.Name, Group: r.Group, Role: role})
		}
	}
	return out
}
