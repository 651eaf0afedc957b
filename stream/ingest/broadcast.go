package ingest

import (
	"github.com/weirhq/weir/stream"
)

// factsPerRecord is how many facts, or sign-ins, one record carries at most; a list
// of all staff taken in at once becomes several records.
const factsPerRecord = 2000

// broadcast gathers what every partition of weir.partials is told: lifecycle
// events, and which sources were active.
type broadcast struct {
	facts  []stream.FactRecord
	active []stream.ActiveSource
}

func (b *broadcast) drop() { b.facts, b.active = nil, nil }

// activeSource notes that a source brought something for a tick.
func (b *broadcast) activeSource(name string, tick int64) {
	is := stream.ActiveSource{Name: name, Tick: tick}
	for i := len(b.active) - 1; i >= 0; i-- { // the latest is the likeliest
		if b.active[i] == is {
			return
		}
	}
	b.active = append(b.active, is)
}

// flush hands out the facts that do not fit into one header, and returns the rest.
func (b *broadcast) flush(emit func(facts []stream.FactRecord)) []stream.FactRecord {
	facts := b.facts
	for len(facts) > factsPerRecord {
		emit(facts[:factsPerRecord])
		facts = facts[factsPerRecord:]
	}
	return facts
}
