package detect

import (
	"encoding/binary"
	"slices"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

// identity is all that is known of one value of one dimension.
type identity struct {
	key      string // dimension byte, name
	window   sketches.Window
	state    score.State
	followed *followed // nil: it was no candidate lately
	cell     *cell     // what is being gathered of the tick that closes; nil else
	tally    *tally    // of the open bin; nil: nothing beside the window
	bin      int64     // bin that fresh and tally belong to
	fresh    float64   // first touches that no closed bin was told of, in whole parts of freshUnit
	first    int64     // first tick with an event
	last     int64     // last tick with an event
	saved    int64     // tick as of which it was last written; a replay goes on after it
	command  int64     // Seq of the last command that was carried out
	open     bool      // bin is not closed yet
	dirty    bool      // it has changed and was not written since
	watched  bool      // it is closed with every bin
	gone     bool      // it sleeps or is dropped: the population has another for its key
}

// freshUnit is in how many parts an estimate of first touches is kept: an estimate of
// one record, rounded at each tick, would be too low in the end.
const freshUnit = 16

func (id *identity) dimension() int { return int(id.key[0]) }

func (id *identity) name() string { return id.key[1:] }

// newIdentity returns an identity never seen, which belongs to no list yet.
func newIdentity(key []byte) *identity {
	return &identity{key: string(key), first: eventtime.Never, last: eventtime.Never, saved: eventtime.Never, bin: eventtime.Never}
}

// doubted reports whether nobody knows what the identity did before its first tick: it
// came when there were too many to keep all.
func (id *identity) doubted() bool { return id.state.TrustedDay() != 0 }

// unwritten is whether it has changed and was not written since.
func (id *identity) unwritten() *bool { return &id.dirty }

// busy reports whether something refers to the identity: an open bin, a snapshot that
// is due, or that it is watched.
func (id *identity) busy() bool { return id.open || id.watched || id.dirty }

// forget makes an identity one that was never seen, if it has been silent for long
// at a tick.
func (id *identity) forget(grid eventtime.Grid, tick int64) {
	if id.last != eventtime.Never && (tick-id.last)*grid.Tick > forgetAfter {
		id.window, id.state, id.followed, id.fresh, id.last = sketches.Window{}, score.State{}, nil, 0, eventtime.Never
	}
}

// show says to the engine how likely a first touch shows in the window.
func (id *identity) show() { id.state.SetShown(id.window.Shown()) }

// What the flags of an encoded identity say.
const (
	flagOpen     = 1 << iota // its bin is not closed
	flagWatched              // it is watched
	flagFollowed             // what it exposes is followed
	flagOpened               // the evidence behind that has reached the threshold
	flagRecords              // its window is not empty
	flagTally                // the tally of its open bin follows
	flagCommand              // the number of a command follows
	flagDoubted              // the day follows since which its past is known
)

func (id *identity) flags() (flags byte) {
	for _, f := range []struct {
		flag byte
		is   bool
	}{
		{flagOpen, id.open}, {flagWatched, id.watched}, {flagFollowed, id.followed != nil},
		{flagOpened, id.followed != nil && id.followed.opened}, {flagRecords, !id.window.Empty()},
		{flagTally, id.tally != nil}, {flagCommand, id.command != 0}, {flagDoubted, id.doubted()},
	} {
		if f.is {
			flags |= f.flag
		}
	}
	return flags
}

// encode returns the binary form. buffer is scratch, returned for the next call.
func (id *identity) encode(grid eventtime.Grid, buffer []byte) (value, scratch []byte) {
	b := binary.AppendVarint(buffer[:0], id.saved)
	b = binary.AppendVarint(b, id.saved-id.last)
	b = binary.AppendVarint(b, id.bin-grid.BinOfTick(id.last))
	b = binary.AppendUvarint(b, uint64(id.fresh*freshUnit))
	b = append(b, id.flags())
	b = binary.AppendVarint(b, id.last-id.first)
	if id.tally != nil {
		b = id.tally.append(b)
	}
	if id.command != 0 {
		b = binary.AppendVarint(b, id.command)
	}
	if id.doubted() {
		b = binary.AppendUvarint(b, uint64(id.state.TrustedDay()))
	}
	b = id.window.AppendBinary(b)
	b = id.state.AppendBinary(b)
	if id.followed != nil {
		b = id.followed.append(b)
	}
	return slices.Clone(b), b
}

// decode reads what encode wrote.
func (id *identity) decode(grid eventtime.Grid, value []byte) error {
	r := wire.NewReader(value)
	id.saved = r.Varint()
	id.last = id.saved - r.Varint()
	id.bin = grid.BinOfTick(id.last) + r.Varint()
	id.fresh = float64(r.Uvarint()) / freshUnit
	flags := r.Byte()
	id.first = id.last - r.Varint()
	if flags&flagTally != 0 {
		id.tally = readTally(&r)
	}
	if flags&flagCommand != 0 {
		id.command = r.Varint()
	}
	var known uint64
	if flags&flagDoubted != 0 {
		known = r.Uvarint()
	}
	id.open, id.watched = flags&flagOpen != 0, flags&flagWatched != 0
	id.window = wire.Decode(&r, sketches.DecodeWindow)
	id.state = wire.Decode(&r, score.DecodeState)
	id.state.SetTrustedDay(uint32(known))
	id.show()
	if flags&flagFollowed != 0 {
		id.followed = readFollowed(&r)
		id.followed.opened = flags&flagOpened != 0
	}
	return r.End()
}

// lastSeen reads from a binary form the identity's last tick and whether it holds
// records.
func lastSeen(value string) (last int64, records bool) {
	head := value[:min(len(value), 64)] // beyond what comes before the flags
	r := wire.NewReader([]byte(head))
	last = r.Varint()
	last -= r.Varint()
	r.Varint()
	r.Uvarint()
	return last, r.Byte()&flagRecords != 0
}
