package score

import (
	"math"
	"math/bits"
)

// Usual is what is usual of an identity in distinct records, first touches and what
// few do, on a mean day with work. Of an identity whose evidence stands out it is what
// was usual before, so that it does not depend on what is judged.
type Usual struct {
	Bins   float32            // bins with work on a mean day with work
	Pace   float32            // distinct records in a mean bin with work
	Level  [2]float32         // Distinct, FirstTouch, on a mean day
	Unions [numUnions]float32 // distinct records of as many days with work as unionDays says, 0: not known
	Kinds  [2]float32         // mean days with work that a working day is, and a day of a weekend; 0: it does not work then
	Rare   [numRare]float32   // rows, records destroyed, unissued tokens, records read at unusual hours
}

// numUnions is for how many numbers of days the union of records is learned.
const numUnions = 4

// unionDays are they. Distinct counts of days do not add up: thirty customers who are
// read again each day are thirty after a week.
var unionDays = [numUnions]int{2, 4, 8, 16}

// unions are what is learned of the union of records over several days with work.
type unions struct {
	mean [numUnions]float32 // as Usual.Unions
	day  uint32             // the last day that is in them and in worked, plus one; 0: none
	// worked has a bit for each day with work: the lowest for day, the next for the
	// day before.
	worked uint32
}

// Unions learns the union of records over the last days with work, when the identity
// begins to work on another day. count returns how many distinct records it has
// touched from the beginning of a bin on. It must be called before the counts of the
// bin are known, and does nothing on the day that is open.
func (e *Engine) Unions(s *State, bin int64, count func(from int64) float64) {
	if s.bins == 0 {
		return
	}
	last := e.Day(int64(s.lastWork))
	if last >= e.Day(bin) || int64(s.unions.day)-1 >= last {
		return
	}
	u := &s.unions
	u.worked = u.worked<<min(uint64(last+1-int64(u.day)), 32) | 1
	u.day = uint32(last + 1)
	for i, days := range unionDays {
		from, ok := u.since(days)
		if !ok {
			break
		}
		n := count(e.firstBin(from, int64(s.lastWork)))
		if u.mean[i] == 0 {
			u.mean[i] = float32(n)
		}
		u.mean[i] += float32((n - float64(u.mean[i])) / e.Tuning.Fast)
	}
}

// since returns the day of the n-th last day with work, the last one included.
func (u *unions) since(n int) (day int64, ok bool) {
	if bits.OnesCount32(u.worked) < n {
		return 0, false
	}
	w := u.worked
	for range n - 1 {
		w &= w - 1
	}
	return int64(u.day) - 1 - int64(bits.TrailingZeros32(w)), true
}

// has reports whether the identity worked on a day, as far as that is kept.
func (u *unions) has(day int64) bool {
	ago := int64(u.day) - 1 - day
	return ago >= 0 && ago < 32 && u.worked>>ago&1 == 1
}

// firstBin returns the bin in which a local day begins that is not after the day of a
// bin.
func (e *Engine) firstBin(day, bin int64) int64 {
	from := bin - int64(float64(e.Day(bin)-day)*e.perDay)
	from = e.DayStart(from)
	for e.Day(from) < day { // clocks have changed between
		from++
	}
	return e.DayStart(from)
}

// Usual returns what is usual of an identity: what was before its evidence stood out.
// Of a newcomer it is what peers do in their first days, or less, as its own days with
// work say; that these were many is what is judged.
func (e *Engine) Usual(s *State, dim int, p *Parameters) Usual {
	if s.usual != nil {
		return *s.usual
	}
	u := Usual{Pace: s.pace[Distinct], Level: s.level[0], Unions: s.unions.mean, Bins: 1, Kinds: e.kinds(s)}
	if s.days > 0 {
		u.Bins = max(1, float32(s.bins)/float32(s.days))
	}
	if s.more != nil {
		for i := range u.Rare {
			u.Rare[i] = s.more.rare[i].level[0]
		}
	}
	young := s.youngOf()
	if young < 0 {
		return u
	}
	class := p.class(dim, s.group)
	for m := range u.Level {
		if mean, spread := class.peers(young, Measure(m)); mean >= 0 {
			u.Level[m] = float32(min(mean, credible(mean, spread, class.K[DayDistinct], float64(u.Level[m]), float64(young))))
		}
	}
	if u.Pace == 0 {
		u.Pace = u.Level[Distinct] / u.Bins
	}
	return u
}

// credible returns the mean of a Gamma prior of the given mean and squared coefficient of
// variation, after some days with work of an own mean, each of which is as good a witness
// as a Poisson count that its dispersion k thins out. Where peers differ by decades, a few
// days tell more than their mean.
func credible(peers, spread, k, own, days float64) float64 {
	witnesses := days * spread * peers / (1 + peers/k)
	return (peers + witnesses*own) / (1 + witnesses)
}

// freeze keeps what was usual while the evidence stands out.
func (s *State) freeze(e *Engine, dim int, p *Parameters) {
	switch {
	case s.rise == s.last+1: // calm
		s.usual = nil
	case s.usual == nil:
		u := e.Usual(s, dim, p)
		s.usual = &u
	}
}

// Span is what an identity usually does in an interval.
type Span struct {
	Days     float64 // days with work that the interval amounts to
	Expected [NumStats]float64
	Spread   [NumStats]float64 // standard deviation around it
}

// Span returns what is usual of an identity from the beginning of one bin until part
// of another has passed, 0 < part <= 1. It counts the days with work in the interval,
// and of its first and last day the hours in it by what of its work the identity does
// in them. Statistics of a bin have what those of a day have.
func (e *Engine) Span(s *State, u *Usual, dim int, p *Parameters, from, bin int64, part float64) (out Span) {
	class := p.class(dim, s.group)
	days, moded := 0.0, 0.0
	first, last := e.Day(from), e.Day(bin)
	for day := max(first, last-40); day <= last; day++ {
		if day < last && !s.workedOn(e, day) {
			continue
		}
		share := 1.0
		if day == first || day == last {
			share = e.shareOf(s, u, day, from, bin, part)
		}
		share *= float64(u.Kinds[weekendOf(day)])
		days, moded = days+share, moded+share*class.mode(day)
	}
	out.Days = days
	if days == 0 {
		return out
	}
	mode := moded / days
	set := func(of Stat, bins Stat, mu float64) {
		out.Expected[of] = mu * mode
		mu = out.Expected[of]
		out.Spread[of] = math.Sqrt(mu + mu*mu/(class.K[of]*max(days, 1)))
		if bins != of {
			out.Expected[bins], out.Spread[bins] = mu, out.Spread[of]
		}
	}
	set(DayDistinct, BinDistinct, u.union(days))
	set(DayFirst, BinFirst, float64(u.Level[FirstTouch])*days)
	for i, mean := range u.Rare {
		st := DayRows + Stat(i)
		bins := st
		if st == DayRows {
			bins = BinRows
		}
		set(st, bins, float64(mean)*days)
	}
	return out
}

// Fresh returns how many first touches are usual among n distinct records, and the standard
// deviation around it: that of a beta-binomial of the witnesses of each day.
func (e *Engine) Fresh(s *Span, n float64) (mean, spread float64) {
	if s.Expected[DayDistinct] <= 0 {
		return 0, 0
	}
	share := min(1, s.Expected[DayFirst]/s.Expected[DayDistinct])
	witnesses := e.Tuning.Concentration * max(s.Days, 1)
	return n * share, math.Sqrt(n * share * (1 - share) * (n + witnesses) / (1 + witnesses))
}

// workedOn reports whether the identity worked on a day before the running one.
func (s *State) workedOn(e *Engine, day int64) bool {
	return s.unions.has(day) || s.bins > 0 && e.Day(int64(s.lastWork)) == day
}

// union returns how many distinct records are usual over some days with work, by the
// powers that lie between those that are known: of a bin, of a day, of several days.
func (u *Usual) union(days float64) float64 {
	bin := 1 / float64(u.Bins)
	level := float64(u.Level[Distinct])
	if level <= 0 {
		return 0
	}
	if days <= bin || bin >= 1 {
		if days <= 1 {
			return min(level, float64(u.Pace)*days/bin)
		}
	} else if days <= 1 {
		return between(days, bin, float64(u.Pace), 1, level)
	}
	x0, y0 := 1.0, level
	for i, d := range unionDays {
		x1, y1 := float64(d), float64(u.Unions[i])
		if y1 == 0 {
			break
		}
		y1 = max(y1, y0)
		if days <= x1 || i == numUnions-1 {
			return between(days, x0, y0, x1, y1)
		}
		x0, y0 = x1, y1
	}
	return y0 + (days-x0)*float64(u.Level[FirstTouch])
}

// between returns y at x on the power law through two points.
func between(x, x0, y0, x1, y1 float64) float64 {
	if y0 <= 0 || y1 <= 0 {
		return y0 + (y1-y0)*(x-x0)/(x1-x0)
	}
	return y0 * math.Pow(x/x0, math.Log(y1/y0)/math.Log(x1/x0))
}

// shareOf returns which part of a day's work an identity usually does in those of its
// hours that lie in an interval.
func (e *Engine) shareOf(s *State, u *Usual, day, from, bin int64, part float64) float64 {
	all, in := 0.0, 0.0
	start := e.firstBin(day, bin)
	for b := start; e.Day(b) == day; b++ {
		_, cell := e.local(b)
		w := s.hourWeight(cell)
		all += w
		switch {
		case b < from || b > bin:
		case b == bin:
			in += w * part
		default:
			in += w
		}
	}
	if all > 0 {
		return in / all
	}
	n := 0.0 // no hours are known: those of a mean day pass one after the other
	for b := max(start, from); b <= bin && e.Day(b) == day; b++ {
		n++
	}
	return min(1, (n-1+part)/float64(u.Bins))
}

// hourWeight returns how much of its work the identity does in an hour of the week.
func (s *State) hourWeight(cell int) float64 {
	if s.more == nil {
		return 0
	}
	return float64(s.more.work[cell])
}

// kinds returns how many times its mean day with work the identity does on a working
// day, and at a weekend: 0 of one who is known not to work then.
func (e *Engine) kinds(s *State) [2]float32 {
	out := [2]float32{1, 1}
	if s.more == nil || float64(s.days) < e.Tuning.KnownDays {
		return out
	}
	var work, days [2]float64
	for i, n := range s.more.work {
		work[i/24] += float64(n)
	}
	for ago := range int64(32) {
		if s.unions.worked>>ago&1 == 1 {
			days[weekendOf(int64(s.unions.day)-1-ago)]++
		}
	}
	for k := range out {
		if all := work[0] + work[1]; all > 0 && (days[k] > 0 || work[k] == 0) {
			out[k] = float32(work[k] / all * (days[0] + days[1]) / max(days[k], 1))
		}
	}
	return out
}

// weekendOf is 1 for a day of a weekend and 0 for a working day.
func weekendOf(day int64) int {
	if (day+3)%7 >= 5 { // the epoch was a Thursday
		return 1
	}
	return 0
}
