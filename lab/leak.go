package lab

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind says how a leak goes about it.
type Kind string

// The kinds of leaks that can be added to a log. What they take are records
// that the identity has not touched in the log so far.
const (
	Drift    Kind = "drift"    // an identity reads more than it used to, in the hours in which it works
	Slow     Kind = "slow"     // the same, growing by a share each day: the boiling frog
	Newcomer Kind = "newcomer" // an account that was never seen works like another, and steals
	Mules    Kind = "mules"    // several accounts each read a little more, through one new network
	Forged   Kind = "forged"   // tokens that nobody issued, under a known key, one record each, addresses rotating
	Report   Kind = "report"   // one export of many rows on each day of work, no ids
)

// kindInfo is what there is to know of a kind.
type kindInfo struct {
	kind  Kind
	rate  string // the default
	forms string // the units that a rate may have: x, / and %
}

// kinds is in the order of the documentation.
var kinds = []kindInfo{
	{Drift, "3x", "x/"},
	{Slow, "2%", "%"},
	{Newcomer, "3x", "x/"},
	{Mules, "1.5x", "x/"},
	{Forged, "1000/day", "x/"},
	{Report, "100000/day", "/"},
}

// KindNames returns the names of the kinds.
func KindNames() []string {
	var out []string
	for _, k := range kinds {
		out = append(out, string(k.kind))
	}
	return out
}

// Rate is how much a leak takes. One of its fields is above zero.
type Rate struct {
	Times  float64 // times the identity's mean of distinct records on an active day, its own work included
	PerDay float64 // records (Report: rows) a day on top of its own work
	Growth float64 // share by which the identity's work grows each day, compounding; all growth is stolen
}

// String returns the form that ParseLeak reads.
func (r Rate) String() string {
	f := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	switch {
	case r.Times > 0:
		return f(r.Times) + "x"
	case r.Growth > 0:
		return f(100*r.Growth) + "%"
	}
	return f(r.PerDay) + "/day"
}

// Leak is a leak to be added to a log.
type Leak struct {
	Kind      Kind
	Rate      Rate
	Dimension string        // of Identity; empty: key for Forged, else user
	Identity  string        // whose; empty: chosen from the log (see Profile.Choose)
	Role      string        // those of whom the log says so are chosen; empty: all
	Work      string        // those who mostly work through this endpoint are chosen; empty: all
	Start     time.Time     // zero: after two thirds of the log
	Length    time.Duration // of the leak, whole days
	Count     int           // how many identities are tried, each in a run of its own
	Accounts  int           // of Mules: how many read
	Seed      uint64        // of everything drawn
}

// leakDays is how long a leak lasts unless told otherwise.
const leakDays = 7

// ParseLeak reads a leak as people write it: KEY=VALUE pairs between commas,
// keys in any case, such as KIND=drift,RATE=2x,COUNT=5. The keys are KIND, RATE
// (3x, 500/day, 20/h or, of slow, 2%), IDENTITY (NAME or DIMENSION:NAME), ROLE,
// WORK (an endpoint), START (RFC 3339, or a day), DAYS, COUNT, ACCOUNTS and SEED. The error says which
// part is wrong and what would be right.
func ParseLeak(text string) (Leak, error) {
	l := Leak{Kind: Drift, Length: leakDays * 24 * time.Hour, Count: 1, Accounts: 10, Seed: 1}
	rate := ""
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		value = strings.TrimSpace(value)
		if !ok || value == "" {
			return l, fmt.Errorf("reading the leak %q: %q is no KEY=VALUE, such as KIND=drift,RATE=3x", text, part)
		}
		err := error(nil)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "kind":
			l.Kind = Kind(value)
		case "rate":
			rate = value
		case "identity":
			l.identity(value)
		case "role":
			l.Role = value
		case "work":
			l.Work = value
		case "start":
			l.Start, err = parseStart(value)
		case "days":
			var days int
			days, err = between(value, 1, 365)
			l.Length = time.Duration(days) * 24 * time.Hour
		case "count":
			l.Count, err = between(value, 1, 10_000)
		case "accounts":
			l.Accounts, err = between(value, 2, 1000)
		case "seed":
			l.Seed, err = strconv.ParseUint(value, 10, 64)
		default:
			err = fmt.Errorf("there is no such key; want KIND, RATE, IDENTITY, ROLE, WORK, START, DAYS, COUNT, ACCOUNTS or SEED")
		}
		if err != nil {
			return l, fmt.Errorf("reading %s of the leak %q: %w", strings.TrimSpace(key), text, err)
		}
	}
	return l, l.settle(text, rate)
}

// identity takes NAME or DIMENSION:NAME. A colon may stand in a name (IPv6,
// say), so only what is a lower-case word before it is taken for a dimension.
func (l *Leak) identity(value string) {
	dim, name, ok := strings.Cut(value, ":")
	word := ok && dim != "" && name != "" && strings.Trim(dim, "abcdefghijklmnopqrstuvwxyz_") == ""
	if word {
		l.Dimension, l.Identity = dim, name
		return
	}
	l.Identity = value
}

// asked says which identities the leak asks for, for messages; empty: any.
func (l *Leak) asked() (text string) {
	if l.Role != "" {
		text = fmt.Sprintf(" of the role %q", l.Role)
	}
	if l.Work != "" {
		text += fmt.Sprintf(" that mostly works through %q", l.Work)
	}
	return text
}

// settle fills in what depends on the kind.
func (l *Leak) settle(text, rate string) error {
	i := slices.IndexFunc(kinds, func(k kindInfo) bool { return k.kind == l.Kind })
	if i < 0 {
		return fmt.Errorf("reading KIND of the leak %q: there is no %q; want %s", text, l.Kind, strings.Join(KindNames(), ", "))
	}
	if rate == "" {
		rate = kinds[i].rate
	}
	var err error
	if l.Rate, err = parseRate(rate, kinds[i].forms); err != nil {
		return fmt.Errorf("reading RATE of the leak %q: %w", text, err)
	}
	if l.Dimension == "" {
		l.Dimension = "user"
		if l.Kind == Forged {
			l.Dimension = "key"
		}
	}
	if l.Identity != "" && l.Count > 1 {
		return fmt.Errorf("reading COUNT of the leak %q: with IDENTITY there is one identity to try; leave one of the two out", text)
	}
	if l.Identity != "" && (l.Role != "" || l.Work != "") {
		return fmt.Errorf("reading IDENTITY of the leak %q: ROLE and WORK choose among identities; leave them or IDENTITY out", text)
	}
	if l.Identity != "" && (l.Kind == Mules || l.Kind == Newcomer) {
		return fmt.Errorf("reading IDENTITY of the leak %q: %s chooses its accounts from the log; leave IDENTITY out", text, l.Kind)
	}
	return nil
}

func parseRate(s, forms string) (Rate, error) {
	var r Rate
	number, unit := s, ""
	if at := strings.IndexAny(s, "x%/"); at >= 0 {
		number, unit = s[:at], s[at:]
	}
	v, err := strconv.ParseFloat(number, 64)
	known := unit == "x" || unit == "%" || unit == "/day" || unit == "/h"
	switch {
	case err != nil || !known || !(v > 0 && v <= 1e9):
		return r, fmt.Errorf("%q is no rate; want %s", s, rateForms(forms))
	case !strings.ContainsRune(forms, rune(unit[0])):
		return r, fmt.Errorf("%q makes no sense for this kind; want %s", s, rateForms(forms))
	case unit == "x" && v <= 1:
		return r, fmt.Errorf("%q leaves nothing to steal; want more than 1x", s)
	}
	switch unit {
	case "x":
		r.Times = v
	case "%":
		r.Growth = v / 100
	case "/day":
		r.PerDay = v
	case "/h":
		r.PerDay = 24 * v
	}
	return r, nil
}

func rateForms(forms string) string {
	var out []string
	if strings.Contains(forms, "x") {
		out = append(out, "3x (times its usual day)")
	}
	if strings.Contains(forms, "/") {
		out = append(out, "500/day, 20/h")
	}
	if strings.Contains(forms, "%") {
		out = append(out, "2% (growth a day)")
	}
	return strings.Join(out, ", ")
}

func parseStart(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; want one such as 2026-03-01 or 2026-03-01T09:00:00Z", s)
}

func between(s string, lo, hi int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < lo || n > hi {
		return 0, fmt.Errorf("%q is no whole number from %d to %d", s, lo, hi)
	}
	return n, nil
}
