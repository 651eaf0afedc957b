package notify

import "time"

const wholeDay = 24 * time.Hour

// Schedule says when heartbeats are due, by the clock on the wall: each day at At, and at
// the times of that day that are a multiple of Every away from At. If Every is longer than
// a day, they are due on the days alone that are a multiple of Every after 1 January 1970.
type Schedule struct {
	Every    time.Duration  // time between two: a divisor of a day, or whole days
	At       time.Duration  // time of the day, since midnight, 0 to 24 h
	Location *time.Location // time zone of At and of days; nil: UTC
}

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

// around hands out times at which heartbeats are due, the nearest before and after t among
// them.
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
