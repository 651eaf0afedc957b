package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
)

const (
	// behind is how far, in event time, what is told may lie behind the newest
	// event before that is a reason for silence: lateness, a tick, a partition that
	// rests.
	behind = 30 * time.Minute
	// fewRejects are too few to say that a source is mostly refused.
	fewRejects = 100
	// heartbeatLate is how late a heartbeat may be.
	heartbeatLate = 15 * time.Minute
	// fewWaiting records are read or held by ingest at any moment.
	fewWaiting = 100
)

// judge writes what must be mended and why little or nothing is said.
func (r *reader) judge() {
	s := r.status
	r.judgeRoles()
	for i := range s.Sources {
		r.judgeSource(&s.Sources[i])
	}
	for i := range s.Destinations {
		r.judgeDestination(&s.Destinations[i])
	}
	r.judgeHeartbeats()
	r.judgeProgress()
	r.judgeLearning()
	r.judgeFacts()
	r.judgeDimensions()
	if s.Episodes.HeldBack > 0 {
		s.reason("%s nobody was told of: expected, or told in a campaign's message. `weir suppressed` lists them.", count(s.Episodes.HeldBack, "open episode is one that", "open episodes are ones that"))
	}
	if len(s.Faults)+len(s.Reasons) == 0 {
		s.reason("Nothing stands in the way: all that came is judged up to %s, and what is not told of is not beyond its threshold.", s.when(s.Reached(), r.c.Time.Zone))
	}
}

func (s *Status) fault(format string, args ...any) {
	s.Faults = append(s.Faults, fmt.Sprintf(format, args...))
}
func (s *Status) reason(format string, args ...any) {
	s.Reasons = append(s.Reasons, fmt.Sprintf(format, args...))
}

// role returns a role by its name, or nil.
func (s *Status) role(name string) *Role {
	for i := range s.Roles {
		if s.Roles[i].Name == name {
			return &s.Roles[i]
		}
	}
	return nil
}

// Reached returns the event time up to which alerts are told.
func (s *Status) Reached() alerting.Time { return s.role("correlate").Reached }

// lastEvent returns the largest event time that was read of any source.
func (s *Status) lastEvent() (last alerting.Time) {
	for i := range s.Sources {
		last = max(last, s.Sources[i].LastEvent)
	}
	return last
}

// when writes a time for people.
func (s *Status) when(t alerting.Time, zone *time.Location) string {
	if t == 0 {
		return "the beginning"
	}
	return t.Std().In(zone).Format("Mon 2 Jan 2006 15:04")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

func (r *reader) judgeRoles() {
	s := r.status
	var idle []string
	for i := range s.Roles {
		if s.Roles[i].Processes == 0 {
			idle = append(idle, s.Roles[i].Name)
		}
	}
	switch {
	case len(idle) == len(s.Roles) && r.have[r.names.Partials].Err != nil:
		s.fault("weir has never run here: there is no topic %s. Start it with `weir run`, or check group and topic_prefix in the configuration.", r.names.Partials)
	case len(idle) == len(s.Roles):
		s.fault("No process of weir runs: the consumer groups %s-… have no member. Start `weir run`; it goes on where it stopped.", r.c.Group)
	case len(idle) > 0:
		s.fault("No process has the role %s: start one with `weir run --roles %s`.", strings.Join(idle, ", "), strings.Join(idle, ","))
	}
}

func (r *reader) judgeSource(src *Source) {
	s := r.status
	switch {
	case src.missing:
		s.fault("The source topic %s does not exist.", src.Topic)
	case src.LastEvent == 0 && src.Waiting == 0 && src.rejected() == 0:
		s.reason("Nothing has come on %s yet.", src.Topic)
	}
	if src.Deleted > 0 {
		s.fault("Of %s the retention has deleted %d records before they were read.", src.Topic, src.Deleted)
	}
	if n := src.rejected(); n >= fewRejects && 2*n > src.stretch {
		s.fault("Most of what comes on %s is rejected, %d records within a day, mostly as %s: check its format with `weir map`.", src.Topic, n, src.Rejected[0].Reason)
	}
	if src.Waiting > fewWaiting && float64(src.Waiting) > float64(src.LastHour)/60 {
		s.reason("%d records of %s wait to be read.", src.Waiting, src.Topic)
	}
}

func (r *reader) judgeDestination(d *Destination) {
	s := r.status
	switch {
	case d.Failing:
		s.fault("Destination %s fails, %d attempts at its message so far: %s", d.Name, d.RetryAttempts, d.Reason)
	case d.Outcome != "" && d.Outcome != "delivered":
		s.fault("The last message to %s was not delivered (%s): %s", d.Name, d.Outcome, d.Reason)
	}
}

// judgeHeartbeats says who would not notice that weir is silent.
func (r *reader) judgeHeartbeats() {
	s := r.status
	var none []string
	for i := range s.Destinations {
		d := &s.Destinations[i]
		switch {
		case !d.Heartbeat:
			none = append(none, d.Name)
		case d.Next != 0 && r.now.Sub(d.Next.Std()) > heartbeatLate:
			s.fault("Destination %s should have got a heartbeat at %s, and has not.", d.Name, s.when(d.Next, r.c.Time.Zone))
		}
	}
	if len(none) > 0 {
		s.reason("Heartbeats are off for %s: who looks there cannot tell a calm day from a weir that is gone (alerts.heartbeat).", strings.Join(none, ", "))
	}
}

// judgeProgress says how far alerts lie behind the events, and what holds them.
func (r *reader) judgeProgress() {
	s := r.status
	last, reached := s.lastEvent(), s.Reached()
	if last == 0 || last.Std().Sub(reached.Std()) <= behind+r.c.Time.Lateness {
		return
	}
	holder := ""
	for i := range s.Sources {
		if s.Sources[i].Holds != "" {
			holder = " " + s.Sources[i].Holds + " holds all others back: its last event is the oldest, and it is not known to be at its end."
		}
	}
	s.reason("Alerts are told up to %s, and the newest event is of %s.%s", s.when(reached, r.c.Time.Zone), s.when(last, r.c.Time.Zone), holder)
}

func (r *reader) judgeLearning() {
	s := r.status
	switch l := &s.Learning; {
	case l.Since == 0 && s.lastEvent() > 0:
		s.reason("Nothing is learned yet: the first interval of event time is not over.")
	case l.Since != 0 && !l.Done:
		s.reason("The statistics learn since %s and speak from %s on; before that they know too little of most and speak late. Facts speak already.",
			l.Since.Std().In(r.c.Time.Zone).Format("2 January"), l.Until.Std().In(r.c.Time.Zone).Format("2 January"))
	}
}

func (r *reader) judgeFacts() {
	s := r.status
	for _, in := range s.Facts.Inputs {
		if !in.Seen {
			s.reason("No %s have been seen, so nobody is told of %s (docs/facts.md).", in.holds, strings.Join(in.Facts, ", "))
		}
	}
	if n := len(s.Facts.NeverSeen.Accounts) + len(s.Facts.NeverSeen.Keys); n > 0 {
		s.reason("Of %s facts tell, and nobody was ever seen to act by it: if the log writes the name in another way, the facts find nobody (docs/facts.md).", count(n, "account or key", "accounts or keys"))
	}
	if s.Facts.Tokens > 0 {
		s.reason("%s for a login that may still come: what they read is judged %s after its first read, or as soon as somebody signs in again.",
			count(int(s.Facts.Tokens), "token waits", "tokens wait"), r.c.Facts.LoginGrace)
	}
}

// judgeDimensions says which dimensions nobody is judged in.
func (r *reader) judgeDimensions() {
	s := r.status
	if s.Reached() == 0 {
		return // nobody is judged at all
	}
	var empty []string
	for i := range s.Dimensions {
		if s.Dimensions[i].Identities == 0 {
			empty = append(empty, s.Dimensions[i].Name)
		}
	}
	if len(empty) > 0 {
		s.reason("No event names a %s, so nobody is judged by it.", strings.Join(empty, " or a "))
	}
}
