package score

import (
	"github.com/weirhq/weir/internal/wire"
)

// mostVotes is how many bins an identity's group can be ahead: whoever changes
// roles has new peers after at most as many active bins, two to three weeks of
// working hours.
const mostVotes = 100

// Lean says what an identity works with in the bin so far, as its GroupToken. It
// counts only for one that has no group by votes yet: so a newcomer has peers
// from its first tick on. Zero says nothing.
func (s *State) Lean(token uint32) {
	if s.votes == 0 && token != 0 {
		s.group = token
	}
}

// Vote says, once at the end of a bin, what an identity worked with in it. The
// group is the majority vote of its bins (Boyer and Moore 1981, MJRTY), which
// takes one token and one counter, whatever an identity works with. The counter
// is bounded, so that the past is outvoted in the end. Zero says nothing.
func (s *State) Vote(token uint32) {
	switch {
	case token == 0:
	case token == s.group:
		s.votes = min(s.votes+1, mostVotes)
	case s.votes <= 1:
		s.group, s.votes = token, 1
	default:
		s.votes--
	}
}

// Group returns the token of the identity's group, 0 for none.
func (s *State) Group() uint32 { return s.group }

func (s *State) decodeGroup(r *wire.Reader) {
	s.group, s.votes = r.Uint32(), r.Byte()
	if s.group == 0 || s.votes > mostVotes {
		r.Fail("no group, or too many votes for it")
	}
}
