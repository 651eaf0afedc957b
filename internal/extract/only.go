package extract

import (
	"context"
	"fmt"
	"math"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
)

// Only chooses a part of what the episode's identities have touched.
type Only string

const (
	// All is everything, as the alert's estimate counts it.
	All Only = ""
	// Unissued is what was read through tokens of which the sources hold no login and
	// no issue at all, or after their revocation. Tokens that read within the first
	// day of the logins are taken for issued: their login may be older than the log.
	Unissued Only = "unissued"
	// Beyond are records that none of the identities had touched within the retention
	// before the interval: what they read again and again is left out.
	Beyond Only = "beyond-usual"
)

// Onlys lists the choices by name.
var Onlys = []string{string(Unissued), string(Beyond)}

// each hands every event of the source to yield that may count at a time, Unix ms, or
// later, with the time at which it counts; of all times where it is 0.
type each func(ctx context.Context, from int64, yield yield) error

// yield takes an event in, and the time at which it counts, Unix ms.
type yield func(ev *event.Event, at int64)

// choice decides what is listed beyond the matcher's choice of events.
type choice struct {
	only      Only
	retention int64 // ms
	tokens    map[[16]byte]*token
	usual     map[[16]byte]struct{} // lines of ids
}

// token is one that read in the episode. Times are event time, Unix ms; 0: never.
type token struct{ first, issued, revoked int64 }

// prepare reads what the choice depends on.
func (c *choice) prepare(ctx context.Context, m *matcher, read each) error {
	switch c.only {
	case Unissued:
		return c.readTokens(ctx, m, read)
	case Beyond:
		return c.readUsual(ctx, m, read)
	}
	return nil
}

// readTokens learns which of the tokens that read in the episode were issued.
func (c *choice) readTokens(ctx context.Context, m *matcher, read each) error {
	c.tokens = map[[16]byte]*token{}
	err := read(ctx, m.since, func(ev *event.Event, at int64) {
		if ev.Session != "" && m.matches(ev, at) {
			c.tokens[digest(ev.Session)] = &token{first: at}
		}
	})
	if err != nil {
		return err
	}
	logins := int64(math.MaxInt64) // when the first was
	err = read(ctx, 0, func(ev *event.Event, at int64) {
		if ev.Session == "" {
			return
		}
		signedIn := ev.Action == event.Login || ev.Action == event.Issue
		if signedIn {
			logins = min(logins, at)
		}
		t := c.tokens[digest(ev.Session)]
		switch {
		case t == nil:
		case signedIn:
			t.issued = max(t.issued, at)
		case ev.Action == event.Revoke:
			t.revoked = max(t.revoked, at)
		case ev.Action.Access():
			t.first = min(t.first, at)
		}
	})
	if err != nil {
		return err
	}
	if logins == math.MaxInt64 {
		return fmt.Errorf("telling issued tokens from others: the sources hold no login and no issue of a token, so nothing can be listed as read through unissued ones")
	}
	for _, t := range c.tokens {
		if t.issued == 0 && t.first-logins < fact.TokenLearn {
			t.issued = t.first
		}
	}
	return nil
}

// readUsual learns what the identities had touched before the interval.
func (c *choice) readUsual(ctx context.Context, m *matcher, read each) error {
	c.usual = map[[16]byte]struct{}{}
	before := *m
	earlier := *m.Episode
	earlier.since, earlier.until = m.since-c.retention, m.since
	before.Episode = &earlier
	return read(ctx, max(earlier.since, 1), func(ev *event.Event, at int64) {
		if before.matches(ev, at) {
			for _, id := range ev.Records {
				c.usual[digest(idLine(id))] = struct{}{}
			}
		}
	})
}

// event reports whether an event of the episode is listed. at is when it counts, Unix ms.
func (c *choice) event(ev *event.Event, at int64) bool {
	switch c.only {
	case Unissued:
		t := c.tokens[digest(ev.Session)]
		return t != nil && (t.issued == 0 || t.revoked > t.issued && at > t.revoked)
	case Beyond:
		for _, id := range ev.Records {
			if c.record(digest(idLine(id))) {
				return true
			}
		}
		return false
	}
	return true
}

// record reports whether a record of an event that counts is listed.
func (c *choice) record(line [16]byte) bool {
	_, usual := c.usual[line]
	return !usual
}

// String says which part is listed, in words after "customers".
func (c *choice) String() string {
	switch c.only {
	case Unissued:
		return " through tokens that nobody issued"
	case Beyond:
		return fmt.Sprintf(" which it had not touched in the %d days before", c.retention/(24*3600*1000))
	}
	return ""
}

// compare holds a number of customers against the alert's estimate. A part may have
// fewer than that allows, and never more.
func (c *choice) compare(records int64, x *alerting.Exposed) *Estimate {
	e := compare(records, x)
	if c.only != All {
		e.Least, e.Within = 0, records <= e.Most
	}
	return e
}
