// Package timeform reads the forms in which logs write a time: RFC 3339, the epoch
// in any unit, what Apache, mail, C and databases print, and forms of the user's
// own in the letters of strftime. A time is cut to milliseconds.
//
// A form is told by its name, or guessed. Guess takes only what has one meaning:
// a date whose order of day and month is plain, and a zone that is written out or
// given. It knows no clock: in which years a form without one is, the caller says.
package timeform

import (
	"slices"
	"strings"
	"time"
)

// Outcome is what became of an attempt to read a time.
type Outcome uint8

// The outcomes.
const (
	Unreadable Outcome = iota // not a time of this form
	NoYear                    // a time, but of which year is neither written nor given
	NoZone                    // a time, but of which zone is neither written nor given
	OK
)

// Beside is what stands beside a time, and tells what the time itself does not.
type Beside struct {
	Zone  *time.Location // of times that have none; nil if it is not known
	Until int64          // times without a year are the last before it, Unix milliseconds; 0 if it is not known
}

// Form is one way to write a time.
type Form struct {
	name  string
	unit  int  // of an epoch: the power of ten of milliseconds; see isEpoch
	epoch bool // a number since 1970
	read  func(c *cursor) (fields, bool)
}

// Name returns the form's name in a field map.
func (f *Form) Name() string { return f.name }

// Epoch reports whether the form is a number since 1970.
func (f *Form) Epoch() bool { return f.epoch }

// forms are the forms that have a name.
var forms = []Form{
	{name: "epoch_s", epoch: true, unit: 3},
	{name: "epoch_ms", epoch: true, unit: 0},
	{name: "epoch_us", epoch: true, unit: -3},
	{name: "epoch_ns", epoch: true, unit: -6},
	{name: "rfc3339", read: readISO},
	{name: "iso8601", read: readISO},
	{name: "apache", read: readApache},
	{name: "rfc1123", read: readMail},
	{name: "rfc2822", read: readMail},
	{name: "rfc850", read: readMail},
	{name: "ansic", read: readC},
	{name: "unixdate", read: readC},
	{name: "dotnet", read: readDotNet},
	{name: "filetime", read: readFileTime},
	{name: "ticks", read: readTicks},
	{name: "webkit", read: readWebKit},
	{name: "us", read: readUS},
	{name: "eu", read: readEU},
	{name: "syslog", read: readSyslog},
	{name: "east", read: readEast},
}

// Names returns the names of all forms.
func Names() []string {
	names := make([]string, len(forms))
	for i := range forms {
		names[i] = forms[i].name
	}
	return names
}

// Named returns the form of a name, or of a pattern in the letters of strftime,
// such as "%d.%m.%Y %H:%M:%S". False if it is neither.
func Named(name string) (*Form, bool) {
	if i := slices.IndexFunc(forms, func(f Form) bool { return f.name == name }); i >= 0 {
		return &forms[i], true
	}
	if strings.Contains(name, "%") {
		p, ok := compilePattern(name)
		return &Form{name: name, read: p.read}, ok
	}
	return nil, false
}

// Read reads a time of the form: Unix milliseconds, if the outcome is OK.
func (f *Form) Read(s string, beside Beside) (int64, Outcome) {
	s = strings.TrimSpace(s)
	if f.epoch {
		ms, ok := epoch(s, f.unit)
		if !ok {
			return 0, Unreadable
		}
		return ms, OK
	}
	return instant(s, f.read, beside)
}

// guessed are the forms that Guess tries, most frequent first.
var guessed = []func(c *cursor) (fields, bool){readISO, readApache, readMail, readC, readNamedUS, readDotNet, readSyslog, readEast}

// Guess reads a time of any form with one meaning only. An epoch must fall between
// from and to, Unix milliseconds; its unit is the one in which it does.
func Guess(s string, beside Beside, from, to int64) (int64, Outcome) {
	s = strings.TrimSpace(s)
	best := Unreadable
	if ms, ok := guessEpoch(s, from, to); ok {
		return ms, OK
	}
	if ms, ok := guessHex(s, from, to); ok {
		return ms, OK
	}
	for _, read := range guessed {
		ms, outcome := instant(s, read, beside)
		if outcome == OK {
			return ms, OK
		}
		best = max(best, outcome)
	}
	return 0, best
}
