package campaign

import (
	"encoding/binary"
	"fmt"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/wire"
)

// Cause is what the members of a campaign share.
type Cause struct {
	Kind      CauseKind
	Dimension string    // of the trait, or of the members if Kind is ByTime
	Identity  string    // the trait, if Kind is ByTrait
	Fact      fact.Name // the fact, if Kind is ByFact
	Log       float64   // evidence against chance, in nats: minus the log of its probability, or the log of an e-value
	Threshold float64   // what Log had to reach, in nats
	Weak      *WeakMembers
}

// CauseKind says how the members of a campaign were found.
type CauseKind uint8

// The kinds of causes.
const (
	ByTrait CauseKind = iota + 1 // they come through the same key, client, network, endpoint or user
	ByFact                       // the same fact came to hold for many
	ByTime                       // many began at once, and share nothing else
)

// WeakMembers are the identities behind a trait that are no episodes, in the last
// bin in which any of them showed something.
type WeakMembers struct {
	Bin       int64
	Strong    bool     // their evidence is enough to keep the campaign open
	Dimension string   // theirs
	Count     int64    // how many have evidence above WeakCut
	Observed  float64  // records of each of those behind the trait in the bin, added up
	Expected  float64  // what as many usually read in a bin
	Top       []string // the strongest of them
}

// Outweighs reports whether w says at least as much as o of the same bin.
func (w *WeakMembers) Outweighs(o *WeakMembers) bool {
	return w.Bin == o.Bin && (w.Strong && !o.Strong || w.Strong == o.Strong && w.Count >= o.Count)
}

// Name returns the identity of a campaign of this cause.
func (c *Cause) Name() string {
	switch c.Kind {
	case ByFact:
		return "fact " + string(c.Fact)
	case ByTime:
		return "the time at which they began (" + c.Dimension + ")"
	default:
		return c.Dimension + " " + c.Identity
	}
}

// AppendBinary appends the fields in their order.
func (c *Cause) AppendBinary(b []byte) []byte {
	b = append(b, byte(c.Kind))
	for _, text := range []string{c.Dimension, c.Identity, string(c.Fact)} {
		b = wire.AppendText(b, text)
	}
	b = wire.AppendFloat64(wire.AppendFloat64(b, c.Log), c.Threshold)
	b = wire.AppendBool(b, c.Weak != nil)
	if w := c.Weak; w != nil {
		b = wire.AppendBool(binary.AppendVarint(b, w.Bin), w.Strong)
		b = binary.AppendVarint(wire.AppendText(b, w.Dimension), w.Count)
		b = wire.AppendFloat64(wire.AppendFloat64(b, w.Observed), w.Expected)
		b = wire.AppendList(b, w.Top, func(b []byte, name *string) []byte { return wire.AppendText(b, *name) })
	}
	return b
}

// ReadCause reads what AppendBinary wrote.
func ReadCause(r *wire.Reader) *Cause {
	c := &Cause{Kind: CauseKind(r.Byte())}
	if r.Err() == nil && (c.Kind < ByTrait || c.Kind > ByTime) {
		r.Fail(fmt.Sprintf("a cause of kind %d", c.Kind))
	}
	c.Dimension, c.Identity, c.Fact = r.Text(), r.Text(), fact.Name(r.Text())
	c.Log, c.Threshold = r.Float64(), r.Float64()
	if r.Bool() {
		w := &WeakMembers{Bin: r.Varint(), Strong: r.Bool(), Dimension: r.Text(), Count: r.Varint()}
		w.Observed, w.Expected = r.Float64(), r.Float64()
		w.Top = wire.List(r, r.Text)
		c.Weak = w
	}
	return c
}
