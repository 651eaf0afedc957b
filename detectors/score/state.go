package score

import "hash/fnv"

// State is what is kept of one identity: about 350 bytes, more only for what few
// have. The zero value is an identity that has done nothing yet. Bins and days are
// stored plus one, so that zero says never.
type State struct {
	first, last uint32 // bins
	day         uint32 // the day that is open
	days        uint16 // closed days with work
	bins        uint16 // closed bins with work
	group       uint32 // token of the peers that its bins vote for
	votes       uint8
	now         [NumMeasures]float32 // counts of the open day
	off         float32              // of them, records at unusual hours
	seen        float32              // records that it knew before the open day
	level       [horizons][2]float32 // mean day with work: Distinct, FirstTouch
	pace        [2]float32           // mean bin with work: the same
	daily       [horizons][3]stat    // DayDistinct, DayFirst, DayShare
	burst       [2]stat              // BinDistinct, BinFirst
	high        [NumGroups]float32   // highest log evidence lately, falling by a nat a day
	top         [NumGroups]float32   // what high may rise to while an episode lasts, 0: none does
	rise        uint32               // bin since which the evidence stands out
	recent      []byte               // bins of three days, see remember
	before      uint32               // the bin before the first of them
	lastWork    uint32               // and the last of them
	points      []Point              // of one that is watched, see watch
	unions      unions
	trusted     uint32  // local day from which on first touches are evidence; see Doubt
	hidden      float32 // share of first touches that do not show; see SetShown
	usual       *Usual  // what was usual before the evidence stood out; nil: it does not
	more        *extra
}

// horizons are the two means that a day is held against: of a week, and of four
// weeks that lag by one. Whoever takes a little more each day carries the first
// along, but not the second.
const horizons = 2

// extra is what few identities have.
type extra struct {
	rare    [numRare]rare
	pace    float32       // mean bin with rows
	rows    stat          // BinRows
	rowBins uint16        // bins in which it was judged
	odd     float32       // records of the last bin at an unusual hour, until it is known
	at      uint32        // that bin, whether it was one of many
	oddRun  float32       // records at unusual hours of closed days, since the evidence stands out
	oddFrom uint32        // the first bin with such, plus one; 0: none
	work    [hours]uint16 // own hours: records, decayed, see observe
	busy    [hours]uint16 // bins with work in them, decayed
	half    uint8         // how often all of work was halved
}

// rare is a daily statistic after the core.
type rare struct {
	kept  bool
	from  uint16 // closed days with work before it was kept
	level [horizons]float32
	daily [horizons]stat
}

const (
	numRare = 4  // DayRows, DayDestructive, DayUnissued, DayOff
	hours   = 48 // of working days, of weekends
)

// rareMeasures are what DayRows and the statistics after it count, but for DayOff.
var rareMeasures = [...]Measure{Rows, Destructive, Unissued}

// rareAt returns where a daily statistic after the core is kept.
func rareAt(s Stat) int { return int(s - DayRows) }

// room returns the place for what few have.
func (s *State) room() *extra {
	if s.more == nil {
		s.more = &extra{}
	}
	return s.more
}

// Seen reports whether the identity has ever been closed.
func (s *State) Seen() bool { return s.last != 0 }

// LastBin returns the last closed bin, -1 if there is none.
func (s *State) LastBin() int64 { return int64(s.last) - 1 }

// FirstBin returns the first closed bin, -1 if there is none.
func (s *State) FirstBin() int64 { return int64(s.first) - 1 }

// Today returns the distinct records that the closed bins of a local day have
// counted, if it is the open one; else zero.
func (s *State) Today(day int64) float64 {
	if s.day == 0 || int64(s.day)-1 != day {
		return 0
	}
	return float64(s.now[Distinct])
}

// Doubt says that nobody knows what the identity did before a bin: until so many days
// later its first touches are no evidence, since it may have read those records before.
func (e *Engine) Doubt(s *State, bin, days int64) { s.trusted = uint32(max(e.Day(bin)+days, 0)) }

// TrustedDay returns the local day from which on first touches are evidence; zero: they
// always were. It is not part of the binary form of a state.
func (s *State) TrustedDay() uint32 { return s.trusted }

// SetTrustedDay sets what TrustedDay returns.
func (s *State) SetTrustedDay(day uint32) { s.trusted = day }

// SetShown says with which probability a first touch of the identity shows, 0 < p <= 1.
// What shows is what is judged. It is not part of the binary form of a state; the zero
// State shows all.
func (s *State) SetShown(p float64) { s.hidden = float32(1 - p) }

// shown returns with which probability one more of a measure shows.
func (s *State) shown(m Measure) float64 {
	if m != FirstTouch {
		return 1
	}
	return 1 - float64(s.hidden)
}

// doubts reports whether the statistics of a measure are no evidence on the day that is
// judged.
func (v *view) doubts(m Measure) bool { return m == FirstTouch && v.day < int64(v.s.trusted) }

// clone returns a copy that shares nothing.
func (s *State) clone() State {
	c := *s
	c.recent = append([]byte(nil), s.recent...)
	c.points = append([]Point(nil), s.points...)
	if s.usual != nil {
		u := *s.usual
		c.usual = &u
	}
	if s.more != nil {
		m := *s.more
		c.more = &m
	}
	return c
}

// Clone returns a copy that shares nothing with the state.
func (s *State) Clone() State { return s.clone() }

// Vote counts what the identity works with (Boyer and Moore 1981): the token that
// most of its bins have named is its group of peers. Zero says nothing.
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

// Lean gives a group to an identity that has none.
func (s *State) Lean(token uint32) {
	if s.group == 0 && token != 0 {
		s.group, s.votes = token, 1
	}
}

// Group returns the token of the identity's peers, 0 for none.
func (s *State) Group() uint32 { return s.group }

// mostVotes bounds the counter, so that the past is outvoted in the end.
const mostVotes = 100

// GroupToken returns the number by which a group of peers is known: 32 bits of a
// hash of its name, never zero. Names are no secret.
func GroupToken(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return max(h.Sum32(), 1)
}
