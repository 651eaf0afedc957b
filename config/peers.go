package config

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/weirhq/weir/event"
)

// NoPeers is what stands for a dimension whose identities are in no groups.
const NoPeers = "none"

func peersField(into *map[string]string) field {
	return field{
		name: "peers",
		doc: "Who is held against whom: for a dimension, the one by which its identities are grouped, each by what most of its events go through; none for no groups. " +
			"Where it says nothing, endpoint, and for dimensions of endpoints the client.",
		example: "{user: role}",
		custom: &custom{
			kind:   "mapping of dimensions to dimensions, or none",
			decode: func(p *parser, n *yaml.Node, path string) { decodePeers(p, n, path, into) },
			show:   func() string { return showPeers(*into) },
			schema: map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string"}},
		},
	}
}

func decodePeers(p *parser, n *yaml.Node, path string, into *map[string]string) {
	if !p.isKind(n, yaml.MappingNode, path, "a mapping of dimensions to dimensions, such as {user: endpoint, network: none}") {
		return
	}
	*into = map[string]string{}
	p.pairs(n, path, func(key, v *yaml.Node) {
		if by, ok := p.text(v, path+"."+key.Value, "one dimension, or none"); ok {
			(*into)[key.Value] = by
		}
	})
}

func showPeers(peers map[string]string) string {
	var parts []string
	for _, dim := range slices.Sorted(maps.Keys(peers)) {
		parts = append(parts, dim+": "+peers[dim])
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// checkPeers holds peers against the dimensions that there are.
func (p *parser) checkPeers(c *Config) {
	known := func(name string) bool {
		return slices.ContainsFunc(c.Dimensions, func(d event.Dimension) bool { return d.Name == name })
	}
	var names []string
	for _, d := range c.Dimensions {
		names = append(names, d.Name)
	}
	for _, dim := range slices.Sorted(maps.Keys(c.Peers)) {
		at, by := "peers."+dim, c.Peers[dim]
		switch {
		case !known(dim):
			p.faultAt(at, "there is no dimension %s; want one of %s", dim, strings.Join(names, ", "))
		case by == dim:
			p.faultAt(at, "each identity would be a group of its own; want another dimension, or none")
		case by != NoPeers && !known(by):
			p.faultAt(at, "there is no dimension %s to group by; want one of %s, or none", by, strings.Join(names, ", "))
		}
	}
}
