package config

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/weirhq/weir/event/alias"
)

// Aliases says where it stands whose each name is, and how critical people are.
type Aliases struct {
	File        string                       // empty: none
	Topic       string                       // empty: none
	Criticality map[string]alias.Criticality // criticality of a group's members, by group
}

// Given reports whether anything says whose a name is.
func (a *Aliases) Given() bool { return a.File != "" || a.Topic != "" }

func aliasesField(a *Aliases) field {
	return mapping("aliases", "Whose each name is, where a person has several, and what is known of people (docs/people.md). One of file and topic.",
		scalar("file", later(&a.File), "File with the aliases: CSV or JSON lines with `name`, `person` and, where they are known, `since`, `until`, `manager`, `slack`, `criticality`, `group`. A process with the role correlate reads it, and again when it changes.", "people.csv"),
		scalar("topic", text(&a.Topic, notEmpty, topicName), "Topic with the aliases, on the same cluster: one JSON object a record, with the same fields. A record without value takes back what was said of the name that is its key.", "hr.people"),
		field{
			name: "criticality", example: "{dba: critical, support-leads: high}",
			doc: "How much harm the members of a group can do, where nothing is said of the person: high raises the severity of alerts about them by one step, critical by two.",
			custom: &custom{
				kind:   "mapping of groups to normal, high or critical",
				decode: func(p *parser, n *yaml.Node, path string) { decodeCriticality(p, n, path, &a.Criticality) },
				show:   func() string { return showCriticality(a.Criticality) },
				schema: map[string]any{"type": "object", "additionalProperties": map[string]any{"enum": []any{"normal", "high", "critical"}}},
			},
		},
	)
}

func decodeCriticality(p *parser, n *yaml.Node, path string, into *map[string]alias.Criticality) {
	if !p.isKind(n, yaml.MappingNode, path, "a mapping of groups to normal, high or critical, such as {dba: critical}") {
		return
	}
	*into = map[string]alias.Criticality{}
	p.pairs(n, path, func(key, v *yaml.Node) {
		text, ok := p.text(v, path+"."+key.Value, "normal, high or critical")
		if !ok {
			return
		}
		c, err := alias.ParseCriticality(text)
		if err != nil || c == "" {
			p.fault(v.Line, "%s: is %q; want normal, high or critical", path+"."+key.Value, text)
			return
		}
		(*into)[key.Value] = c
	})
}

func showCriticality(of map[string]alias.Criticality) string {
	var parts []string
	for _, group := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, group+": "+string(of[group]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// checkAliases reports aliases that stand in two places, and a topic that is weir's own.
func (p *parser) checkAliases(c *Config) {
	a := &c.Aliases
	if a.File != "" && a.Topic != "" {
		p.faultAt("aliases.topic", "goes not with aliases.file; want one of them")
	}
	if a.Topic != "" && strings.HasPrefix(a.Topic, c.TopicPrefix) {
		p.faultAt("aliases.topic", "%s begins with topic_prefix, %s, as only weir's own topics do; want another name", a.Topic, c.TopicPrefix)
	}
	for i := range c.Sources {
		if a.Topic != "" && c.Sources[i].Topic == a.Topic {
			p.faultAt("aliases.topic", "%s is a source of events too; want another topic", a.Topic)
		}
	}
	if len(a.Criticality) > 0 && !a.Given() {
		p.faultAt("aliases.criticality", "says nothing without aliases.file or aliases.topic, which tell the groups of people")
	}
}
