package episode

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
)

// Times of an episode, in milliseconds of event time, and its margin in nats.
const (
	// Quiet is how long the evidence must stay low for an open episode to close, unless
	// it sleeps, and to come back when it rises again.
	Quiet = 6 * eventtime.Hour
	// ShortSleep and LongSleep bound how long an episode of a fact that nobody has
	// answered stays open though the fact does not show; see Sleep.
	ShortSleep = eventtime.Day
	LongSleep  = 14 * eventtime.Day
	// Grace is how long after its close an episode opens again under its
	// old key.
	Grace = eventtime.Day
	// Remind is how long nothing is told of an open episode at most, unless
	// somebody has acknowledged it.
	Remind = eventtime.Day
	// LongQuiet is Quiet of campaigns and of what is confirmed to be a
	// leak: one that goes on by night or by day only must not look over.
	LongQuiet = eventtime.Day
	// Margin is how far below the threshold the evidence must be to count
	// as low, so that an episode at the threshold does not flap.
	Margin = 2.0
)

// leastExcess is the excess from which on its doubling is news.
const leastExcess = 10

// Observation is what is known of one identity at one tick.
type Observation struct {
	Dimension, Identity string
	Tick                int64   // end of the tick, Unix milliseconds
	Log                 float64 // log evidence
	Threshold           float64 // of its dimension, now
	Exposed             int64   // records touched since the onset
	Excess              int64   // records, or rows, beyond what is usual; those that a fact covers
	// Spent says that Log keeps no episode open, and Stale that it is the evidence of
	// before: the tick itself shows nothing.
	Spent, Stale bool
	// Facts names what is known of the identity in this tick and needs no
	// evidence; Floor is the least severity that it means.
	Facts []string
	Floor Severity
	Raise int // by how many steps the severity is graver for what the identity can do; no evidence
	// Members is how many belong to it, where the identity is a campaign.
	Members int64
}

// Action is what there is to say of an episode.
type Action uint8

// The actions. Nothing is the zero value.
const (
	Nothing Action = iota
	Open
	Update
	Close
)

// String returns the action's name; those of alerts are their status.
func (a Action) String() string {
	if a <= Close {
		return [...]string{"nothing", "open", "update", "close"}[a]
	}
	return "unknown"
}

// Decision says what to tell of an episode, and under which key.
type Decision struct {
	Action   Action
	Episode  Episode // as it stands after the decision; zero if there is none
	Reopened bool    // an Open under the key of an earlier one
}

// Episode is one continuing anomaly of one identity in one dimension. Times are
// ends of ticks in Unix milliseconds.
type Episode struct {
	Dimension, Identity string
	First               int64    // tick of the first opening: the key follows from it and never changes
	Opened              int64    // tick of the latest opening
	Announced           int64    // tick of the latest Open or Update action
	High                int64    // latest tick with evidence above threshold - Margin, or with a fact
	Shown               int64    // latest tick that showed something itself, or a fact
	Returns             int64    // how often it has come back since First, after Quiet or longer
	Gap                 int64    // longest time without evidence that it has come back from, ms
	Closed              int64    // tick of the close, 0 while open
	Severity            Severity // highest so far since Opened
	Exposed             int64    // as last announced
	Excess              int64    // as last announced
	Members             int64    // of a campaign, as last announced
	Facts               string   // known since Opened: their names, sorted, with commas between
	Standing            Standing // what people have said of it
}

// Standing is what people have said of an episode.
type Standing uint8

// The standings. Unjudged is the zero value.
const (
	Unjudged     Standing = iota
	Acknowledged          // somebody looks at it: it is told only when something changes
	Confirmed             // it is a leak: critical, and slow to close
	numStandings
)

// Episodes holds the episodes that are open, or closed so lately that they may
// open again, sorted by dimension and identity. The zero value is empty.
type Episodes struct {
	list []Episode
}

// find returns the place of an episode and whether it is there.
func (s *Episodes) find(id ID) (int, bool) {
	return slices.BinarySearchFunc(s.list, id, func(ep Episode, id ID) int { return ep.ID().Compare(id) })
}

// Judge takes one observation and says what to tell:
//
//   - Open when the evidence reaches the threshold or a fact is known, under the
//     old key if the last episode closed no more than Grace ago;
//   - Update, while open, when the severity rises, when a fact is new, when the
//     excess or the number of members has doubled since it was last announced, when
//     it comes back, or when the tick shows that it goes on and nothing was told for
//     Remind;
//   - Close after Quiet (LongQuiet of a campaign and of what is confirmed) without
//     evidence above threshold - Margin and without a fact; of a fact that nobody has
//     answered after Sleep, so that a leaver who works by night is one episode.
//
// Observations of one identity come in order of ticks; one that is older than the
// latest is taken as if of the latest.
func (s *Episodes) Judge(r Observation) Decision {
	i, known := s.find(ID{r.Dimension, r.Identity})
	if !known {
		if !r.opens() {
			return Decision{}
		}
		s.list = slices.Insert(s.list, i, Episode{Dimension: r.Dimension, Identity: r.Identity, First: r.Tick})
		return s.list[i].open(&r)
	}
	ep := &s.list[i]
	r.Tick = max(r.Tick, ep.Announced, ep.High)
	if ep.Closed == 0 {
		return ep.follow(&r)
	}
	if !r.opens() {
		return Decision{Episode: *ep}
	}
	again := r.Tick-ep.Closed <= Grace
	if !again {
		*ep = Episode{Dimension: r.Dimension, Identity: r.Identity, First: r.Tick}
	}
	v := ep.open(&r)
	v.Reopened = again
	return v
}

// opens reports whether the observation opens an episode.
func (r *Observation) opens() bool { return r.Log >= r.Threshold || len(r.Facts) > 0 }

// severity returns the severity that the observation alone means.
func (r *Observation) severity() Severity {
	return min(max(SeverityOf(r.Excess, r.Log, r.Threshold), r.Floor)+Severity(r.Raise), Critical)
}

// open starts the episode, or starts it again. What people said of it before
// stands, but for an acknowledgement: it came back after that.
func (ep *Episode) open(r *Observation) Decision {
	ep.returned(r.Tick)
	ep.Opened, ep.Announced, ep.High, ep.Shown, ep.Closed = r.Tick, r.Tick, r.Tick, r.Tick, 0
	ep.Severity, ep.Exposed, ep.Excess, ep.Members, ep.Facts = r.severity(), r.Exposed, r.Excess, r.Members, ""
	ep.learn(r.Facts)
	switch ep.Standing {
	case Acknowledged:
		ep.Standing = Unjudged
	case Confirmed:
		ep.Severity = Critical
	}
	return Decision{Action: Open, Episode: *ep}
}

// learn notes facts and reports whether any of them is new.
func (ep *Episode) learn(facts []string) bool {
	var known []string
	if ep.Facts != "" {
		known = strings.Split(ep.Facts, ",")
	}
	n := len(known)
	for _, f := range facts {
		if i, ok := slices.BinarySearch(known, f); !ok {
			known = slices.Insert(known, i, f)
		}
	}
	ep.Facts = strings.Join(known, ",")
	return len(known) > n
}

// follow judges an observation of an open episode.
func (ep *Episode) follow(r *Observation) Decision {
	if ep.over(r.Tick) && !r.high() {
		return ep.close(r.Tick)
	}
	back := false
	if r.shows() {
		back = ep.returned(r.Tick) && ep.Standing != Acknowledged
		ep.Shown = r.Tick
	}
	if r.high() {
		ep.High = r.Tick
	}
	severity := max(ep.Severity, r.severity())
	material := ep.learn(r.Facts) || severity != ep.Severity || back ||
		r.Excess >= 2*max(ep.Excess, leastExcess) || r.Members >= 2*max(ep.Members, 1)
	if !material && (!r.shows() || ep.Standing == Acknowledged || r.Tick-ep.Announced < Remind) {
		return Decision{Episode: *ep}
	}
	ep.Severity, ep.Exposed, ep.Excess, ep.Members, ep.Announced = severity, r.Exposed, max(ep.Excess, r.Excess), max(ep.Members, r.Members), r.Tick
	return Decision{Action: Update, Episode: *ep}
}

// high reports whether the observation keeps an open episode going.
func (r *Observation) high() bool {
	return !r.Spent && Sustains(r.Log, r.Threshold) || len(r.Facts) > 0
}

// shows reports whether the tick itself shows that an open episode goes on.
func (r *Observation) shows() bool { return r.high() && (!r.Stale || len(r.Facts) > 0) }

// Sustains reports whether evidence keeps an open episode open: it is no more than
// Margin below the threshold, and above half of it, which matters where it is low.
func Sustains(log, threshold float64) bool { return log >= max(threshold-Margin, threshold/2) }

// returned notes that evidence has come at a tick, and reports whether the episode
// comes back by it. An episode that has just begun comes back from nothing.
func (ep *Episode) returned(tick int64) bool {
	gap := tick - ep.High
	if ep.High == 0 || gap < Quiet {
		return false
	}
	ep.Returns++
	ep.Gap = max(ep.Gap, gap)
	return true
}

// Sleep returns how long an episode of a fact that nobody has answered stays open
// though the fact does not show: twice the longest time that it has come back from so
// far, so that what comes each night, or each week, goes on as one. It lies between
// ShortSleep and LongSleep. Evidence sleeps less: each shared key stands out now and
// then, and a leak must not be taken for the going on of that. Times are in ms.
func Sleep(gap int64) int64 { return min(max(2*gap, ShortSleep), LongSleep) }

// over reports whether the episode has been quiet for long enough to close.
func (ep *Episode) over(tick int64) bool { return tick >= ep.Ends() }

// Ends returns the tick at which the episode closes if nothing more is seen.
func (ep *Episode) Ends() int64 {
	quiet := Quiet
	switch {
	case ep.Standing == Unjudged && ep.Facts != "":
		quiet = Sleep(ep.Gap)
	case ep.Standing == Confirmed || ep.Members > 0:
		quiet = LongQuiet
	}
	return ep.High + quiet
}

func (ep *Episode) close(tick int64) Decision {
	ep.Closed = tick
	return Decision{Action: Close, Episode: *ep}
}

// SetStanding keeps what somebody has said of an episode at a tick. A confirmed one
// ranks as critical: that is an Update while it is open.
func (s *Episodes) SetStanding(id ID, standing Standing, tick int64) Decision {
	i, known := s.find(id)
	if !known {
		return Decision{}
	}
	ep := &s.list[i]
	ep.Standing = standing
	v := Decision{Episode: *ep}
	if standing == Confirmed && ep.Severity < Critical {
		ep.Severity = Critical
		if ep.Closed == 0 {
			ep.Announced = max(ep.Announced, tick)
			v.Action = Update
		}
		v.Episode = *ep
	}
	return v
}

// Expire ends a tick after all its observations were judged: it closes the open
// episodes that are over (see Ends) and not kept, in order of dimension and identity, and returns them; and it forgets, and returns as
// forgotten, those closed more than Grace ago.
func (s *Episodes) Expire(tick int64, kept func(*Episode) bool) (closed []Decision, forgotten []Episode) {
	left := s.list[:0]
	for i := range s.list {
		ep := s.list[i]
		switch {
		case ep.Closed == 0 && ep.over(tick) && !kept(&ep):
			closed = append(closed, ep.close(tick))
		case ep.Closed != 0 && tick-ep.Closed > Grace:
			forgotten = append(forgotten, ep)
			continue
		}
		left = append(left, ep)
	}
	clear(s.list[len(left):])
	s.list = left
	return closed, forgotten
}

// All returns the episodes in order of dimension and identity. The slice is
// valid until the next call of another method.
func (s *Episodes) All() []Episode { return s.list }

// Get returns the episode of an identity, if one is open or was lately closed.
func (s *Episodes) Get(id ID) (Episode, bool) {
	if i, ok := s.find(id); ok {
		return s.list[i], true
	}
	return Episode{}, false
}

// Restore puts back an episode that was saved, in place of the one of the same
// dimension and identity if there is one.
func (s *Episodes) Restore(ep Episode) {
	i, known := s.find(ep.ID())
	if !known {
		s.list = slices.Insert(s.list, i, Episode{})
	}
	s.list[i] = ep
}

const (
	episodeVersion = 5
	// MaxName is how many bytes the name of a dimension or an identity may have.
	MaxName = 1 << 16
)

// AppendBinary appends the canonical encoding of the episode.
func (ep *Episode) AppendBinary(b []byte) []byte {
	b = append(b, episodeVersion, byte(ep.Severity), byte(ep.Standing))
	b = wire.AppendText(b, ep.Dimension)
	b = wire.AppendText(b, ep.Identity)
	b = wire.AppendText(b, ep.Facts)
	for _, v := range ep.numbers() {
		b = binary.AppendVarint(b, *v)
	}
	return b
}

func (ep *Episode) numbers() []*int64 {
	return []*int64{&ep.First, &ep.Opened, &ep.Announced, &ep.High, &ep.Shown, &ep.Closed, &ep.Exposed, &ep.Excess, &ep.Members, &ep.Returns, &ep.Gap}
}

// Decode reads what AppendBinary wrote and returns the bytes after it.
func Decode(b []byte) (Episode, []byte, error) {
	r := wire.NewReader(b)
	r.Version(episodeVersion)
	ep := Episode{Severity: Severity(r.Byte()), Standing: Standing(r.Byte())}
	ep.Dimension = r.TextUpTo(MaxName)
	ep.Identity = r.TextUpTo(MaxName)
	ep.Facts = r.TextUpTo(MaxName)
	for _, v := range ep.numbers() {
		*v = r.Varint()
	}
	if !ep.Severity.Valid() || ep.Standing >= numStandings {
		r.Fail(fmt.Sprintf("severity %d, standing %d", ep.Severity, ep.Standing))
	}
	if err := r.Err(); err != nil {
		return Episode{}, nil, fmt.Errorf("decoding an episode: %w", err)
	}
	return ep, r.Rest(), nil
}

// Remove takes an episode out, if it is there.
func (s *Episodes) Remove(id ID) {
	if i, known := s.find(id); known {
		s.list = slices.Delete(s.list, i, i+1)
	}
}
