package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const durationForm = "a duration such as 30s, 5m, 1h or 30d"

// ParseDuration reads a sequence of numbers with units ms, s, m, h and d (24
// hours). Unlike time.ParseDuration it knows days and refuses signs and units
// that nobody means here.
func ParseDuration(text string) (time.Duration, error) {
	rest := text
	var total time.Duration
	for first := true; first || rest != ""; first = false {
		n := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		switch {
		case n == 0 || rest == "":
			return 0, errors.New("is not " + durationForm)
		case n < 0:
			return 0, errors.New("lacks a unit; want " + durationForm)
		}
		number := rest[:n]
		rest = rest[n:]
		end := strings.IndexFunc(rest, func(r rune) bool { return r >= '0' && r <= '9' || r == '.' })
		if end < 0 {
			end = len(rest)
		}
		unit, ok := map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": day}[rest[:end]]
		if !ok {
			return 0, fmt.Errorf("has the unit %q; want ms, s, m, h or d, as in 5m, 1h or 30d", rest[:end])
		}
		rest = rest[end:]
		v, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return 0, errors.New("is not " + durationForm)
		}
		sum := float64(total) + v*float64(unit)
		if sum >= math.MaxInt64/2 {
			return 0, errors.New("is longer than a century")
		}
		total = time.Duration(math.Round(sum))
	}
	return total, nil
}

// formatDuration writes d as ParseDuration reads it, as short as it goes.
func formatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	for _, u := range [...]struct {
		size time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if n := d / u.size; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10) + u.name)
			d -= n * u.size
		}
	}
	return b.String()
}

// Budget is an alert budget: how many statistical episodes a day of event time
// the whole fleet may open on average when nothing is wrong.
type Budget float64

const budgetForm = "a number per hour, day or week, such as 2/day, 10/week or 0.5/day"

// parseBudget reads number/unit.
func parseBudget(text string) (Budget, error) {
	number, unit, ok := strings.Cut(text, "/")
	if !ok {
		return 0, errors.New("lacks what it is per; want " + budgetForm)
	}
	perDay, ok := map[string]float64{"hour": 24, "day": 1, "week": 1. / 7}[strings.TrimSpace(unit)]
	if !ok {
		return 0, fmt.Errorf("is per %q; want %s", strings.TrimSpace(unit), budgetForm)
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, errors.New("is not " + budgetForm)
	}
	const least, most = 0.001, 10000.
	b := v * perDay
	if !(b >= least && b <= most) {
		return 0, errors.New("is out of range; want between 0.001/day (one in three years) and 10000/day")
	}
	return Budget(b), nil
}

// String returns the budget per day.
func (b Budget) String() string { return strconv.FormatFloat(float64(b), 'g', 6, 64) + "/day" }

// Start says where a new source is read from when the group has no offset for
// it yet. The zero value is the earliest record.
type Start struct {
	Latest bool
	At     time.Time // zero: not a time
}

// String returns earliest, latest or an RFC 3339 time.
func (s Start) String() string {
	switch {
	case s.Latest:
		return "latest"
	case !s.At.IsZero():
		return s.At.Format(time.RFC3339Nano)
	}
	return "earliest"
}

const startForm = "earliest, latest or an RFC 3339 time such as 2026-03-01T00:00:00Z"

func parseStart(text string) (Start, error) {
	switch text {
	case "earliest":
		return Start{}, nil
	case "latest":
		return Start{Latest: true}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.IsZero() {
		return Start{}, errors.New("is not " + startForm)
	}
	return Start{At: at.UTC()}, nil
}
