package fact

import (
	"math"
)

// TokenRules say when tokens that nobody issued are a fact. Logs of logins are
// never complete, so each identity has a unissued share of its own: the rate of
// unissued tokens by record read, in the past that is no part of the case.
type TokenRules struct {
	// Chance is how improbable a count of unissued tokens must be under the
	// identity's own unissued share.
	Chance float64
	// Least is the fewest unissued tokens that are ever a fact, and Ratio how many
	// times the expected number they must be: a share drifts, and a forger adds.
	Least, Ratio float64
	// Week is over how many bins the unissued share is learned: as many of each
	// weekday, and what went missing before is forgotten at once, so that tokens
	// older than the log, or a source since mended, do not hide a forger for long.
	Week float64
	// Learn is how many bins of it there must be before anything is judged.
	Learn float64
	// Lasts is for how many bins a case is kept out of the unissued share. Whoever
	// has been told for so long need not be told again, as long as it grows no
	// further.
	Lasts int64
}

// DefaultTokenRules are the rules of a deployment, for the given bins a day.
func DefaultTokenRules(binsPerDay float64) TokenRules {
	return TokenRules{Chance: 1e-6, Least: 3, Ratio: 2, Week: 7 * binsPerDay, Learn: binsPerDay, Lasts: int64(3 * binsPerDay)}
}

// CaseBins is how many bins may belong to the case: those of a day, at bins
// of an hour.
const CaseBins = 24

// caseSpans are the numbers of bins over which unissued tokens are counted: a
// burst, some hours, a day of probing.
var caseSpans = [...]int64{1, 2, 4, 8, CaseBins}

// ShareDays is how many days the unissued share is kept by: those of a week,
// and the one that fills.
const ShareDays = 8

// Unissued is how many tokens that nobody issued an identity has read through,
// and how many records it read in all: by bin for as long as they may belong to
// a case, and before that by day, for a week.
type Unissued struct {
	Bin             int64 // the latest
	Since           int64 // the first of which the past tells
	Tokens, Records [CaseBins]float64
	Past            [ShareDays]UnissuedShare // a ring
	Began, Reported int64                    // first and latest bin of the latest case, as told; zero: none yet
}

// UnissuedShare is how many unissued tokens came with how many records read.
type UnissuedShare struct{ Tokens, Records float64 }

// NewUnissued returns an identity's entry as of a bin, in which it has its first
// unissued token: it is watched since a bin, and read at level records a bin.
// Of the bins before, records tells what it read.
func NewUnissued(bin, since int64, level float64, records func(bin int64) float64, r *TokenRules) *Unissued {
	u := &Unissued{Bin: bin, Since: since}
	gone := bin - CaseBins
	for b := max(since, gone+1-int64(r.Week), 0); b <= gone; b++ {
		u.day(b, r).Records += level
	}
	for b := max(bin-CaseBins+1, 0); b < bin; b++ {
		u.Records[b%CaseBins] = records(b)
	}
	return u
}

// watched returns over how many bins the unissued share has been learned.
func (u *Unissued) watched() float64 { return float64(u.Bin - CaseBins - u.Since) }

// day returns the share of the day that a bin of the past is in.
func (u *Unissued) day(bin int64, r *TokenRules) *UnissuedShare {
	return &u.Past[dayOf(bin, r)%ShareDays]
}

func dayOf(bin int64, r *TokenRules) int64 {
	return int64(float64(max(bin, 0)) * (ShareDays - 1) / r.Week)
}

// Share returns the unissued share: what the past tells of.
func (u *Unissued) Share() (s UnissuedShare) {
	for i := range u.Past {
		s.Tokens += u.Past[i].Tokens
		s.Records += u.Past[i].Records
	}
	return s
}

// Roll brings an entry to a bin. What is older than a day becomes part of the
// unissued share, unless it was part of a case. records tells how many records
// the identity read in a bin that is over.
func (u *Unissued) Roll(bin int64, records func(bin int64) float64, r *TokenRules) {
	for u.Bin < bin {
		u.Records[u.Bin%CaseBins] = records(u.Bin)
		u.Bin++
		leaves, at := u.Bin-CaseBins, u.Bin%CaseBins
		day := u.day(leaves, r)
		if dayOf(leaves, r) != dayOf(leaves-1, r) {
			*day = UnissuedShare{}
		}
		if u.Reported == 0 || leaves > u.Reported || leaves >= u.Began+r.Lasts {
			tokens := u.learned(u.Tokens[at], u.Records[at], r)
			day.Tokens += tokens
			day.Records += u.Records[at]
		}
		u.Tokens[at], u.Records[at] = 0, 0
	}
}

// learned returns how many of the unissued tokens of one bin the unissued share
// learns, once there is one: a burst, as when the log of logins had failed,
// teaches it little.
func (u *Unissued) learned(tokens, records float64, r *TokenRules) float64 {
	past := u.Share()
	if u.watched() < r.Learn || past.Records == 0 {
		return tokens
	}
	return min(tokens, 5+3*past.Tokens/past.Records*records)
}

// Add counts n unissued tokens that first read in a bin. Those that were found
// out more than a day later are no part of any case: they are of the past's
// latest day.
func (u *Unissued) Add(bin int64, n float64, r *TokenRules) {
	if latest := u.Bin - CaseBins; bin <= latest {
		u.day(latest, r).Tokens += n
		return
	}
	u.Tokens[min(bin, u.Bin)%CaseBins] += n
}

// TokenCase is a number of unissued tokens that the unissued share does not
// explain.
type TokenCase struct {
	Tokens, Expected float64
	Span             int64 // bins that they were counted over, up to the latest
	First            int64 // the first of them with an unissued token
}

// Judge tells whether the latest unissued tokens are a fact, by the shortest
// span over which they are; nothing is before the unissued share has been learned
// for as long as the rules want. read is how many records the identity has read in
// the latest bin so far.
func (u *Unissued) Judge(read float64, r *TokenRules) (c TokenCase, is bool) {
	u.Records[u.Bin%CaseBins] = read
	if u.watched() < r.Learn {
		return c, false
	}
	past := u.Share()
	tokens, records, span := 0.0, 0.0, int64(0)
	c.First = u.Bin
	for _, c.Span = range caseSpans {
		for ; span < c.Span && u.Bin-span >= 0; span++ {
			at := (u.Bin - span) % CaseBins
			records += u.Records[at]
			if tokens += u.Tokens[at]; u.Tokens[at] > 0 {
				c.First = u.Bin - span
			}
		}
		c.Tokens = tokens
		if c.Expected, is = r.Improbable(tokens, records, past); !is {
			continue
		}
		if u.Reported == 0 || u.Bin-u.Reported > CaseBins {
			u.Began = u.Bin
		}
		u.Reported = u.Bin
		return c, true
	}
	return c, false
}

// sharePrior is the prior of the unissued share: a Gamma of shape one half,
// the one of Jeffreys for a Poisson rate. Its weight is one record.
const sharePrior = 0.5

// Tail returns the natural log of the probability of at least n unissued tokens
// among records reads, where those of the past were among its records. The
// number of tokens is Poisson, its rate by record Gamma distributed, so that
// what is not known of the rate widens the tail: a negative binomial.
func (r *TokenRules) Tail(n, records float64, past UnissuedShare) float64 {
	shape, weight := sharePrior+past.Tokens, 1+past.Records
	p := records / (records + weight)
	if n <= 0 || p <= 0 {
		return 0
	}
	if n <= shape*p/(1-p) {
		return 0 // no more than the mean
	}
	lg := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	first := lg(n+shape) - lg(shape) - lg(n+1) + n*math.Log(p) + shape*math.Log1p(-p)
	sum, term := 1.0, 1.0
	for i := n; term > 1e-9*sum && i < n+10_000; i++ {
		term *= (i + shape) / (i + 1) * p
		sum += term
	}
	return min(first+math.Log(sum), 0)
}

// Improbable reports whether so many unissued tokens are a fact, and how many
// were to be expected.
func (r *TokenRules) Improbable(n, records float64, past UnissuedShare) (expected float64, is bool) {
	expected = (sharePrior + past.Tokens) / (1 + past.Records) * records
	return expected, n >= r.Least && n >= r.Ratio*expected && r.Tail(n, records, past) < math.Log(r.Chance)
}
