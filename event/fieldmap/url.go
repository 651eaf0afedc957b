package fieldmap

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/weirhq/weir/event/jsonscan"
)

// urlMatcher takes one part of a URL, of its path or its query.
type urlMatcher struct {
	segments []segment
	query    string // the name in the query that is to be taken; "" for a segment
	replace  bool   // give the path with {id} in place of what is taken
}

// segment is what one segment of a path must be.
type segment struct {
	literal string
	kind    segmentKind
	check   func(string) bool // of a segment that is taken; nil for any
}

type segmentKind uint8

const (
	literal segmentKind = iota
	any1                // * is any one segment
	many                // ** is any number of segments
	taken               // {id}
)

// checks are what can be asked of a segment that is taken.
var checks = map[string]func(string) bool{
	"digits": func(s string) bool { return s != "" && jsonscan.Digits([]byte(s), 0) == len(s) },
	"hex":    func(s string) bool { return s != "" && strings.Trim(s, "0123456789abcdefABCDEF") == "" },
	"uuid": func(s string) bool {
		return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' && strings.Trim(s, "0123456789abcdefABCDEF-") == ""
	},
}

// parseURLMatcher reads a pattern such as "/customers/{id}", "/*/customers/{id:digits}"
// or "/search?customer={id}".
func parseURLMatcher(s string) (*urlMatcher, error) {
	m := &urlMatcher{}
	path, query, ok := strings.Cut(s, "?")
	if ok {
		name, place, ok := strings.Cut(query, "=")
		if !ok || name == "" || !strings.HasPrefix(place, "{") || !strings.HasSuffix(place, "}") {
			return nil, fmt.Errorf("a query is matched as ?name={id}, not %q", "?"+query)
		}
		m.query = name
	}
	takes, any := 0, 0
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		switch {
		case part == "" && path == "" || part == "" && path == "/":
		case part == "*" || part == "{}":
			m.segments = append(m.segments, segment{kind: any1})
		case part == "**":
			any++
			m.segments = append(m.segments, segment{kind: many})
		case strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}"):
			takes++
			seg := segment{kind: taken}
			if _, check, ok := strings.Cut(part[1:len(part)-1], ":"); ok {
				if seg.check = checks[check]; seg.check == nil {
					return nil, fmt.Errorf("what is taken can be digits, hex or uuid, not %q", check)
				}
			}
			m.segments = append(m.segments, seg)
		case strings.ContainsAny(part, "{}*"):
			return nil, fmt.Errorf("a segment of a path is a word, *, ** or {id}, not %q", part)
		default:
			m.segments = append(m.segments, segment{literal: part})
		}
	}
	switch {
	case m.query != "" && takes > 0 || m.query == "" && takes != 1:
		return nil, errors.New("a pattern takes one {id}, of the path or of the query")
	case any > 1:
		return nil, errors.New("a pattern has ** once")
	case len(m.segments) > maxSegments:
		return nil, fmt.Errorf("a pattern has at most %d segments", maxSegments)
	}
	return m, nil
}

// maxSegments bounds how many segments of a path, and of a pattern, are looked at.
const maxSegments = 64

// match takes the part out of a URL, a path, or a request line. What stands in the
// path after the pattern does not matter.
func (m *urlMatcher) match(s string) (string, bool) {
	path, query := cutURL(s)
	parts := make([]string, 0, 16)
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if parts = append(parts, part); len(parts) == maxSegments {
			break
		}
	}
	at, ok := fit(m.segments, parts, 0, -1)
	switch {
	case !ok:
		return "", false
	case m.query != "":
		return queryValue(query, m.query)
	case m.replace:
		parts[at] = "{id}"
		return "/" + strings.Join(parts, "/"), true
	}
	return unescape(parts[at], url.PathUnescape), true
}

// fit fits segments to the beginning of a path, and returns which part is taken.
func fit(segments []segment, parts []string, from, at int) (int, bool) {
	for i, seg := range segments {
		if seg.kind == many {
			for skip := from; skip <= len(parts); skip++ {
				if got, ok := fit(segments[i+1:], parts, skip, at); ok {
					return got, true
				}
			}
			return at, false
		}
		if from == len(parts) {
			return at, false
		}
		part := parts[from]
		switch {
		case seg.kind == literal && part != seg.literal:
			return at, false
		case seg.kind == taken && (part == "" || seg.check != nil && !seg.check(part)):
			return at, false
		case seg.kind == taken:
			at = from
		}
		from++
	}
	return at, true
}

// cutURL returns the path and the query of a URL, a path, or a request line such as
// "GET /customers/5 HTTP/1.1".
func cutURL(s string) (path, query string) {
	if !strings.HasPrefix(s, "/") {
		if i := strings.Index(s, " /"); i >= 0 {
			s = s[i+1:]
		} else if i := strings.Index(s, "://"); i >= 0 {
			s = s[i+3:]
			slash := strings.IndexAny(s, "/?")
			if slash < 0 {
				return "/", ""
			}
			s = s[slash:]
		}
	}
	if i := strings.IndexAny(s, " #"); i >= 0 {
		s = s[:i]
	}
	path, query, _ = strings.Cut(s, "?")
	return path, query
}

// queryValue returns the value of a name in a query.
func queryValue(query, name string) (string, bool) {
	for pair := range strings.SplitSeq(query, "&") {
		if k, v, ok := strings.Cut(pair, "="); ok && unescape(k, url.QueryUnescape) == name && v != "" {
			return unescape(v, url.QueryUnescape), true
		}
	}
	return "", false
}

// unescape resolves %-escapes; what is no escape stays as it is.
func unescape(s string, by func(string) (string, error)) string {
	if strings.ContainsAny(s, "%+") {
		if u, err := by(s); err == nil {
			return u
		}
	}
	return s
}
