package local_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/join"
)

const day = 24 * 60 * minute

// rules are those of an empty configuration.
func (l *lab) facts() *detect.FactsConfig {
	rules := fact.Rules{
		LeaveGrace: 12 * 60 * minute, DormantAfter: 45 * day, UnusedAfter: 14 * day, DormantRecords: 10, RetireFade: day, RegisterGrace: 30 * minute, RegisterAge: 7 * day, MaxKeyAge: 365 * day,
	}
	return detect.NewFactsConfig(rules, fact.DefaultTokenRules(24), loginGrace, time.UTC, l.dims)
}

// told runs the operators over events, in their order, and returns the facts.
func (l *lab) sent(t testing.TB, events []event.Event, topics ...string) []stream.FactCandidate {
	t.Helper()
	in, de := l.joined(1), l.watchful()
	de.SnapshotTicks = 0
	if topics == nil {
		topics = []string{"access"}
	}
	var list []stream.Topic
	for _, name := range topics {
		list = append(list, stream.Topic{Name: name, Partitions: 1})
	}
	worker, joiner, detector, correlator := ingest.New(in), join.New(join.ConfigFor(&in, loginGrace)), detect.New(de), correlate.New(l.correlate(1))
	for _, name := range topics {
		worker.Assign(ingest.NoProgress(stream.Source{Topic: name}, 0))
	}
	var offsets [3]int64
	var out []stream.FactCandidate
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	apply := func(value []byte) {
		b, err := stream.DecodeBatch(value)
		must(err)
		must(detector.Apply(offsets[0], b))
		offsets[0]++
	}
	flush := func() {
		worker.Flush(list, func(_ int32, value []byte) {
			b, err := stream.DecodeSessions(value)
			must(err)
			must(joiner.Apply(offsets[1], b))
			offsets[1]++
		}, func(_ int32, value []byte) { apply(value) })
		worker.Commit()
		joiner.Advance()
		found, _ := joiner.Take()
		for _, r := range found {
			apply(r.Value)
		}
		for waiting := true; waiting; {
			waiting = detector.Advance()
			report, _ := detector.Take()
			if report == nil {
				break
			}
			out = append(out, report.Facts...)
			must(correlator.Apply(offsets[2], report))
			offsets[2]++
			if p := correlator.Advance().Parameters; p != nil {
				detector.SetParameters(p)
			}
		}
	}
	for i := range events {
		s := stream.Source{Topic: topics[0]}
		if len(topics) > 1 && !events[i].Action.Access() {
			s.Topic = topics[1]
		}
		worker.Fold(s, stamp, &events[i])
		if i%5000 == 4999 {
			flush()
		}
	}
	for _, p := range worker.Progress() {
		worker.End(p.Source)
	}
	flush()
	return out
}

// chronicle makes a log: a shop in which somebody reads all the time, so that the
// watermark goes on, and what a test adds to it.
type chronicle struct {
	from   int64
	events []event.Event
	// arrives tells when an event comes, if that is not when it happens.
	arrives func(ev *event.Event) int64
}

// newChronicle begins one on a Monday and lets three clerks read for some days, one
// record every so many ms, each by a token of the day that was issued.
func newChronicle(days, every int64) *chronicle {
	s := &chronicle{from: 1_767_571_200_000} // 2026-01-05
	for at := int64(0); at < days*day; at += every {
		clerk := fmt.Sprint("clerk-", at/every%3)
		token := fmt.Sprint("t-", clerk, at/day)
		if at%day < 3*every {
			s.add(at, event.Event{Action: event.Login, Actor: clerk, Session: token, KeyID: "sso"})
		}
		s.read(at+minute, clerk, "sso", token, fmt.Sprint("c", at/every%997))
	}
	return s
}

func (s *chronicle) add(at int64, ev event.Event) {
	ev.Time = s.from + at
	s.events = append(s.events, ev)
}

func (s *chronicle) read(at int64, actor, key, token, record string) {
	s.add(at, event.Event{Actor: actor, KeyID: key, Session: token, IP: "192.0.2.7", Client: "crm", Endpoint: "/c/{id}", Records: []string{record}})
}

// reads lets an actor read n records, one a minute.
func (s *chronicle) reads(at, n int64, actor, key, token string) {
	for i := range n {
		s.read(at+i*minute, actor, key, token, fmt.Sprint("x", at, i))
	}
}

func (s *chronicle) sort() {
	arrives := s.arrives
	if arrives == nil {
		arrives = func(ev *event.Event) int64 { return ev.Time }
	}
	slices.SortStableFunc(s.events, func(a, b event.Event) int { return cmp.Compare(arrives(&a), arrives(&b)) })
}

// facts returns what was told: for each fact and identity when first, as time
// since the beginning, how often, and how much was exposed in the end.
func (s *chronicle) facts(t *testing.T, l *lab, topics ...string) string {
	t.Helper()
	s.sort()
	type line struct {
		first   int64
		n       int
		exposed int64
	}
	lines := map[string]*line{}
	var order []string
	for _, f := range l.sent(t, s.events, topics...) {
		key := fmt.Sprintf("%s %s", f.Fact, f.Identity)
		if lines[key] == nil {
			lines[key] = &line{first: l.grid.TickEnd(f.Tick) - s.from}
			order = append(order, key)
		}
		lines[key].n++
		lines[key].exposed = f.Exposed.Records
	}
	var out []string
	for _, key := range order {
		v := lines[key]
		out = append(out, fmt.Sprintf("%s: day %d %02d:%02d, %d ticks, %d records",
			key, v.first/day, v.first%day/(60*minute), v.first%(60*minute)/minute, v.n, v.exposed))
	}
	return strings.Join(out, "\n")
}

const hour = 60 * minute

// The stories in testdata/facts are logs, and the facts that are told of them.
func TestFacts(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	datadriven.Walk(t, "testdata/facts", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var days int64
			d.ScanArgs(t, "days", &days)
			s := newChronicle(days, 10*minute)
			for line := range strings.Lines(d.Input) {
				if err := s.tell(strings.Fields(line)); err != nil {
					d.Fatalf(t, "%s: %v", strings.TrimSpace(line), err)
				}
			}
			if sent := s.facts(t, l); sent != "" {
				return sent + "\n"
			}
			return ""
		})
	})
}

// tell adds what a line of a story says: when, what, and the fields of the event.
func (s *chronicle) tell(words []string) error {
	if len(words) < 2 {
		return errors.New("want a time and an action")
	}
	at, err := sinceStart(words[0])
	if err != nil {
		return err
	}
	action, words := words[1], words[2:]
	n := int64(0)
	if action == "reads" {
		if n, err = strconv.ParseInt(words[0], 10, 64); err != nil {
			return err
		}
		words = words[1:]
	}
	field := map[string]string{}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		field[name] = value
	}
	switch action {
	case "reads":
		s.reads(at, n, field["actor"], field["key"], field["token"])
	case "read":
		var times [3]int64
		for i, name := range []string{"every", "until", "cycle"} {
			if times[i], err = sinceStart(field[name]); err != nil {
				return err
			}
		}
		for ; at < times[1]; at += times[0] {
			s.read(at, field["actor"], field["key"], field["token"], fmt.Sprint(field["record"], at%times[2]))
		}
	default:
		a, ok := event.ParseAction(action)
		if !ok {
			return fmt.Errorf("unknown action %q", action)
		}
		s.add(at, event.Event{Action: a, Actor: field["actor"], Subject: field["subject"], KeyID: field["key"], Session: field["token"], SomeKeys: field["register"] == "some"})
	}
	return nil
}

// sinceStart reads a time such as 2d1h30m as ms.
func sinceStart(text string) (int64, error) {
	days, rest, ok := strings.Cut(text, "d")
	if !ok {
		days, rest = "0", text
	}
	n, err := strconv.ParseInt(days, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading a time: %w", err)
	}
	if rest == "" {
		return n * day, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		return 0, fmt.Errorf("reading a time: %w", err)
	}
	return n*day + d.Milliseconds(), nil
}

// Tokens of which no login tells are told of as soon as they are improbable, in
// the dimension of the key alone; those older than the log, those whose login
// comes late and a share that is always missing are not.
func TestUnissuedTokens(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	shop := func(s *chronicle, from, to int64, missing int64) {
		for at, n := from, int64(0); at < to; at, n = at+6*minute, n+1 {
			token := fmt.Sprint("s", at)
			if missing == 0 || n%missing != 0 {
				s.add(at, event.Event{Action: event.Login, Actor: "shop", Session: token, KeyID: "mobile"})
			}
			s.read(at+minute, fmt.Sprint("u", n), "mobile", token, fmt.Sprint("u", n))
		}
	}
	for _, c := range []struct {
		name string
		tell func(*chronicle)
		want string
	}{
		{"all is well", func(s *chronicle) { shop(s, 0, 12*day, 0) }, ""},
		{"one login in ten is never in the log", func(s *chronicle) { shop(s, 0, 12*day, 10) }, ""},
		{"forged, six an hour", func(s *chronicle) {
			shop(s, 0, 12*day, 0)
			for i := range int64(12) {
				s.read(10*day+i*10*minute, "victim", "mobile", fmt.Sprint("forged", i), fmt.Sprint("v", i))
			}
		}, "unissued_token mobile: day 10 00:40, 10 ticks, 34 records"},
		{"logins ten minutes after the reads", func(s *chronicle) {
			shop(s, 0, 12*day, 0)
			for i := range int64(50) {
				token := fmt.Sprint("late", i)
				s.read(10*day+i*minute, "u", "mobile", token, fmt.Sprint("v", i))
				s.add(10*day+i*minute+10*minute, event.Event{Action: event.Login, Actor: "u", Session: token, KeyID: "mobile"})
			}
		}, ""},
		{"no logins at all", func(s *chronicle) {
			s.events = slices.DeleteFunc(s.events, func(e event.Event) bool { return e.Action == event.Login })
			shop(s, 0, 12*day, 1)
		}, ""},
		{"the source of logins fails for hours", func(s *chronicle) {
			shop(s, 0, 12*day, 0)
			for i := range s.events {
				e := &s.events[i]
				if at := e.Time - s.from; e.Action == event.Login && at >= 10*day && at < 10*day+5*hour {
					e.Time = s.from + 10*day + 5*hour
				}
			}
		}, ""},
		{"the source of logins fails, and its backlog comes between newer logins", func(s *chronicle) {
			shop(s, 0, 12*day, 0)
			for i := range s.events {
				e := &s.events[i]
				if at := e.Time - s.from; e.Action == event.Login && at >= 10*day && at < 10*day+3*hour {
					e.Time += 3*hour - (at-10*day)*5/6
				}
			}
		}, ""},
		{"a log of logins of a busier shop fails for three hours, and its backlog trickles in beside newer logins", func(s *chronicle) {
			for at := int64(0); at < 12*day; at += 2 * minute {
				token := fmt.Sprint("b", at)
				s.add(at, event.Event{Action: event.Login, Actor: "shop", Session: token, KeyID: "mobile"})
				s.read(at+20_000, fmt.Sprint("b", at), "mobile", token, fmt.Sprint("b", at))
			}
			from, to := s.from+10*day, s.from+10*day+3*hour
			s.arrives = func(ev *event.Event) int64 {
				if ev.Action != event.Login || ev.Time < from || ev.Time >= to {
					return ev.Time
				}
				return to + (ev.Time-from)/6
			}
		}, ""},
		{"the source of logins fails, and what it missed never comes", func(s *chronicle) {
			shop(s, 0, 12*day, 0)
			from, to := s.from+10*day, s.from+10*day+3*hour
			s.events = slices.DeleteFunc(s.events, func(e event.Event) bool {
				return e.Action == event.Login && e.Time >= from && e.Time < to
			})
		}, ""},
		{"a token that was revoked", func(s *chronicle) {
			shop(s, 0, 12*day, 0)
			for i := range int64(5) {
				token := fmt.Sprint("r", i)
				s.add(10*day, event.Event{Action: event.Login, Actor: "u", Session: token, KeyID: "mobile"})
				s.add(10*day+hour, event.Event{Action: event.Revoke, Actor: "ops", Subject: "u", Session: token})
				s.read(10*day+2*hour, "u", "mobile", token, fmt.Sprint("v", i))
			}
		}, "unissued_token mobile: day 10 02:05, 1 ticks, 6 records"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newChronicle(12, 10*minute)
			c.tell(s)
			if got := s.facts(t, l); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// A source that falls silent while another speaks is told of; one that keeps
// office hours is not missed at night, and nobody is when all are silent.
func TestSilentSource(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct {
		name string
		talk func(hourOfWeek, at int64) bool
		want string
	}{
		{"always there", func(int64, int64) bool { return true }, ""},
		{"office hours", func(h, _ int64) bool { return h/24 < 5 && h%24 >= 8 && h%24 < 18 }, ""},
		{"falls silent in the second week", func(_, at int64) bool { return at < 16*day+10*hour }, "source_silent facts: day 16 11:05, 61 ticks, 0 records"},
		{"its outages end by themselves", func(_, at int64) bool { return at < 16*day || at > 16*day+30*minute }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newChronicle(19, 5*minute)
			for at := int64(0); at < 19*day; at += 2 * minute {
				if c.talk(at/hour%168, at) {
					s.add(at, event.Event{Action: event.Logout, Actor: "x"})
				}
			}
			s.events = slices.DeleteFunc(s.events, func(e event.Event) bool { return e.Action == event.Login })
			if got := s.facts(t, l, "access", "facts"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
