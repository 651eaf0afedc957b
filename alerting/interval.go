package alerting

import (
	"cmp"
	"strings"
	"time"
)

// Measures lists the names of the measures that alerts carry: those of the local
// day so far, then those of a bin.
func Measures() []string {
	return []string{
		"distinct", "first_touch", newShare, "rows", "destructive", "unissued", "off_hours",
		"distinct_in_bin", "first_touch_in_bin", "rows_in_bin",
	}
}

// newShare is the measure of how much of what was read is new.
const newShare = "new_share"

// OfBin reports whether a measure counts a bin; every other one counts a local day.
func OfBin(measure string) bool { return strings.HasSuffix(measure, "_in_bin") }

// CountsRows reports whether a measure counts rows, not records.
func CountsRows(measure string) bool { return measure == "rows" || measure == "rows_in_bin" }

// CountsNew reports whether a measure counts what was new to the identity.
func CountsNew(measure string) bool {
	return measure == "first_touch" || measure == "first_touch_in_bin" || measure == newShare
}

// Interval returns the interval in which a measure of the alert was counted. It
// ends when the case was made, or with the measure's bin or day if that ended
// before. loc is the time zone whose days weir counts by; nil means UTC.
func (a *Alert) Interval(m *MeasureEvidence, loc *time.Location) (from, to Time) {
	if loc == nil {
		loc = time.UTC
	}
	width := a.BinWidth()
	end := cmp.Or(a.Evidence.Until, a.Time)
	if OfBin(m.Measure) {
		from = cmp.Or(m.From, a.Evidence.Bin)
		return from, min(end, from+Time(width.Milliseconds()))
	}
	if from = m.From; from == 0 {
		y, month, d := a.Evidence.Bin.Std().In(loc).Date()
		from = Time(time.Date(y, month, d, 0, 0, 0, 0, loc).UnixMilli())
	}
	return from, min(end, dayEnd(from, width, loc))
}

// dayEnd returns the end of the local day that begins at a time: a day consists of
// the bins that begin in it.
func dayEnd(from Time, bin time.Duration, loc *time.Location) Time {
	f := from.Std().In(loc)
	y, month, d := f.Date()
	left := time.Date(y, month, d+1, 0, 0, 0, 0, loc).Sub(f)
	if part := left % bin; part > 0 {
		left += bin - part // a bin that begins in the day belongs to it
	}
	return from + Time(left.Milliseconds())
}

// BinWidth returns the width of a bin, an hour where the alert does not say.
func (a *Alert) BinWidth() time.Duration {
	d, err := time.ParseDuration(a.Evidence.BinWidth)
	if err != nil || d < time.Millisecond {
		return time.Hour
	}
	return d
}

// measure returns the evidence of the measure that the alert names, or just its
// name where there is none.
func (a *Alert) measure() *MeasureEvidence {
	for i := range a.Evidence.Measures {
		if m := &a.Evidence.Measures[i]; m.Measure == a.Measure {
			return m
		}
	}
	return &MeasureEvidence{Measure: a.Measure}
}
