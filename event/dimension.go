package event

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/weirhq/weir/internal/suggest"
)

// Dimension is a way to name who is behind an event: by one field, or by
// several together. An event feeds one identity in every dimension in which it
// has one. Make it with ParseDimension.
type Dimension struct {
	Name   string
	Fields []string // in the order in which the identity names them
}

// identityFields are the fields that can make up an identity.
var identityFields = []string{"actor", "role", "subject", "key_id", "session", "ip", "network", "client", "client_family", "endpoint"}

// IdentityFields returns the names that ParseDimension accepts as fields:
// actor, role, subject, key_id, session (always hashed), ip (the full address),
// network (its IPv4 /24 or IPv6 /64), client, client_family (the client without
// its version) and endpoint.
func IdentityFields() []string { return slices.Clone(identityFields) }

// ParseDimension returns the dimension of the given name and fields. The name
// is a lower-case word, for it becomes a metric's label and part of a key; the
// fields are of IdentityFields, each at most once.
func ParseDimension(name string, fields []string) (Dimension, error) {
	if !IsWord(name) {
		return Dimension{}, fmt.Errorf("reading the dimension %q: a name is a lower-case letter and up to 31 more letters, digits or _", name)
	}
	if len(fields) == 0 {
		return Dimension{}, fmt.Errorf("reading the dimension %s: it needs at least one field of %s", name, strings.Join(identityFields, ", "))
	}
	for i, f := range fields {
		if !slices.Contains(identityFields, f) {
			return Dimension{}, fmt.Errorf("reading the dimension %s: no field is called %q%s; the fields are %s",
				name, f, suggest.DidYouMean(f, identityFields), strings.Join(identityFields, ", "))
		}
		if slices.Contains(fields[:i], f) {
			return Dimension{}, fmt.Errorf("reading the dimension %s: the field %s stands twice", name, f)
		}
	}
	return Dimension{Name: name, Fields: slices.Clone(fields)}, nil
}

// IsWord reports whether s is a lower-case letter followed by at most 31
// lower-case letters, digits and underscores.
func IsWord(s string) bool {
	if s == "" || len(s) > 32 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// DefaultDimensions returns the dimensions of a run without a config: user,
// key, network, client and endpoint, in this order.
func DefaultDimensions() []Dimension {
	return []Dimension{
		{"user", []string{"actor"}},
		{"key", []string{"key_id"}},
		{"network", []string{"network"}},
		{"client", []string{"client_family"}},
		{"endpoint", []string{"endpoint"}},
	}
}

// identitySeparator stands between the fields of an identity. Within a field it
// is escaped by a backslash, so that no two tuples of fields make one identity.
const identitySeparator = '|'

// AppendIdentity appends the identity of ev in this dimension and returns the
// extended buffer. It returns dst unchanged and false if ev lacks one of the
// fields, and so has no identity here. h hashes the session.
func (d Dimension) AppendIdentity(dst []byte, ev *Event, h Hasher) ([]byte, bool) {
	if len(d.Fields) == 1 {
		return appendField(dst, d.Fields[0], ev, h)
	}
	start, ok := len(dst), len(d.Fields) > 0
	for i, f := range d.Fields {
		if i > 0 {
			dst = append(dst, identitySeparator)
		}
		from := len(dst)
		if dst, ok = appendField(dst, f, ev, h); !ok {
			return dst[:start], false
		}
		dst = escapeSeparator(dst, from)
	}
	return dst, ok
}

// appendField appends one field of an identity; false if ev has none.
func appendField(dst []byte, field string, ev *Event, h Hasher) ([]byte, bool) {
	var s string
	switch field {
	case "actor":
		s = ev.Actor
	case "role":
		s = ev.Role
	case "subject":
		s = ev.Subject
	case "key_id":
		s = ev.KeyID
	case "ip":
		s = ev.IP
	case "client":
		s = ev.Client
	case "endpoint":
		s = ev.Endpoint
	case "client_family":
		return appendFamily(dst, ev.Client), ev.Client != ""
	case "network":
		return appendNetwork(dst, ev.IP)
	case "session":
		if ev.Session == "" {
			return dst, false
		}
		return h.AppendSession(dst, ev.Session), true
	}
	return append(dst, s...), s != ""
}

// escapeSeparator puts a backslash before each separator and backslash of
// dst[from:].
func escapeSeparator(dst []byte, from int) []byte {
	special := func(c byte) bool { return c == identitySeparator || c == '\\' }
	extra := 0
	for _, c := range dst[from:] {
		if special(c) {
			extra++
		}
	}
	if extra == 0 {
		return dst
	}
	r := len(dst) - 1
	dst = append(dst, make([]byte, extra)...)
	for w := len(dst) - 1; w > r; w, r = w-1, r-1 {
		dst[w] = dst[r]
		if special(dst[r]) {
			w--
			dst[w] = '\\'
		}
	}
	return dst
}

// appendNetwork appends the network of an address: its /24 if IPv4, its /64 if
// IPv6. False if ip is no address.
func appendNetwork(dst []byte, ip string) ([]byte, bool) {
	if ip == "" {
		return dst, false
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return dst, false
	}
	addr = addr.Unmap()
	if addr.Is4() {
		b := addr.As4()
		for _, octet := range b[:3] {
			dst = strconv.AppendUint(dst, uint64(octet), 10)
			dst = append(dst, '.')
		}
		return append(dst, "0/24"...), true
	}
	b := addr.As16()
	clear(b[8:])
	dst = netip.AddrFrom16(b).AppendTo(dst)
	return append(dst, "/64"...), true
}
