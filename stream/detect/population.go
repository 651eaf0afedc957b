package detect

import (
	"fmt"
	"maps"

	"github.com/weirhq/weir/internal/eventtime"
)

// forgetAfter is how long an identity may be silent before its state is dropped and
// it counts as new, in ms.
const forgetAfter = 180 * eventtime.Day

// population holds all identities of a task. Most of a large fleet do nothing most
// of the time. Those sleep: of them only the binary form is kept in which they were
// last written, about half the memory and nothing for the garbage collector to look
// into. The form is exact, so that sleep cannot show.
type population struct {
	grid   eventtime.Grid
	awake  map[string]*identity // by key: dimension byte, name
	asleep map[string]string    // in their binary form, by the same key
	most   int                  // awake since the map was last made
}

func newPopulation(grid eventtime.Grid) population {
	return population{grid: grid, awake: map[string]*identity{}, asleep: map[string]string{}}
}

// size returns how many identities there are.
func (p *population) size() int { return len(p.awake) + len(p.asleep) }

// sizes returns how many identities each of the first n dimensions has.
func (p *population) sizes(n int) []int64 {
	out := make([]int64, n)
	for key := range p.awake {
		if d := int(key[0]); d < n {
			out[d]++
		}
	}
	for key := range p.asleep {
		if d := int(key[0]); d < n {
			out[d]++
		}
	}
	return out
}

// get returns the identity of a key, a new one if there is none.
func (p *population) get(key []byte) *identity {
	id := p.known(key)
	if id == nil {
		id = newIdentity(key)
		p.awake[id.key] = id
	}
	return id
}

// known returns the identity of a key, awake; nil if there is none.
func (p *population) known(key []byte) *identity {
	if id := p.awake[string(key)]; id != nil {
		return id
	}
	id := p.peek(string(key))
	if id != nil {
		delete(p.asleep, id.key)
		p.awake[id.key] = id
	}
	return id
}

// peek returns the identity of a key and wakes nobody: what is changed of one that sleeps
// is lost. It is nil if there is none.
func (p *population) peek(key string) *identity {
	if id := p.awake[key]; id != nil {
		return id
	}
	value, ok := p.asleep[key]
	if !ok {
		return nil
	}
	id := newIdentity([]byte(key))
	if err := id.decode(p.grid, []byte(value)); err != nil {
		panic(fmt.Sprintf("detect: an identity does not read back: %v", err)) // it was read or written by this task
	}
	return id
}

// sleep puts an identity away that was just written as value, unless it is needed:
// its bin is open, or it is watched.
func (p *population) sleep(id *identity, value []byte) {
	if id.busy() {
		return
	}
	p.asleep[id.key] = string(value)
	delete(p.awake, id.key)
	id.gone = true
}

// shrink gives back the memory of a map that had held far more identities awake:
// maps grow and never shrink.
func (p *population) shrink() {
	n := len(p.awake)
	if p.most = max(p.most, n); p.most < 1024 || n > p.most/4 {
		return
	}
	awake := make(map[string]*identity, n)
	maps.Copy(awake, p.awake)
	p.awake, p.most = awake, n
}

// sweep frees what time has made useless: records that nobody has touched within the
// retention (ms), identities that have long been silent. The ticks up to and
// including to are closed. Both would go, or count as gone, at the identity's next
// event just the same, so when the sweep comes cannot show. It calls changed for
// each identity whose records went, and gone for the key of each that is dropped.
func (p *population) sweep(to, retention int64, changed func(*identity), gone func(key string)) {
	now := p.grid.TickEnd(to)
	// As at the start of the bin that comes next, which count will do.
	expired := eventtime.MinuteOf(max(p.grid.BinStart(p.grid.BinOfTick(to+1))-retention, 0))
	for key, id := range p.awake {
		if id.busy() || id.last == eventtime.Never {
			continue
		}
		switch silent := now - p.grid.TickEnd(id.last); {
		case silent > forgetAfter:
			gone(key)
			delete(p.awake, key)
			id.gone = true
		case silent > retention && !id.window.Empty():
			id.window.Expire(expired)
			changed(id)
		}
	}
	for key, value := range p.asleep {
		last, records := lastSeen(value)
		switch silent := now - p.grid.TickEnd(last); {
		case last == eventtime.Never:
		case silent > forgetAfter:
			gone(key)
			delete(p.asleep, key)
		case silent > retention && records:
			id := p.known([]byte(key))
			id.window.Expire(expired)
			changed(id)
		}
	}
}
