package detect

import (
	"math"

	"github.com/weirhq/weir/stream"
)

// The state costs as many bytes as weir.partials, dense or sparse, as long as
// nothing forces more: what is written is paid for by what was taken in. So
// what a restore replays is in proportion to what it loads.
const (
	// idleCredit is how many bytes may be saved up while nothing changes.
	idleCredit = 1 << 20
	// maxCommit is how many bytes of snapshots go into one commit, which must end
	// within the time that a transaction may take.
	maxCommit = 8 << 20
	// mostUnwritten is how many records may wait to be written. Identities that wait are
	// awake, and take several times as much memory as when they sleep.
	mostUnwritten = 50_000
)

// snapshots decides when changed identities are written to the state: at the pace at
// which partials come in, and each within a number of ticks of its change. It holds
// what was written until it is committed. Once a commit is full, nothing is written,
// and no tick closed, before it is taken.
type snapshots struct {
	within int64         // ticks after its change in which an identity is written at the latest; 0: none is ever written
	dirty  []changed     // records that were not written since they changed, oldest first; some were, out of turn
	credit int64         // bytes that may be written
	must   []stateRecord // are written next, whatever the credit
	out    []stream.Change
	size   int  // bytes that go into the commit: of records in out, and charged
	full   bool // so many changes wait that they must be committed before more are written
}

// stateRecord is an identity, or a shard of those that are not kept.
type stateRecord interface {
	unwritten() *bool // whether it has changed and was not written since
}

// changed is a record of the state that has changed in a tick, and was not written since.
type changed struct {
	record stateRecord
	tick   int64
}

// touch notes that a record has changed in a tick.
func (s *snapshots) touch(r stateRecord, tick int64) {
	if !*r.unwritten() && s.within > 0 {
		*r.unwritten() = true
		s.dirty = append(s.dirty, changed{r, tick})
	}
}

// force has a record that has changed in a tick written next.
func (s *snapshots) force(r stateRecord, tick int64) {
	if s.within > 0 {
		s.touch(r, tick)
		s.must = append(s.must, r)
	}
}

// earn adds the bytes of partials that came in to what may be written.
func (s *snapshots) earn(bytes int) { s.credit += int64(bytes) }

// write writes changed records: those that must be, and the longest unwritten as far as
// the credit goes, and beyond it those that are due, and those that are too many to keep
// their identities awake. The ticks up to and including to are closed. encode returns the
// record as of that tick.
func (s *snapshots) write(to int64, encode func(stateRecord) stream.Change) {
	for _, r := range s.must {
		s.put(r, encode)
	}
	s.must = nil
	for len(s.dirty) > 0 {
		first := s.dirty[0]
		if *first.record.unwritten() {
			if s.credit <= 0 && first.tick > to-s.within && len(s.dirty) <= mostUnwritten {
				break
			}
			if s.size > maxCommit {
				s.full = true
				return
			}
		}
		s.dirty[0].record = nil // nothing must hold on to an identity that sleeps
		s.dirty = s.dirty[1:]
		s.put(first.record, encode)
	}
	s.credit = min(s.credit, idleCredit)
}

// charge counts bytes that go into the same commit.
func (s *snapshots) charge(bytes int) {
	s.size += bytes
	s.full = s.full || s.size > maxCommit
}

// put writes a record, unless that was done since it changed.
func (s *snapshots) put(r stateRecord, encode func(stateRecord) stream.Change) {
	if !*r.unwritten() {
		return
	}
	*r.unwritten() = false
	c := encode(r)
	size := len(c.Key) + len(c.Value)
	s.credit -= int64(size)
	s.size += size
	s.out = append(s.out, c)
}

// drop writes that an identity is gone.
func (s *snapshots) drop(key []byte) { s.out = append(s.out, stream.Change{Key: key}) }

// settle lets everything be written that has changed. It is for times in which
// nothing comes any more: partials that a restore would have to read again are
// deleted after the retention of their topic.
func (s *snapshots) settle() {
	if len(s.dirty) > 0 {
		s.credit, s.full = math.MaxInt64/2, true
	}
}

// resume reports whether the commit that was full has been taken, so that writing
// goes on where it had stopped.
func (s *snapshots) resume() bool {
	if !s.full || s.size > 0 {
		return false
	}
	s.full = false
	return true
}

// take hands out what was written.
func (s *snapshots) take() []stream.Change {
	out := s.out
	s.out, s.size = nil, 0
	return out
}

// oldest returns the first tick that a restore must replay if the ticks up to and
// including to are closed.
func (s *snapshots) oldest(to int64) int64 {
	if len(s.dirty) == 0 {
		return to + 1
	}
	return s.dirty[0].tick
}
