package integration_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/integration/kafkatest"
)

// Where every second event gives another name of who acted, and a topic says whose it is,
// the alerts are those of a log of one name each; beside the person they say the names.
func TestAliases(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	b := kafkatest.Shared(t)
	actor, seen := regexp.MustCompile(`"actor":"([^"]+)"`), map[string]bool{}
	var events, aliases [][]byte
	for i, value := range c.events {
		if name := actor.FindSubmatch(value); name != nil && !alias.Shared(string(name[1])) {
			if !seen[string(name[1])] {
				seen[string(name[1])] = true
				aliases = append(aliases, fmt.Appendf(nil, `{"name":"CRM:%s","person":"%s"}`, name[1], name[1]))
			}
			if i%2 == 0 {
				value = actor.ReplaceAll(value, []byte(`"actor":"crm:$1"`))
			}
		}
		events = append(events, value)
	}
	source, people := b.Topic(t, 3), b.Topic(t, 2)
	produce(t, producer(t, b), people, interleaved(2), 0, aliases)
	produce(t, producer(t, b), source, interleaved(3), 0, events)
	d := deploy(t, b, source)
	d.log = fmt.Sprintf("aliases:\n  topic: %q\n", people)
	p := d.start(t, "one")
	names, named := regexp.MustCompile(`,"names":\[[^\]]*\]`), 0
	var plain []string
	for _, a := range d.complete(t, len(c.alerts)) {
		without := names.ReplaceAllString(a, "")
		if plain = append(plain, without); without != a {
			named++
		}
	}
	same(t, "two names each", plain, c.alerts)
	if named == 0 {
		t.Error("no alert says by which names people acted")
	}
	if n := p.metric(t, "weir_aliases"); n != float64(len(aliases)) {
		t.Errorf("weir_aliases is %v, want %d", n, len(aliases))
	}
	p.stop(t)
}
