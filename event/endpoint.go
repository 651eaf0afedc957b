package event

import (
	"strings"
)

// idPlace stands in an endpoint for a path segment that looks like an id.
const idPlace = "{id}"

// AppendEndpoint appends an endpoint without ids; unless it holds some, dst is
// returned as it was, and false.
//
// An endpoint is a place of the service, not of a customer: with ids in it,
// each customer's page would be an identity of its own, and raw record ids
// would go further than ingest. So a path segment that looks like an id (a
// number, a UUID, long hexadecimal) becomes {id}, and a query, a fragment and
// path parameters, which hold ids and tokens too, are cut off.
func AppendEndpoint(dst []byte, s string) (out []byte, changed bool) {
	done := 0       // s[:done] is in dst
	inPath := false // whether a slash has been met since the last space
	replace := func(from, to int, by string) {
		dst = append(append(dst, s[done:from]...), by...)
		done, changed = to, true
	}
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '/':
			inPath = true
			end := i + 1
			for end < len(s) && !endsSegment(s[end]) {
				end++
			}
			if looksLikeID(s[i+1:end]) && !strings.HasSuffix(s[:i], "HTTP") { // HTTP/2 is a protocol
				replace(i+1, end, idPlace)
			}
			i = end
		case c == '?' || inPath && endsSegment(c) && c != ' ':
			end := i
			for end < len(s) && s[end] != ' ' {
				end++
			}
			replace(i, end, "")
			i = end
		default:
			inPath = inPath && c != ' '
			i++
		}
	}
	if changed {
		dst = append(dst, s[done:]...)
	}
	return dst, changed
}

// Pattern returns the path of a URL, or a path without a slash before it, up to its first
// id, with {id} in its place, such as /customers/{id}; "" if there is none.
func Pattern(url string) string {
	out, changed := AppendEndpoint(nil, url)
	if !changed {
		return ""
	}
	path := string(out)
	_, rest, whole := strings.Cut(path, "://")
	if whole {
		path = rest
	}
	to := strings.Index(path, idPlace)
	if to < 0 {
		return ""
	}
	path = path[:to+len(idPlace)]
	if from := strings.Index(path, " /"); from >= 0 { // a request line
		path = path[from+1:]
	} else if whole {
		path = path[strings.IndexByte(path, '/'):]
	}
	return "/" + strings.TrimPrefix(path, "/")
}

// endsSegment reports whether a path segment ends before c.
func endsSegment(c byte) bool {
	return c == '/' || c == '?' || c == '#' || c == ';' || c == ' '
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
