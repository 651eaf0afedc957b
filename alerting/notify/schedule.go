package notify

import "time"

const wholeDay = 24 * time.Hour

// Schedule says when heartbeats are due, by the clock on the wall: at a time of the day,
// and in steps of Every from there. Steps of several days begin with 1 January 1970. The
// zero value has none.
type Schedule struct {
	Every    time.Duration  // a divisor of a day, or whole days; 0: never
	At       time.Duration  // since midnight, 0 to 24 h
	Location *time.Location // nil: UTC
}

// IsSet reports whether heartbeats are ever due.
func (s *Schedule) IsSet() bool { return s != nil && s.Every > 0 }

// Last returns the latest time at which a heartbeat was due that is not after t.
func (s *Schedule) Last(t time.Time) (last time.Time) {
	s.around(t, func(due time.Time) {
		if !due.After(t) && due.After(last) {
			last = due
		}
	})
	return last
}

// Next returns the first time after t at which a heartbeat is due.
func (s *Schedule) Next(t time.Time) (next time.Time) {
	s.around(t, func(due time.Time) {
		if due.After(t) && (next.IsZero() || due.Before(next)) {
			next = due
		}
	})
	return next
}

// around hands out the times due from one step before t to one after it.
func (s *Schedule) around(t time.Time, take func(due time.Time)) {
	loc := s.Location
	if loc == nil {
		loc = time.UTC
	}
	y, m, d := t.In(loc).Date()
	days, steps, first := 1, 1, s.At
	if s.Every >= wholeDay {
		days = int(s.Every / wholeDay)
	} else {
		steps, first = int(wholeDay/s.Every), s.At%s.Every
	}
	today := int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / int64(wholeDay/time.Second))
	for day := -days; day <= days; day++ {
		if (today+day)%days != 0 {
			continue
		}
		for i := range steps {
			take(clock(y, m, d+day, first+time.Duration(i)*s.Every, loc))
		}
	}
}
