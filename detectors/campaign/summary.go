package campaign

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/wire"
)

// How many members of a campaign a message names.
const (
	// MaxNamed is how many are named with what each has exposed: those that weigh most.
	MaxNamed = 5
	// MaxAlso is how many more are named that no message has named before.
	MaxAlso = 500
)

// DimensionTotal is what members of one dimension add up to.
type DimensionTotal struct {
	Dimension string
	Count     int64 // members
	Records   int64 // sum of what each has exposed
	High      int64 // sum of the upper ends of their intervals
	Low       int64 // lower end of the interval of the most exposed one
	Rows      int64
	Excess    episode.Excess // Records and High are sums, Low is that of the one with the most
}

// Totals are the sums over members of a campaign, sorted by dimension.
type Totals []DimensionTotal

// Add returns the totals with one more member.
func (t Totals) Add(dimension string, e *episode.Exposed, x *episode.Excess) Totals {
	i, ok := slices.BinarySearchFunc(t, dimension, func(t DimensionTotal, d string) int { return cmp.Compare(t.Dimension, d) })
	if !ok {
		t = slices.Insert(t, i, DimensionTotal{Dimension: dimension})
	}
	sum := &t[i]
	sum.Count++
	sum.Records += e.Records
	sum.High += e.High
	sum.Low = max(sum.Low, e.Low)
	sum.Rows += e.Rows
	sum.Excess.Records += x.Records
	sum.Excess.High += x.High
	sum.Excess.Low = max(sum.Excess.Low, x.Low)
	return t
}

// Count returns how many members were added.
func (t Totals) Count() (n int64) {
	for i := range t {
		n += t[i].Count
	}
	return n
}

// Exposed returns what the members have exposed together. Only their numbers are
// known, so the union is bounded: it is at least what the most exposed member has
// touched, and at most the sum over the members of one dimension; the same
// records seen through another dimension are no further ones.
func (t Totals) Exposed(since int64) episode.Exposed {
	out := episode.Exposed{Since: since}
	for i := range t {
		out.Records, out.High = max(out.Records, t[i].Records), max(out.High, t[i].High)
		out.Low, out.Rows = max(out.Low, t[i].Low), max(out.Rows, t[i].Rows)
	}
	return out
}

// Excess returns what the members have taken beyond the usual together, in the way of
// Exposed.
func (t Totals) Excess() (out episode.Excess) {
	for i := range t {
		x := &t[i].Excess
		out = episode.Excess{Records: max(out.Records, x.Records), Low: max(out.Low, x.Low), High: max(out.High, x.High)}
	}
	return out
}

// AppendBinary appends the totals.
func (t Totals) AppendBinary(b []byte) []byte {
	return wire.AppendList(b, t, func(b []byte, d *DimensionTotal) []byte {
		return d.Excess.AppendBinary(wire.AppendVarints(wire.AppendText(b, d.Dimension), d.Count, d.Records, d.High, d.Low, d.Rows))
	})
}

// ReadTotals reads what AppendBinary wrote.
func ReadTotals(r *wire.Reader) Totals {
	return wire.List(r, func() DimensionTotal {
		return DimensionTotal{Dimension: r.Text(), Count: r.Varint(), Records: r.Varint(), High: r.Varint(), Low: r.Varint(), Rows: r.Varint(), Excess: episode.ReadExcess(r)}
	})
}

// Member is one episode of a campaign, as the campaign's message names it.
type Member struct {
	Key string // dedup key; empty of an identity that is no episode
	episode.ID
	Severity episode.Severity
	Records  int64 // that it has exposed
}

// MemberState is a member as it stands at a tick.
type MemberState struct {
	Member
	Exposed    episode.Exposed
	Excess     episode.Excess
	Onset      int64  // Unix ms of event time
	Facts      string // names of what is known of it: sorted, with commas between
	Confidence episode.Confidence
	Open       bool
	Active     bool // it is open and its evidence was high in this tick
	Minted     bool // it has no history: anybody who can choose a name could have made it
	Unnamed    bool // no message has named it as it is now
}

// compareWeight orders members by what weighs, the heaviest first: a fact, how sure
// it is, how much it has exposed. Equal ones are ordered by name.
func (m *MemberState) compareWeight(o *MemberState) int {
	hasFact := func(m *MemberState) int { return min(len(m.Facts), 1) }
	return cmp.Or(cmp.Compare(hasFact(o), hasFact(m)), o.Confidence.Compare(m.Confidence),
		cmp.Compare(o.Records, m.Records), m.Compare(o.ID))
}

// Summary is what the members of a campaign look like at a tick.
type Summary struct {
	Totals
	Severity   episode.Severity   // of the gravest open member
	Confidence episode.Confidence // of the surest open member for which no fact holds
	Onset      int64              // of the earliest member, Unix ms of event time; 0: there is none
	Active     bool               // a member goes on
}

// Summarize adds up the members and those that are forgotten.
func Summarize(forgotten Totals, members []MemberState) Summary {
	s := Summary{Totals: slices.Clone(forgotten)}
	for i := range members {
		m := &members[i]
		s.Totals = s.Add(m.Dimension, &m.Exposed, &m.Excess)
		if s.Onset == 0 || m.Onset < s.Onset {
			s.Onset = m.Onset
		}
		if m.Open {
			s.Severity = max(s.Severity, m.Severity)
			if m.Facts == "" && m.Confidence.Compare(s.Confidence) > 0 {
				s.Confidence = m.Confidence
			}
		}
		s.Active = s.Active || m.Active
	}
	return s
}

// Names returns whom a message names: the heaviest members, and others that no message has
// named yet. Of those the dimensions take turns, the heaviest of each first, so that a
// flood of clients keeps no key and no user waiting.
func Names(members []MemberState) (top, also []Member) {
	list := slices.Clone(members)
	slices.SortFunc(list, func(a, b MemberState) int { return a.compareWeight(&b) })
	top = pick(list, MaxNamed)
	list = slices.DeleteFunc(list, func(m MemberState) bool {
		return !m.Unnamed || slices.ContainsFunc(top, func(t Member) bool { return t.ID == m.ID })
	})
	return top, pick(byTurns(list), MaxAlso)
}

// pick returns the first n members. Of the places no more than half go to minted names as
// long as others want them: who can make names must not crowd out those who can not.
func pick(list []MemberState, n int) (out []Member) {
	others := 0
	for i := range list {
		if !list[i].Minted {
			others++
		}
	}
	minted := max((n+1)/2, n-others) // places that they may take
	for i := range list {
		if len(out) == n {
			break
		}
		if list[i].Minted {
			if minted == 0 {
				continue
			}
			minted--
		}
		out = append(out, list[i].Member)
	}
	return out
}

// byTurns returns a list such that its dimensions take turns, each in the order of the
// list, if a message has no room for all.
func byTurns(list []MemberState) []MemberState {
	if len(list) <= MaxAlso {
		return list
	}
	turn, next := make(map[episode.ID]int, len(list)), map[string]int{}
	for i := range list {
		turn[list[i].ID] = next[list[i].Dimension]
		next[list[i].Dimension]++
	}
	slices.SortStableFunc(list, func(a, b MemberState) int { return cmp.Compare(turn[a.ID], turn[b.ID]) })
	return list
}
