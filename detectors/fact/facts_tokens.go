package fact

import (
	"math"
)

// TokenRules say when tokens that nobody issued are a fact. Logs of logins are
// never complete, so each identity has a missing share of its own: the rate of
// unissued tokens by record read, in the past that is no part of the case.
type TokenRules struct {
	// Chance is how improbable a count of unissued tokens must be under the
	// identity's own missing share.
	Chance float64
	// Least is the fewest unissued tokens that are ever a fact, and Ratio how many
	// times the expected number they must be: a share drifts, and a forger adds.
	Least, Ratio float64
	// Week is over how many bins the missing share is learned: as many of each
	// weekday, and what went missing before is forgotten at once, so that tokens
	// older than the log, or a source since mended, do not hide a forger for long.
	Week float64
	// Learn is how many bins of it there must be before anything is judged.
	Learn float64
	// Lasts is for how many bins a case is kept out of the missing share. Whoever
	// has been told for so long need not be told again, as long as it grows no
	// further.
	Lasts int64
}

// DefaultTokenRules are the rules of a deployment, for the given bins a day.
func DefaultTokenRules(binsPerDay float64) TokenRules {
	return TokenRules{Chance: 1e-6, Least: 3, Ratio: 2, Week: 7 * binsPerDay, Learn: binsPerDay, Lasts: int64(3 * binsPerDay)}
}

// MissingBins is how many bins may belong to the case: those of a day, at bins
// of an hour.
const MissingBins = 24

// missingSpans are the numbers of bins over which unissued tokens are counted: a
// burst, some hours, a day of probing.
var missingSpans = [...]int64{1, 2, 4, 8, MissingBins}

// MissingDays is how many days the missing share is kept by: those of a week,
// and the one that fills.
const MissingDays = 8

// Missing is how many tokens that nobody issued an identity has read through,
// and how many records it read in all: by bin for as long as they may belong to
// a case, and before that by day, for a week.
type Missing struct {
	Bin             int64 // the latest
	Since           int64 // the first of which the past tells
	Tokens, Records [MissingBins]float64
	Past            [MissingDays]MissingShare // a ring
	Began, Told     int64                     // first and latest bin of the latest case, as told; zero: none yet
}

// MissingShare is how many unissued tokens came with how many records read.
type MissingShare struct{ Tokens, Records float64 }

// NewMissing returns an identity's entry as of a bin, in which it has its first
// unissued token: it is watched since a bin, and read at level records a bin.
// Of the bins before, records tells what it read.
func NewMissing(bin, since int64, level float64, records func(bin int64) float64, r *TokenRules) *Missing {
	m := &Missing{Bin: bin, Since: since}
	gone := bin - MissingBins
	for b := max(since, gone+1-int64(r.Week), 0); b <= gone; b++ {
		m.day(b, r).Records += level
	}
	for b := max(bin-MissingBins+1, 0); b < bin; b++ {
		m.Records[b%MissingBins] = records(b)
	}
	return m
}

// watched returns over how many bins the missing share has been learned.
func (m *Missing) watched() float64 { return float64(m.Bin - MissingBins - m.Since) }

// day returns the share of the day that a bin of the past is in.
func (m *Missing) day(bin int64, r *TokenRules) *MissingShare {
	return &m.Past[dayOf(bin, r)%MissingDays]
}

func dayOf(bin int64, r *TokenRules) int64 {
	return int64(float64(max(bin, 0)) * (MissingDays - 1) / r.Week)
}

// Share returns the missing share: what the past tells of.
func (m *Missing) Share() (s MissingShare) {
	for i := range m.Past {
		s.Tokens += m.Past[i].Tokens
		s.Records += m.Past[i].Records
	}
	return s
}

// Roll brings an entry to a bin. What is older than a day becomes part of the
// missing share, unless it was part of a case. records tells how many records
// the identity read in a bin that is over.
func (m *Missing) Roll(bin int64, records func(bin int64) float64, r *TokenRules) {
	for m.Bin < bin {
		m.Records[m.Bin%MissingBins] = records(m.Bin)
		m.Bin++
		leaves, at := m.Bin-MissingBins, m.Bin%MissingBins
		day := m.day(leaves, r)
		if dayOf(leaves, r) != dayOf(leaves-1, r) {
			*day = MissingShare{}
		}
		if m.Told == 0 || leaves > m.Told || leaves >= m.Began+r.Lasts {
			tokens := m.taught(m.Tokens[at], m.Records[at], r)
			day.Tokens += tokens
			day.Records += m.Records[at]
		}
		m.Tokens[at], m.Records[at] = 0, 0
	}
}

// taught returns how many of the unissued tokens of one bin teach the missing
// share, once there is one: a burst, as when the log of logins had failed,
// teaches it little.
func (m *Missing) taught(tokens, records float64, r *TokenRules) float64 {
	past := m.Share()
	if m.watched() < r.Learn || past.Records == 0 {
		return tokens
	}
	return min(tokens, 5+3*past.Tokens/past.Records*records)
}

// Add counts n unissued tokens that first read in a bin. Those that were found
// out more than a day later are no part of any case: they are of the past's
// latest day.
func (m *Missing) Add(bin int64, n float64, r *TokenRules) {
	if latest := m.Bin - MissingBins; bin <= latest {
		m.day(latest, r).Tokens += n
		return
	}
	m.Tokens[min(bin, m.Bin)%MissingBins] += n
}

// TokenCase is a number of unissued tokens that the missing share does not
// explain.
type TokenCase struct {
	Tokens, Expected float64
	Span             int64 // bins that they were counted over, up to the latest
	First            int64 // the first of them with an unissued token
}

// Judge tells whether the latest unissued tokens are a fact, by the shortest
// span over which they are; nothing is before the missing share has been learned
// for as long as the rules want. read is how many records the identity has read in
// the latest bin so far.
func (m *Missing) Judge(read float64, r *TokenRules) (c TokenCase, is bool) {
	m.Records[m.Bin%MissingBins] = read
	if m.watched() < r.Learn {
		return c, false
	}
	past := m.Share()
	tokens, records, span := 0.0, 0.0, int64(0)
	c.First = m.Bin
	for _, c.Span = range missingSpans {
		for ; span < c.Span && m.Bin-span >= 0; span++ {
			at := (m.Bin - span) % MissingBins
			records += m.Records[at]
			if tokens += m.Tokens[at]; m.Tokens[at] > 0 {
				c.First = m.Bin - span
			}
		}
		c.Tokens = tokens
		if c.Expected, is = r.Improbable(tokens, records, past); !is {
			continue
		}
		if m.Told == 0 || m.Bin-m.Told > MissingBins {
			m.Began = m.Bin
		}
		m.Told = m.Bin
		return c, true
	}
	return c, false
}

// missingShape is the prior of the missing share: a Gamma of shape one half,
// the one of Jeffreys for a Poisson rate. Its weight is one record.
const missingShape = 0.5

// Tail returns the natural log of the probability of at least n unissued tokens
// among records reads, where those of the past were among its records. The
// number of tokens is Poisson, its rate by record Gamma distributed, so that
// what is not known of the rate widens the tail: a negative binomial.
func (r *TokenRules) Tail(n, records float64, past MissingShare) float64 {
	shape, weight := missingShape+past.Tokens, 1+past.Records
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
func (r *TokenRules) Improbable(n, records float64, past MissingShare) (expected float64, is bool) {
	expected = (missingShape + past.Tokens) / (1 + past.Records) * records
	return expected, n >= r.Least && n >= r.Ratio*expected && r.Tail(n, records, past) < math.Log(r.Chance)
}
