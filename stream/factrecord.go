package stream

import (
	"encoding/binary"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/wire"
)

// FactRecord is a rare fact on its way from ingest to every detect task: a
// person joined or left; a signing key was issued, revoked or retired. Logins
// and issued tokens are not rare: they go by token to weir.sessions.
type FactRecord struct {
	Action  event.Action // Join, Leave, Issue, Revoke or Retire
	Time    int64        // event time, Unix ms
	Apply   int64        // tick at whose close it counts; see Partial.Apply
	Actor   string       // who did it, if the source says
	Subject string       // whom or what it is about
	KeyID   string
}

// SourceDimension is what a FactCandidate carries as its dimension when it is
// about a source topic, not about an identity, and SourceDimensionName what
// alerts call it.
const (
	SourceDimension     = -1
	SourceDimensionName = "source"
)

func appendFacts(b []byte, facts []FactRecord) []byte {
	return wire.AppendList(b, facts, func(b []byte, f *FactRecord) []byte {
		b = append(b, byte(f.Action))
		b = binary.AppendVarint(b, f.Time)
		b = binary.AppendVarint(b, f.Apply)
		b = wire.AppendText(b, f.Actor)
		b = wire.AppendText(b, f.Subject)
		return wire.AppendText(b, f.KeyID)
	})
}

func readFacts(r *wire.Reader) []FactRecord {
	return wire.List(r, func() FactRecord {
		return FactRecord{
			Action: event.Action(r.Byte()), Time: r.Varint(), Apply: r.Varint(),
			Actor: r.Text(), Subject: r.Text(), KeyID: r.Text(),
		}
	})
}

// Spoke tells that a source topic brought events, accesses or facts, that count
// at a tick. A source that is silent while others speak shows by its absence.
type Spoke struct {
	Topic string
	Tick  int64
}

// None is the index of a dimension that there is not.
const NoDimension = -1

// These stand in for topics: in that tick tokens were issued, or records touched.
const (
	TokensSpoke = "\x00tokens"
	AccessSpoke = "\x00access"
)

func appendSpoke(b []byte, spoke []Spoke) []byte {
	return wire.AppendList(b, spoke, func(b []byte, s *Spoke) []byte {
		return binary.AppendVarint(wire.AppendText(b, s.Topic), s.Tick)
	})
}

func readSpoke(r *wire.Reader) []Spoke {
	return wire.List(r, func() Spoke { return Spoke{r.Text(), r.Varint()} })
}
