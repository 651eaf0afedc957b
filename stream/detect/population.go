package detect

import (
	"fmt"
	"maps"
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/detect/tail"
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

	counts  map[place]int      // identities by shard
	members map[place][]string // their keys; nil as long as no shard is tight
}

// place is one shard of a dimension: the dimension times tail.Shards, and the shard.
type place uint32

// placeOf returns where the identity of a key belongs, and its hash.
func placeOf[T string | []byte](key T) (place, uint64) {
	hash := stream.PartitionOf(key)
	return place(int(key[0])*tail.Shards + tail.Of(hash)), hash
}

func newPopulation(grid eventtime.Grid) population {
	return population{grid: grid, awake: map[string]*identity{}, asleep: map[string]string{}, counts: map[place]int{}}
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
		id = p.add(key)
	}
	return id
}

// add makes the identity of a key that is not known.
func (p *population) add(key []byte) *identity {
	id := newIdentity(key)
	p.awake[id.key] = id
	at, _ := placeOf(key)
	p.counts[at]++
	if p.members != nil {
		p.note(id.key)
	}
	return id
}

// remove drops the identity of a key.
func (p *population) remove(key string) {
	if id := p.awake[key]; id != nil {
		id.gone = true
		delete(p.awake, key)
	}
	delete(p.asleep, key)
	at, _ := placeOf(key)
	p.counts[at]--
	if list := p.members[at]; list != nil {
		i := slices.Index(list, key)
		list[i] = list[len(list)-1]
		p.members[at] = slices.Delete(list, len(list)-1, len(list))
	}
}

// list begins to list who is in each shard, once. It looks at all identities.
func (p *population) list() {
	if p.members != nil {
		return
	}
	p.members = make(map[place][]string, len(p.counts))
	for key := range p.awake {
		p.note(key)
	}
	for key := range p.asleep {
		p.note(key)
	}
}

func (p *population) note(key string) {
	at, _ := placeOf(key)
	p.members[at] = append(p.members[at], key)
}

// read returns an identity that sleeps.
func (p *population) read(key []byte, value string) *identity {
	id := newIdentity(key)
	if err := id.decode(p.grid, []byte(value)); err != nil {
		panic(fmt.Sprintf("detect: an identity does not read back: %v", err)) // it was read or written by this task
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
	return p.read([]byte(key), value)
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
	// The start of the day, so that how many are left does not depend on when it comes.
	now := eventtime.DayOf(p.grid.TickEnd(to)) * eventtime.Day
	// As at the start of the bin that comes next, which count will do.
	expired := eventtime.MinuteOf(max(p.grid.BinStart(p.grid.BinOfTick(to+1))-retention, 0))
	for key, id := range p.awake {
		if id.busy() || id.last == eventtime.Never {
			continue
		}
		switch silent := now - p.grid.TickEnd(id.last); {
		case silent > forgetAfter:
			gone(key)
			p.remove(key)
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
			p.remove(key)
		case silent > retention && records:
			id := p.known([]byte(key))
			id.window.Expire(expired)
			changed(id)
		}
	}
}
