package fieldmap

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/internal/suggest"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// topKeys are the keys of a format, in the order in which they are compiled: what
// others refer to comes first.
var topKeys = []string{"name", "about", "base", "fold_keys", "input", "header", "charset", "key_register", "zone", "until", "absent", "fold", "trim", "under", "explode", "parse", "fields", "maps"}

// common is what a format asks of all its sources.
type common struct {
	zone   *time.Location
	absent *jsonscan.ValueMap
	fields [numFields]*yaml.Node // of maps that have none of their own
	fold   []string              // fields
	trim   []string              // fields
}

// top compiles the whole file, on top of the preset that it may name as its base:
// what it says itself comes before what the base says.
func (c *compiler) top(n *yaml.Node) {
	before := len(c.faults)
	said := c.keys(n)
	base := map[string]*yaml.Node{}
	if v := said["base"]; v != nil {
		base = c.base(v)
	}
	for _, key := range topKeys {
		own, other := said[key], base[key]
		if key == "maps" {
			c.maps(own)
			c.maps(other)
		} else if own != nil {
			c.key(key, own)
		} else if other != nil {
			c.key(key, other)
		}
	}
	switch {
	case len(c.faults) > before:
	case said["name"] == nil:
		c.fault(n, "a format needs a name")
	case len(c.format.maps) == 0:
		c.fault(n, "a format needs maps: at least one, with its fields")
	}
}

// keys returns what stands at each key of a format.
func (c *compiler) keys(n *yaml.Node) map[string]*yaml.Node {
	said := map[string]*yaml.Node{}
	c.mapping(n, "a format", topKeys, func(key string, _, v *yaml.Node) { said[key] = v })
	return said
}

// base returns the keys of the preset that a format builds on.
func (c *compiler) base(n *yaml.Node) map[string]*yaml.Node {
	name, ok := c.word(n, "base")
	if !ok {
		return nil
	}
	if !slices.Contains(presetNames, name) {
		c.fault(n, "base is a format that comes with weir, not %q%s; there are %s", name,
			suggest.DidYouMean(name, presetNames), strings.Join(presetNames, ", "))
		return nil
	}
	doc, err := presetDocument(name)
	if err != nil {
		c.fault(n, "%s", err)
		return nil
	}
	said := c.keys(doc)
	if v := said["base"]; v != nil { // a preset may build on another
		for key, node := range c.base(v) {
			if said[key] == nil {
				said[key] = node
			}
		}
	}
	return said
}

// key compiles what stands at one key of a format.
func (c *compiler) key(key string, v *yaml.Node) {
	switch key {
	case "name":
		if s, ok := c.word(v, "name"); ok {
			if c.format.name = s; !event.IsWord(s) {
				c.fault(v, "name is a lower-case letter and up to 31 more letters, digits or _, not %q", s)
			}
		}
	case "about":
		c.format.about, _ = c.word(v, "about")
	case "fold_keys":
		c.format.pattern.Fold = c.flag(v, "fold_keys")
	case "input":
		c.input(v)
	case "header":
		c.header(v)
	case "charset":
		c.charset(v)
	case "key_register":
		c.format.some = !c.flag(v, "key_register")
	case "zone":
		c.common.zone = c.zone(v)
	case "until":
		c.until(v)
	case "absent":
		c.common.absent = c.absent(v)
	case "fold":
		c.common.fold = c.fields(v, "fold")
	case "trim":
		c.common.trim = c.fields(v, "trim")
	case "under":
		c.under(v)
	case "explode":
		c.explode(v)
	case "parse":
		c.parse(v)
	case "fields":
		c.mapping(v, "fields", fieldNames[:], func(key string, _, v *yaml.Node) {
			c.common.fields[field(slices.Index(fieldNames[:], key))] = v
		})
	}
}

// maps compiles a list of maps, if there is one.
func (c *compiler) maps(v *yaml.Node) {
	if v == nil {
		return
	}
	if v.Kind != yaml.SequenceNode {
		c.fault(v, "maps is a list of maps, not %s", describe(v))
		return
	}
	for _, m := range v.Content {
		c.eventMap(m)
	}
}

// fields compiles a list of field names.
func (c *compiler) fields(n *yaml.Node, what string) []string {
	names := c.words(n, what)
	for _, name := range names {
		if !slices.Contains(fieldNames[:], name) {
			c.fault(n, "%s is a list of fields, and none is called %q%s", what, name, suggest.DidYouMean(name, fieldNames[:]))
		}
	}
	return names
}

// absent compiles a list of texts that mean that there is nothing.
func (c *compiler) absent(n *yaml.Node) *jsonscan.ValueMap {
	set := &jsonscan.ValueMap{Exact: map[string]string{}}
	for _, item := range items(n) {
		if item.Kind != yaml.ScalarNode {
			c.fault(item, "absent is a list of texts, not %s", describe(item))
			continue
		}
		set.Put(item.Value, "") // null, unquoted, is the text null here
	}
	return set
}

// zone compiles the name of a zone.
func (c *compiler) zone(n *yaml.Node) *time.Location {
	name, ok := c.word(n, "zone")
	if !ok {
		return nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		c.fault(n, "zone is UTC, or a name such as Europe/Berlin or Asia/Seoul, not %q", name)
		return nil
	}
	return loc
}

// charset compiles the name of an encoding of text.
func (c *compiler) charset(n *yaml.Node) {
	name, ok := c.word(n, "charset")
	if !ok {
		return
	}
	enc, err := Charset(name)
	if err != nil {
		c.fault(n, "%s", err)
	}
	c.format.charset = enc
}

// Charset returns the encoding of a name, as the web knows them: utf-16le,
// iso-8859-1, windows-1252, euc-kr, shift_jis, gb18030. It is nil for UTF-8.
func Charset(name string) (encoding.Encoding, error) {
	switch low := strings.ToLower(name); low {
	case "utf-8", "utf8":
		return nil, nil //nolint:nilnil // nil is UTF-8
	case "utf-16", "utf16":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), nil
	default:
		enc, err := htmlindex.Get(low)
		if err != nil {
			return nil, fmt.Errorf("no charset is called %q; there are utf-8, utf-16, utf-16le, utf-16be, latin1, windows-1252, euc-kr, shift_jis, gb18030 and others", name)
		}
		return enc, nil
	}
}
