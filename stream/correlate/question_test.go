package correlate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate/ask"
	"github.com/weirhq/weir/stream/people"
)

const asked = alerting.Time(1_772_442_000_000) // by the clock

// askDesk is a desk that asks the manager, on which eve stands out; her manager is U0BO.
func askDesk(t *testing.T) (d *desk, key string) {
	t.Helper()
	table := alias.NewTable(alias.Forever)
	for name, p := range map[string]alias.Profile{"eve": {Manager: "bo", Slack: "U0EVE"}, "bo": {Slack: "U0BO"}} {
		if err := table.Add(alias.Alias{Name: name, Person: name, Since: alias.Always, Until: alias.Forever, Counts: alias.Always, Profile: p}); err != nil {
			t.Fatal(err)
		}
	}
	d = newDesk(t)
	d.cfg.Ask, d.cfg.People = ask.Manager, &people.People{Table: table, Dimension: "user"}
	d.restore()
	d.eve()
	return d, d.latest("user", "eve").DedupKey
}

// converse says something of eve's episode, and lets a tick pass after a restart.
func (d *desk) converse(kind VerdictKind, key, author string, at alerting.Time) Findings {
	v := Verdict{ID: fmt.Sprint(len(d.verdicts)), Kind: kind, DedupKey: key, Author: author, Time: at, Reason: "the audit"}
	if kind == Asked {
		v.Author, v.Assignee = "console:ana", author
	}
	d.say(v)
	d.restore()
	return d.eve()
}

// takes reports whether the only verdict of a tick took effect.
func takes(found Findings) bool { return len(found.Effects) == 1 && len(found.Refusals) == 0 }

// A yes of who was asked is told, and lowers nothing; a no is a fact, which makes the
// episode graver. A no counts after a yes, and each counts once.
func TestAnswers(t *testing.T) {
	d, key := askDesk(t)
	before := d.latest("user", "eve")
	if found := d.converse(Asked, key, "slack:U0BO", asked); !takes(found) || len(found.Alerts) != 0 {
		t.Fatalf("asked: %+v", found)
	}
	found := d.converse(Affirmed, key, "slack:U0BO", asked+1)
	if !takes(found) || len(found.Alerts) != 1 {
		t.Fatalf("a yes: %+v", found)
	}
	a := found.Alerts[0]
	if a.Status != alerting.Update || a.Severity != before.Severity || a.Fact != "" || !strings.HasPrefix(a.Summary, "slack:U0BO was asked, and says that it was meant: the audit. That lowers nothing. ") {
		t.Errorf("a yes is told as %s %s: %s", a.Status, a.Severity, a.Summary)
	}
	for range 2 {
		if found = d.converse(Affirmed, key, "slack:U0BO", asked+2); refusal(t, found) != refusedAnswered || len(found.Alerts) != 0 {
			t.Errorf("a second yes: %+v", found)
		}
	}
	found = d.converse(Denied, key, "slack:U0BO", asked+3)
	if !takes(found) || len(found.Alerts) != 1 {
		t.Fatalf("a no: %+v", found)
	}
	a = found.Alerts[0]
	if a.Status != alerting.Update || a.Severity <= before.Severity || a.Fact != fact.Disowned || a.Confidence != episode.VeryLikely || a.Detail["said_by"] != "slack:U0BO" || a.Excess != before.Excess || a.Onset != before.Onset {
		t.Errorf("a no is told as %+v, before it was %+v", a, before)
	}
	if got := refusal(t, d.converse(Affirmed, key, "slack:U0BO", asked+4)); got != refusedAnswered {
		t.Errorf("a yes after a no: %q", got)
	}
	d.say(*d.verdicts[4]) // the no, copied
	if got := refusal(t, d.eve()); got != refusedRepeated {
		t.Errorf("a copied no: %q", got)
	}
}

// A no after the end opens the episode again, with what it had exposed; one that comes
// when the episode is forgotten is refused, and people are alerted of that.
func TestDeniedAfterTheEnd(t *testing.T) {
	d, key := askDesk(t)
	d.converse(Asked, key, "slack:U0BO", asked)
	before := d.latest("user", "eve")
	for d.latest("user", "eve").Status != alerting.Close {
		d.next(nil, nil, nil)
	}
	no := Verdict{ID: "no", Kind: Denied, DedupKey: key, Author: "slack:U0BO", Time: asked + 1}
	d.say(no)
	found := d.next(nil, nil, nil)
	if len(found.Alerts) != 1 {
		t.Fatalf("%+v", found)
	}
	if a := found.Alerts[0]; a.Status != alerting.Open || a.DedupKey != key || a.Fact != fact.Disowned || a.Exposed.Records != before.Exposed.Records || a.Excess.Records != before.Excess.Records || a.Severity < episode.High {
		t.Errorf("told as %+v", a)
	}
	d, key = askDesk(t)
	d.converse(Asked, key, "slack:U0BO", asked)
	for range 2 { // it closes, and is forgotten
		d.tick += 2 * episode.Grace / d.cfg.Grid.Tick
		d.next([]stream.Candidate{d.candidate("user", "joe", 20, 200)}, nil, nil)
	}
	d.say(no)
	if found = d.next(nil, nil, nil); refusal(t, found) != refusedOver || len(found.Alerts) != 1 || found.Alerts[0].Fact != fact.RefusedVerdict {
		t.Errorf("when it is forgotten: %+v", found)
	}
}

// Nobody answers but who was asked, of what was asked, in time; and nobody is asked but
// whom the directory names.
func TestAnswersAreRefused(t *testing.T) {
	for _, c := range []struct {
		what   string
		asked  string // empty: nobody is
		kind   VerdictKind
		author string
		at     alerting.Time
		want   string
	}{
		{"nobody was asked", "", Denied, "slack:U0BO", asked, refusedUnasked},
		{"another person", "slack:U0BO", Affirmed, "slack:U0EVE", asked, refusedStranger},
		{"another way in", "slack:U0BO", Denied, "console:U0BO", asked, refusedStranger},
		{"too late", "slack:U0BO", Affirmed, "slack:U0BO", asked + alerting.Time(ask.Within) + 1, refusedLate},
		{"the owner is asked for the manager", "", Asked, "slack:U0EVE", asked, refusedAddressee},
		{"somebody is asked by mail", "", Asked, "bo@corp.example", asked, refusedAddressee},
	} {
		d, key := askDesk(t)
		if c.asked != "" && !takes(d.converse(Asked, key, c.asked, asked)) {
			t.Fatal("the question is refused")
		}
		found := d.converse(c.kind, key, c.author, c.at)
		if got := refusal(t, found); got != c.want || !slices.ContainsFunc(found.Alerts, func(a alerting.Alert) bool { return a.Fact == fact.RefusedVerdict }) {
			t.Errorf("%s: %q, and %d alerts", c.what, got, len(found.Alerts))
		}
	}
	if (&Verdict{ID: "1", Kind: Asked, DedupKey: "weir-1", Author: "kim"}).Validate() == nil {
		t.Error("a question to nobody is taken")
	}
}

// A second question takes the place of the first, and of its answer.
func TestAskedAnew(t *testing.T) {
	d, key := askDesk(t)
	d.converse(Asked, key, "slack:U0BO", asked)
	d.converse(Affirmed, key, "slack:U0BO", asked+1)
	late := asked + alerting.Time(ask.Within)
	d.converse(Asked, key, "slack:U0BO", late)
	if found := d.converse(Affirmed, key, "slack:U0BO", late+5); !takes(found) {
		t.Errorf("%+v", found.Refusals)
	}
}
