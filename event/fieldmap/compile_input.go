package fieldmap

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/event/textform"
	"github.com/weirhq/weir/internal/suggest"
	"go.yaml.in/yaml/v3"
)

// input compiles the form of a format's values.
func (c *compiler) input(n *yaml.Node) {
	in := &c.format.input
	if n.Kind == yaml.MappingNode {
		columns, comma, form := c.textMapping(n, "input")
		in.Kind, in.Columns, in.Comma, in.forms = Lines, columns, comma, []jsonscan.Form{form}
		if columns != nil {
			in.Kind = CSV
		}
		return
	}
	switch n.Value {
	case "json":
	case "csv", "tsv":
		in.Kind, in.forms = CSV, []jsonscan.Form{headless}
		if n.Value == "tsv" {
			in.Comma = '\t'
		}
	default:
		in.Kind, in.forms = Lines, c.forms(n, "input", "csv", "tsv")
	}
}

// header compiles what stands before each value: a header of syslog, or one after a
// pattern.
func (c *compiler) header(n *yaml.Node) {
	in := &c.format.input
	if in.Kind == CSV && in.Columns == nil {
		c.fault(n, "a table has no header before each row; name its columns, as in input: {csv: [time, user]}")
	}
	in.Kind = Lines
	if n.Kind == yaml.ScalarNode && n.Value == "syslog" {
		in.header = textform.Syslog
		return
	}
	patterns := c.templates(n)
	for _, t := range patterns {
		if t.Open() {
			c.fault(n, "header is syslog, or a pattern such as \"{time} {host} \", which ends where the record begins; not %s", describe(n))
			return
		}
	}
	in.header = textform.AnyHeader(patterns)
}

// until compiles the last day of times that have no year.
func (c *compiler) until(n *yaml.Node) {
	text, ok := c.word(n, "until")
	if !ok {
		return
	}
	zone := c.common.zone
	if zone == nil {
		zone = time.UTC
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		c.fault(n, "until is a day such as 2026-03-31, not %q", text)
		return
	}
	c.format.until = day.AddDate(0, 0, 1).UnixMilli()
}

// templates compiles the patterns of a text, tried in order.
func (c *compiler) templates(n *yaml.Node) []*textform.Template {
	var all []*textform.Template
	for _, item := range items(n) {
		s, ok := c.word(item, "a pattern")
		if !ok {
			continue
		}
		t, err := textform.ParseTemplate(s)
		if err != nil {
			c.fault(item, "%s", err)
			continue
		}
		all = append(all, t)
	}
	return all
}

// parse compiles which texts hold something more.
func (c *compiler) parse(n *yaml.Node) {
	type text struct {
		steps []jsonscan.Step
		node  *yaml.Node
		forms []jsonscan.Form
	}
	var texts []text
	c.mapping(n, "parse", nil, func(key string, k, v *yaml.Node) {
		steps, err := jsonscan.ParsePath(key)
		if err != nil {
			c.fault(k, "%s", err)
			return
		}
		texts = append(texts, text{steps, k, c.forms(v, "a text")})
	})
	slices.SortStableFunc(texts, func(a, b text) int { return len(a.steps) - len(b.steps) }) // the outer before the inner
	for _, t := range texts {
		if err := c.format.pattern.Embed(t.steps, t.forms); err != nil {
			c.fault(t.node, "%s", err)
		}
	}
}

// forms compiles what a text is to be read as: a name, or several one after the other,
// or a mapping with a pattern or columns. others are names that stand in the same place.
func (c *compiler) forms(n *yaml.Node, what string, others ...string) []jsonscan.Form {
	if n.Kind == yaml.MappingNode {
		_, _, form := c.textMapping(n, what)
		return []jsonscan.Form{form}
	}
	var all []jsonscan.Form
	known := append(textform.Names(), others...)
	for _, name := range c.words(n, "a form") {
		form, ok := textform.Named(name)
		if !ok {
			c.fault(n, "%s is %s, or a mapping with csv or text, not %q%s", what, strings.Join(known, ", "), name, suggest.DidYouMean(name, known))
			continue
		}
		all = append(all, form)
	}
	if len(items(n)) == 0 {
		c.fault(n, "%s is %s, or a mapping with csv or text", what, strings.Join(known, ", "))
	}
	return all
}

// textMapping compiles the form of a text that needs more than a name: its columns and
// what separates them, or a pattern. columns is nil for a pattern.
func (c *compiler) textMapping(n *yaml.Node, what string) (columns []string, comma rune, form jsonscan.Form) {
	var patterns []*textform.Template
	before := len(c.faults)
	c.mapping(n, what, []string{"csv", "separator", "text"}, func(key string, _, v *yaml.Node) {
		switch key {
		case "csv":
			columns = c.words(v, "a column")
		case "separator":
			s, _ := c.word(v, "separator")
			if r := []rune(s); len(r) == 1 {
				comma = r[0]
			} else {
				c.fault(v, "separator is one character, not %q", s)
			}
		case "text":
			patterns = c.templates(v)
		}
	})
	if len(c.faults) == before && ((columns != nil) == (patterns != nil) || comma != 0 && columns == nil) {
		c.fault(n, "%s has csv, a list of columns, with or without separator; or text, a pattern", what)
	}
	if columns == nil {
		return nil, 0, textform.Any(patterns)
	}
	return columns, comma, textform.CSV(cmp.Or(comma, ','), columns)
}
