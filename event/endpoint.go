package event

import "strings"

// idPlace stands in an endpoint for a path segment that looks like an id.
const idPlace = "{id}"

// endpoint returns the endpoint with ids taken out, no longer than MaxText.
//
// An endpoint is a place of the service, not of a customer: with ids in it,
// each customer's page would be an identity of its own, and raw record ids
// would go further than ingest. So a path segment that looks like an id (a
// number, a UUID, long hexadecimal) becomes {id}, and a query, a fragment and
// path parameters, which hold ids and tokens too, are cut off.
func (d *Decoder) endpoint(sources []source) string {
	s, _, _ := d.text(sources)
	slash, query := strings.IndexByte(s, '/'), strings.IndexByte(s, '?')
	if slash < 0 && query < 0 {
		return d.shorten(s)
	}
	out := d.scratch[:0]
	if slash < 0 || query >= 0 && query < slash {
		slash = query
	}
	out = append(out, s[:slash]...)
	for i := slash; i < len(s); {
		switch s[i] {
		case '/':
			end := i + 1 + segmentEnd(s[i+1:])
			out = append(out, '/')
			if looksLikeID(s[i+1 : end]) {
				out = append(out, idPlace...)
			} else {
				out = append(out, s[i+1:end]...)
			}
			i = end
		case ' ': // the path ends; what follows may be a protocol, or another path
			end := strings.IndexAny(s[i:], "/?")
			if end < 0 {
				end = len(s) - i
			}
			out = append(out, s[i:i+end]...)
			i += end
		default: // '?', '#' or ';': cut up to the end of the path
			end := strings.IndexByte(s[i:], ' ')
			if end < 0 {
				end = len(s) - i
			}
			i += end
		}
	}
	d.scratch = out
	if string(out) == s {
		return d.shorten(s)
	}
	return d.shorten(d.store(out))
}

// segmentEnd returns the length of the path segment that s begins with.
func segmentEnd(s string) int {
	if end := strings.IndexAny(s, "/?#; "); end >= 0 {
		return end
	}
	return len(s)
}

// minHexID is the shortest hexadecimal run taken for an id: shorter ones may be
// words, such as "decade" or "facade".
const minHexID = 16

// looksLikeID reports whether a path segment is a number, a UUID, or long
// hexadecimal.
func looksLikeID(s string) bool {
	if s == "" {
		return false
	}
	numeric, hexadecimal := true, true
	for i := range len(s) {
		switch c := s[i]; {
		case c-'0' < 10:
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			numeric = false
		case c == '-' && len(s) == 36 && (i == 8 || i == 13 || i == 18 || i == 23):
			numeric = false
		default:
			numeric, hexadecimal = false, false
		}
		if !hexadecimal {
			return false
		}
	}
	return numeric || len(s) >= minHexID
}
