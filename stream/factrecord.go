package stream

import (
	"encoding/binary"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/wire"
)

// FactRecord is a lifecycle event on its way from ingest to every detect task.
// Logins and issued tokens are not rare: they go by token to weir.sessions.
type FactRecord struct {
	fact.LifecycleEvent
	Apply int64 // tick at whose close it counts; see Partial.Apply
}

// SourceDimension is what a FactCandidate carries as its dimension when it is
// about a source topic, not about an identity, and SourceDimensionName what
// alerts call it.
const (
	SourceDimension     = -1
	SourceDimensionName = "source"
)

// someKeys is the bit of an action's byte that carries LifecycleEvent.SomeKeys.
const someKeys = 0x80

func appendFacts(b []byte, facts []FactRecord) []byte {
	return wire.AppendList(b, facts, func(b []byte, f *FactRecord) []byte {
		action := byte(f.Action)
		if f.SomeKeys {
			action |= someKeys
		}
		b = append(b, action)
		b = binary.AppendVarint(b, f.Time)
		b = binary.AppendVarint(b, f.Apply)
		b = wire.AppendText(b, f.Actor)
		b = wire.AppendText(b, f.Subject)
		return wire.AppendText(b, f.KeyID)
	})
}

func readFacts(r *wire.Reader) []FactRecord {
	return wire.List(r, func() FactRecord {
		f := FactRecord{}
		action := r.Byte()
		f.Action, f.SomeKeys = event.Action(action&^someKeys), action&someKeys != 0
		f.Time, f.Apply = r.Varint(), r.Varint()
		f.Actor, f.Subject, f.KeyID = r.Text(), r.Text(), r.Text()
		return f
	})
}

// ActiveSource tells that a source topic brought events, accesses or facts, that
// count at a tick, or that one of the names of package fact stands for what came.
// A source that is silent while others are active shows by its absence.
type ActiveSource struct {
	Name string
	Tick int64
}

// NoDimension is the index of a dimension that does not exist.
const NoDimension = -1

func appendActiveSources(b []byte, active []ActiveSource) []byte {
	return wire.AppendList(b, active, func(b []byte, s *ActiveSource) []byte {
		return binary.AppendVarint(wire.AppendText(b, s.Name), s.Tick)
	})
}

func readActiveSources(r *wire.Reader) []ActiveSource {
	return wire.List(r, func() ActiveSource { return ActiveSource{r.Text(), r.Varint()} })
}
