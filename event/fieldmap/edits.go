package fieldmap

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/event/textform"
)

// edits are what is done to a text between the source and the event, in the order
// of these fields.
type edits struct {
	split   string // separates several values in one text
	percent bool   // undo percent-encoding
	last    bool   // of several, take the last, where one is wanted
	trusted []netip.Prefix
	match   []matcher
	trim    string // what is cut at both ends
	lower   bool
	absent  *jsonscan.ValueMap
}

// one returns the one value that a text stands for; "" if there is none.
func (e *edits) one(d *Decoder, s string) string {
	if e.split == "" || e.trusted != nil {
		return e.apply(d, s)
	}
	var got string
	for part := range strings.SplitSeq(s, e.split) {
		if v := e.apply(d, part); v != "" {
			got = v
			if !e.last {
				break
			}
		}
	}
	return got
}

// apply returns a single value after the edits.
func (e *edits) apply(d *Decoder, s string) string {
	if e.percent {
		s = unescape(s, url.PathUnescape)
	}
	if e.trim != "" {
		s = strings.Trim(s, e.trim)
	} else if e.split != "" {
		s = strings.TrimSpace(s)
	}
	if e.means(s) {
		return ""
	}
	if e.match != nil {
		s = d.matched(e.match, s)
	}
	if e.lower {
		s = d.lower(s)
	}
	if e.means(s) {
		return ""
	}
	return s
}

// means reports whether a text means that there is nothing.
func (e *edits) means(s string) bool {
	return e.absent != nil && e.absent.Has(s)
}

// matched returns what the first matcher that fits takes of a text; "" if none
// fits.
func (d *Decoder) matched(matchers []matcher, s string) string {
	for _, m := range matchers {
		if got, ok := m.match(s); ok {
			return got
		}
	}
	return ""
}

// lower returns s in lower case.
func (d *Decoder) lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' || c >= 0x80 {
			return strings.ToLower(s)
		}
	}
	return s
}

// matcher takes what is wanted out of a text.
type matcher interface {
	match(s string) (string, bool)
}

// textMatcher takes the first named part of a text after a pattern.
type textMatcher struct{ *textform.Template }

func (m textMatcher) match(s string) (got string, ok bool) {
	ok = m.Match(s, func(_, value string) {
		if got == "" {
			got = value
		}
	})
	return got, ok && got != ""
}
