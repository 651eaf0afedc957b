package fact

import (
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
)

const (
	// quietFor is how long nobody must sign in for a gap, in ms, or three times the
	// usual distance of logins, if that is more.
	quietFor = 15 * eventtime.Minute
	// recovery is how long the backlog of a gap is waited for, in ms, beside the
	// grace: a quarter of the gap, at most two hours.
	recovery = 2 * eventtime.Hour
	// loginsAgain is in how many ticks since a token's first read somebody must have
	// signed in before its own login is missed: a source of logins that has failed
	// must not turn everybody's tokens into forged ones.
	loginsAgain = 2
	// missedLogins is how many ticks with logins a gap must lack for people not just to
	// have paused: that has a chance of one in a thousand.
	missedLogins = 7
)

// LoginLog knows in which ticks anybody signed in, and so of which times the log of
// logins tells: a token that nobody issued can be told from one whose login is
// still to come.
type LoginLog struct {
	grid    eventtime.Grid
	grace   int64   // ticks for which a login may come after the reads it stands behind
	First   int64   // first tick in which a token was issued; eventtime.Never while there was none
	Issues  []int64 // the later ones that are not forgotten, sorted
	Busy    Busy    // by which a gap is told from the hours in which people sleep
	backlog int64   // tick until which the backlog of a gap between them is waited for; see FindGaps
	quiet   int64   // ticks without a login that are a gap
}

// Busy counts, by Unix hour, in how many ticks of it anybody signed in, over twelve days:
// a week before the oldest token that is waited for.
type Busy struct {
	Hour  int64         // the latest that is counted
	Ticks [12 * 24]byte // a ring
}

// add counts a tick of an hour. Hours come in their order.
func (b *Busy) add(hour int64) {
	for h := max(b.Hour+1, hour-int64(len(b.Ticks))+1); h <= hour; h++ {
		b.Ticks[h%int64(len(b.Ticks))] = 0
	}
	b.Hour = max(b.Hour, hour)
	b.Ticks[hour%int64(len(b.Ticks))]++
}

// at returns the ticks of an hour in which anybody signed in.
func (b *Busy) at(hour int64) int64 {
	if hour > b.Hour || hour <= b.Hour-int64(len(b.Ticks)) {
		return 0
	}
	return int64(b.Ticks[hour%int64(len(b.Ticks))])
}

// NewLoginLog returns the log of logins before any; grace is in ticks.
func NewLoginLog(grid eventtime.Grid, grace int64) LoginLog {
	return LoginLog{grid: grid, grace: grace, First: eventtime.Never}
}

// SignedIn notes that somebody signed in, or was issued a token, in a tick. Ticks
// come in their order.
func (l *LoginLog) SignedIn(tick int64) {
	if l.First == eventtime.Never {
		l.First = tick
	}
	l.Issues = append(l.Issues, tick)
	l.Busy.add(l.hour(tick))
}

func (l *LoginLog) hour(tick int64) int64 { return eventtime.HourOf(l.grid.TickStart(tick)) }

// Forget drops the ticks before one.
func (l *LoginLog) Forget(before int64) {
	old, _ := slices.BinarySearch(l.Issues, before)
	l.Issues = slices.Delete(l.Issues, 0, old)
}

// Learns reports whether, at a tick, a token without a login is still taken for one
// that is older than the log.
func (l *LoginLog) Learns(tick int64) bool {
	return l.First == eventtime.Never || (tick-l.First)*l.grid.Tick < TokenLearn
}

// FindGaps finds the gaps, up to a tick, in which nobody has signed in although
// that was usual: the source of logins had failed, or people slept. What one
// missed comes later, and not at once, between newer logins or before them, and
// is counted as late, shortly before the gap's end: until all of it has come
// nobody's login is missed. Covers goes by the gaps that were found last.
func (l *LoginLog) FindGaps(tick int64) {
	l.backlog = eventtime.Never
	var steps []int64
	for i := 1; i < len(l.Issues); i++ {
		steps = append(steps, l.Issues[i]-l.Issues[i-1])
	}
	quiet := max(quietFor/l.grid.Tick, 1)
	if len(steps) > 0 {
		sorted := slices.Sorted(slices.Values(steps))
		quiet = max(quiet, 3*sorted[len(sorted)/2])
	}
	l.quiet = quiet
	for i, step := range steps {
		if step > quiet {
			l.backlog = max(l.backlog, l.Issues[i+1]+l.grace+min(step/4, recovery/l.grid.Tick))
		}
	}
	if n := len(l.Issues); n > 0 && tick-l.Issues[n-1] > quiet {
		l.backlog = tick + 1 // it goes on
	}
}

// Covers reports whether the log of logins tells, at a tick, of the time since an
// earlier one: somebody has signed in since then, and the backlog of each gap has
// come.
func (l *LoginLog) Covers(from, tick int64) bool {
	after, _ := slices.BinarySearch(l.Issues, from+1)
	return len(l.Issues)-after >= loginsAgain && l.backlog <= tick
}

// Lost reports whether the login of a token that first read at a tick may have been lost:
// the token began in a gap, or in the grace after it, in which people would have signed in
// as they did a week before (a day, in the first week of the log). Of such a time the log
// does not tell, though all that comes late has come. It must be asked after FindGaps.
func (l *LoginLog) Lost(from int64) bool {
	for i := 1; i < len(l.Issues); i++ {
		begins, ends := l.Issues[i-1], l.Issues[i]
		if ends-begins > l.quiet && from > begins && from <= ends+l.grace {
			return l.missed(begins, ends) >= missedLogins
		}
	}
	return false
}

// missed returns in how many ticks between two somebody would have signed in.
func (l *LoginLog) missed(begins, ends int64) (n float64) {
	before := int64(7 * 24)
	if l.hour(begins)-before <= l.hour(l.First) {
		before = 24
	}
	for tick := begins + 1; tick < ends; tick++ {
		n += float64(l.Busy.at(l.hour(tick)-before)) * float64(l.grid.Tick) / float64(eventtime.Hour)
	}
	return n
}
