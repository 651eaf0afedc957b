package fieldmap

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/weirhq/weir/event/textform"
	"go.yaml.in/yaml/v3"
)

// commonEdits returns what the format asks of a source of a field; nil for nothing.
func (c *compiler) commonEdits(f field) *edits {
	e := edits{
		lower:  slices.Contains(c.common.fold, fieldNames[f]),
		absent: c.common.absent,
	}
	if slices.Contains(c.common.trim, fieldNames[f]) {
		e.trim = blanks
	}
	if e.trim == "" && !e.lower && e.absent == nil {
		return nil
	}
	return &e
}

// editKeys compiles what is done to the text of a source.
func (c *compiler) editKeys(f field, s *source, said map[string]*yaml.Node) {
	e := edits{}
	if s.edits != nil {
		e = *s.edits
	}
	some := s.edits != nil
	for _, key := range []string{"decode", "match", "split", "take", "trusted", "trim", "fold", "absent"} {
		v := said[key]
		if v == nil {
			continue
		}
		some = true
		if said["const"] != nil {
			c.fault(v, "%s goes with path or join, not with const", key)
			return
		}
		switch key {
		case "decode":
			if name, _ := c.word(v, "decode"); name != "percent" {
				c.fault(v, "decode is percent, not %s", describe(v))
			}
			e.percent = true
		case "match":
			e.match = c.matchers(f, v)
		case "split":
			if e.split, _ = c.word(v, "split"); e.split == "" {
				c.fault(v, "split is what separates the values, such as \",\"")
			}
		case "take":
			c.take(f, &e, v, said["split"] != nil)
		case "trusted":
			c.trusted(f, &e, v)
		case "trim":
			if s, _ := c.word(v, "trim"); v.Tag != "!!bool" {
				e.trim = s
			} else if e.trim = ""; c.flag(v, "trim") {
				e.trim = blanks
			}
		case "fold":
			if name, _ := c.word(v, "fold"); name != "lower" {
				c.fault(v, "fold is lower, not %s", describe(v))
			}
			e.lower = true
		case "absent":
			e.absent = c.absent(v)
		}
	}
	if some {
		s.edits = &e
	}
}

// blanks are what trim cuts unless a map names other characters.
const blanks = " \t\r\n"

// matchers compiles patterns, of URLs where they begin with a slash or a question
// mark, and of texts otherwise.
func (c *compiler) matchers(f field, n *yaml.Node) []matcher {
	var all []matcher
	for _, pattern := range c.words(n, "match") {
		if strings.HasPrefix(pattern, "/") || strings.HasPrefix(pattern, "?") {
			m, err := parseURLMatcher(pattern)
			if err != nil {
				c.fault(n, "%s", err)
				continue
			}
			if m.replace = f == fieldEndpoint; m.replace && m.query != "" {
				c.fault(n, "an endpoint has no query, so match takes a part of its path")
			}
			all = append(all, m)
			continue
		}
		t, err := textform.ParseTemplate(pattern)
		if err != nil {
			c.fault(n, "%s", err)
			continue
		}
		all = append(all, textMatcher{t})
	}
	return all
}

// take compiles which of several values is wanted.
func (c *compiler) take(f field, e *edits, n *yaml.Node, split bool) {
	which, _ := c.word(n, "take")
	switch {
	case f == fieldRecords:
		c.fault(n, "take goes with a field of one value; records takes all")
	case f != fieldIP && !split:
		c.fault(n, "take goes with split")
	case which != "first" && which != "last":
		c.fault(n, "take is first or last, not %s", describe(n))
	}
	e.last = which == "last"
}

// trusted compiles the networks of the proxies whose word is taken.
func (c *compiler) trusted(f field, e *edits, n *yaml.Node) {
	if f != fieldIP {
		c.fault(n, "trusted goes with ip, not with %s", fieldNames[f])
		return
	}
	for _, text := range c.words(n, "trusted") {
		network, err := netip.ParsePrefix(text)
		if addr, bad := netip.ParseAddr(text); bad == nil {
			network, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			c.fault(n, "trusted is a list of networks such as 10.0.0.0/8, not %q", text)
			return
		}
		e.trusted = append(e.trusted, network.Masked())
	}
}
