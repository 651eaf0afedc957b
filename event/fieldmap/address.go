package fieldmap

import (
	"net/netip"
	"strings"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
)

// address returns the canonical form of the source address; "" with a note if
// what stands there is none.
func (d *Decoder) address(sources []source) string {
	before := d.ev.Notes
	s, from, _ := d.text(sources)
	if s == "" {
		if s, from = d.addresses(sources); s == "" {
			return ""
		}
		d.ev.Notes = before // a list of addresses is one
	}
	if isIPv4(s) { // has one form only
		return s
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		var e *edits
		if from != nil {
			e = from.edits
		}
		if addr = listed(s, e); !addr.IsValid() {
			d.ev.Notes |= event.IPInvalid
			return ""
		}
	}
	d.scratch = addr.Unmap().WithZone("").AppendTo(d.scratch[:0])
	if string(d.scratch) == s {
		return s
	}
	return d.store(d.scratch)
}

// isIPv4 reports whether a text is an IPv4 address. It is some three times faster than
// netip.ParseAddr.
func isIPv4(s string) bool {
	octets, digits, octet := 1, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c-'0' < 10 && (digits == 0 || octet > 0):
			if octet = octet*10 + int(c-'0'); octet > 255 {
				return false
			}
			digits++
		case c == '.' && digits > 0:
			octets++
			digits, octet = 0, 0
		default:
			return false
		}
	}
	return octets == 4 && digits > 0
}

// addresses returns the addresses of the first source that has a list of them, as a
// text with commas, and that source.
func (d *Decoder) addresses(sources []source) (string, *source) {
	for i := range sources {
		src := &sources[i]
		if src.slot < 0 || d.s.Slots[src.slot].Kind != jsonscan.Array {
			continue
		}
		s := ""
		d.each(d.s.Slots[src.slot].Lo, func(at int) {
			if v := d.aside.ScalarAt(d.buf, at); v.Kind == jsonscan.Text && len(s) < jsonscan.MaxKept {
				one, _ := d.scalar(v)
				s += one + ","
			}
		})
		if s != "" {
			return s, src
		}
	}
	return "", nil
}

// listed returns the address that a text names, which may be a list of addresses, with
// commas, semicolons or blanks, as proxies write it (X-Forwarded-For, Forwarded): the first or the
// last, or the last that is no trusted proxy.
func listed(s string, e *edits) netip.Addr {
	var got netip.Addr
	if strings.HasPrefix(s, `["`) { // a list of JSON that became a text
		s = strings.Trim(s, "[]")
	}
	for part := range strings.FieldsFuncSeq(s, func(c rune) bool { return c == ',' || c == ';' || c == ' ' }) {
		addr := parseAddress(part)
		switch {
		case !addr.IsValid():
		case e == nil || e.trusted == nil && !e.last:
			return addr
		case !got.IsValid() || e.trusted == nil || !trusts(e.trusted, addr):
			got = addr
		}
	}
	return got
}

// trusts reports whether an address is of one of the networks.
func trusts(networks []netip.Prefix, addr netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(addr.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

// parseAddress reads an address in any form in which logs write one: with a port,
// in brackets and marks, with the length of its prefix, as for=… of a Forwarded header,
// and padded with zeros; after ipv4: or tcp:// as gRPC and others have it, after a name and
// a slash as Java has it, or in brackets as Postfix has it, and before (port), #port, |port,
// .port or /tcp, as PostgreSQL, BIND, BSD and others have it. It is the zero Addr if s is none.
func parseAddress(s string) netip.Addr {
	s = strings.TrimSpace(s)
	for _, key := range []string{"for=", "ip="} {
		if i := strings.Index(strings.ToLower(s), key); i >= 0 {
			s = s[i+len(key):]
		}
	}
	s = strings.Trim(escapedBrackets.Replace(s), "\"'<>()")
	for _, before := range []string{"ipv4:", "ipv6:", "tcp:", "udp:", "//", "/"} {
		if len(s) > len(before) && strings.EqualFold(s[:len(before)], before) {
			s = s[len(before):]
		}
	}
	if i := strings.IndexAny(s, "(#|"); i > 0 {
		s = s[:i]
	}
	if i := strings.IndexByte(s, '['); i > 0 && strings.HasSuffix(s, "]") {
		s = s[i:]
	}
	if rest, ok := strings.CutPrefix(s, "["); ok {
		inside, after, closed := strings.Cut(rest, "]")
		if !closed || after != "" && after[0] != ':' {
			return netip.Addr{}
		}
		s = inside
	}
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr
	}
	s, behind, slash := strings.Cut(s, "/")
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr
	}
	if addr, err := netip.ParseAddrPort(s); err == nil {
		return addr.Addr()
	}
	if slash {
		return parseAddress(behind)
	}
	if dot := strings.LastIndexByte(s, '.'); dot > 0 {
		if addr, err := netip.ParseAddr(s[:dot]); err == nil {
			return addr
		}
	}
	if colon := strings.LastIndexByte(s, ':'); colon > 0 { // what is one part too long has a port
		s = s[:colon]
	}
	addr, err := netip.ParseAddr(plainOctets(s))
	if err != nil {
		return netip.Addr{}
	}
	return addr
}

// escapedBrackets are brackets as gRPC writes them.
var escapedBrackets = strings.NewReplacer("%5B", "[", "%5D", "]")

// plainOctets cuts the zeros before the digits of an IPv4 address that is padded to
// three digits throughout. Other zeros may mean octal digits.
func plainOctets(s string) string {
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return s
	}
	for i, p := range parts {
		if len(p) != 3 {
			return s
		}
		if p = strings.TrimLeft(p, "0"); p == "" {
			p = "0"
		}
		parts[i] = p
	}
	return strings.Join(parts, ".")
}
