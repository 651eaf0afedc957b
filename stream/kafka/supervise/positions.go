package supervise

import (
	"sync"
	"sync/atomic"

	"github.com/weirhq/weir/stream/kafka/position"
)

// Positions holds what the tasks of a placement say of themselves, by partition:
// the metadata that goes with the offsets which the placement shows.
type Positions struct {
	byPartition sync.Map
	hurry       atomic.Bool
}

// Set keeps what a task says, one of the types of package position.
func (p *Positions) Set(partition int32, says any) {
	p.byPartition.Store(partition, position.Encode(says))
}

// Hurry has what the tasks say shown within lookPositions, since others wait for it.
func (p *Positions) Hurry() { p.hurry.Store(true) }

// hurried reports whether Hurry was called since it was asked last.
func (p *Positions) hurried() bool { return p != nil && p.hurry.Swap(false) }

// of returns what a task has said last; empty: nothing.
func (p *Positions) of(partition int32) string {
	if p == nil {
		return ""
	}
	text, _ := p.byPartition.Load(partition)
	said, _ := text.(string)
	return said
}

// forget drops what a task has said that does not run here any longer.
func (p *Positions) forget(partition int32) {
	if p != nil {
		p.byPartition.Delete(partition)
	}
}
