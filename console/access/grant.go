package access

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Identity is who somebody else has signed in: a single sign-on, or a proxy.
type Identity struct {
	Name   string
	Groups []string
}

// Grant gives a role to a person by name, or to a group. Exactly one of them is set;
// the name * stands for everybody who has signed in.
type Grant struct {
	Name, Group string
	Role        Role
}

// RoleOf returns the highest role that grants give.
func RoleOf(grants []Grant, who Identity) (role Role) {
	for _, g := range grants {
		if g.Name != "" && (g.Name == "*" || g.Name == who.Name) || g.Group != "" && slices.Contains(who.Groups, g.Group) {
			role = max(role, g.Role)
		}
	}
	return role
}

// Proxy is what signs people in before the console, and names them in a header.
type Proxy struct {
	Header       string         // the header that has the user's name
	GroupsHeader string         // the header that has the groups, with commas between; empty: none
	From         []netip.Prefix // addresses of the proxy; the header of anybody else counts for nothing
}

// identity returns whom the proxy names in a request of its own.
func (p *Proxy) identity(r *http.Request) (who Identity, ok bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return who, false
	}
	address, err := netip.ParseAddr(host)
	if err != nil || !slices.ContainsFunc(p.From, func(of netip.Prefix) bool { return of.Contains(address.Unmap()) }) {
		return who, false
	}
	names := r.Header.Values(p.Header)
	if len(names) != 1 || names[0] == "" { // two say that somebody slipped one past the proxy
		return who, false
	}
	who.Name = names[0]
	if p.GroupsHeader != "" {
		list := strings.Join(r.Header.Values(p.GroupsHeader), ",") // RFC 9110, section 5.3
		for group := range strings.SplitSeq(list, ",") {
			if group = strings.TrimSpace(group); group != "" {
				who.Groups = append(who.Groups, group)
			}
		}
	}
	return who, true
}
