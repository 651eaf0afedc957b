package correlate

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// say hands a verdict to the task, as its topic does.
func (d *desk) say(v Verdict) {
	d.task.ApplyVerdict(int64(len(d.verdicts)), &v)
	d.verdicts = append(d.verdicts, &v)
}

// eve lets a tick pass in which eve stands out.
func (d *desk) eve() Findings {
	return d.next([]stream.Candidate{d.candidate("user", "eve", 20, 200)}, nil, nil)
}

// refusal returns why the only verdict of a tick was refused.
func refusal(t *testing.T, found Findings) string {
	t.Helper()
	if len(found.Refusals) != 1 || len(found.Effects) != 0 {
		t.Fatalf("%d verdicts are refused, %d take effect: want one that is refused", len(found.Refusals), len(found.Effects))
	}
	return found.Refusals[0].Refused
}

// A verdict of nobody holds nothing back, is listed, and people are alerted of it under
// the name that it claims; also after a restore.
func TestForgedVerdictIsRefused(t *testing.T) {
	d := newDesk(t)
	d.cfg.Authority = func(v *Verdict) error {
		if v.Via == "" {
			return errors.New("it is not signed")
		}
		return nil
	}
	d.restore()
	d.say(Verdict{ID: "early", Kind: Expected, DedupKey: "weir-0", Author: "ciso@bank.example", Reason: "r", Expires: 5})
	early := d.eve()
	if refusal(t, early) != "it is not signed" {
		t.Errorf("refused since %q", early.Refusals[0].Refused)
	}
	key := d.latest("user", "eve").DedupKey
	d.say(Verdict{ID: "forged", Kind: Expected, DedupKey: key, Author: "ciso@bank.example", Reason: "r", Expires: alerting.Time(d.cfg.Grid.TickEnd(d.tick) + eventtime.Day)})
	d.restore()
	found := d.eve()
	if refusal(t, found) != "it is not signed" || len(found.Suppressed) != 0 {
		t.Errorf("%+v, and %d are held back", found.Refusals, len(found.Suppressed))
	}
	a := d.latest(alerting.AuthorDimension, "ciso@bank.example")
	if a.Fact != fact.RefusedVerdict || a.Severity.String() != "high" || a.Detail["refused_because"] != "it is not signed" {
		t.Errorf("alerted of %+v", a)
	}
	d.task.RefuseVerdict(int64(len(d.verdicts)), "it is no JSON")
	d.verdicts = append(d.verdicts, nil)
	if got := refusal(t, d.eve()); got != "it is no JSON" {
		t.Errorf("unreadable: %q", got)
	}
	d.latest(alerting.AuthorDimension, unreadable)
}

// A record that is copied, or a click that is sent again, counts once. The second is
// listed and changes nothing.
func TestVerdictCountsOnce(t *testing.T) {
	d := newDesk(t)
	d.eve()
	v := Verdict{ID: "click", Kind: Expected, DedupKey: d.latest("user", "eve").DedupKey, Author: "kim", Reason: "r", Time: 1_772_442_000_000,
		Expires: alerting.Time(d.cfg.Grid.TickEnd(d.tick) + eventtime.Day)}
	d.say(v)
	d.eve()
	d.say(Verdict{ID: "back", Kind: Reopened, DedupKey: v.DedupKey, Author: "lee", Time: v.Time})
	d.eve()
	d.restore()
	d.say(v)
	found := d.eve()
	if refusal(t, found) != refusedRepeated || len(found.Suppressed) != 0 {
		t.Errorf("%+v, and %d are held back", found.Refusals, len(found.Suppressed))
	}
	// Once it is forgotten, it is too old to count.
	d.say(Verdict{ID: "later", Kind: Acknowledged, DedupKey: v.DedupKey, Author: "kim", Time: v.Time + alerting.Time(seenFor) + 1})
	d.eve()
	d.say(v)
	if got := refusal(t, d.eve()); got != refusedOld {
		t.Errorf("refused since %q", got)
	}
	if len(d.task.verdicts.seen) != 2 { // kim's later one, and lee's
		t.Errorf("%d verdicts are remembered", len(d.task.verdicts.seen))
	}
}

// Who dates a verdict of his own far ahead makes none of others too old to count.
func TestNobodyMakesOthersOld(t *testing.T) {
	d := newDesk(t)
	d.eve()
	key := d.latest("user", "eve").DedupKey
	d.say(Verdict{ID: "ahead", Kind: Acknowledged, DedupKey: key, Author: "mallory", Time: 4_070_908_800_000})
	d.eve()
	d.restore()
	d.say(Verdict{ID: "now", Kind: Confirmed, DedupKey: key, Author: "kim", Time: 1_772_442_000_000})
	if found := d.eve(); len(found.Refusals) != 0 {
		t.Errorf("%+v", found.Refusals)
	}
	d.say(Verdict{ID: "again", Kind: Reopened, DedupKey: key, Author: "mallory", Time: 1_772_442_000_000})
	if got := refusal(t, d.eve()); got != refusedOld {
		t.Errorf("refused since %q", got)
	}
}

// A verdict counts once people were alerted of the episode: what is held back can not be
// judged away before anybody has seen it.
func TestVerdictNeedsAnAlert(t *testing.T) {
	d := newDesk(t, Expectation{Name: "x", Dimension: "user", Identity: "eve", AtMost: 250, Owner: "o", Reason: "r"})
	held := d.eve()
	if len(held.Suppressed) != 1 {
		t.Fatal("the rule holds nothing back")
	}
	d.verdict(Expected, held.Suppressed[0].Alert.DedupKey)
	if got := refusal(t, d.eve()); got != refusedUnsent {
		t.Errorf("refused since %q", got)
	}
}

// Nothing is expected for ever, and everybody is alerted of what is: by whom, until when
// and why. It ends by itself.
func TestExpectedIsBoundedAndSent(t *testing.T) {
	d := newDesk(t)
	d.eve()
	at := d.cfg.Grid.TickEnd(d.tick)
	d.say(Verdict{ID: "1", Kind: Expected, DedupKey: d.latest("user", "eve").DedupKey, Author: "kim", Reason: "audit CHG-88", Expires: alerting.Time(at + 20*365*eventtime.Day)})
	d.eve()
	a := d.latest("user", "eve")
	if a.Status != alerting.Close || a.Said == nil || a.Said.Author != "kim" || !strings.Contains(a.Summary, "expected by kim until") || !strings.Contains(a.Summary, "audit CHG-88") {
		t.Errorf("alerted of %s: %s", a.Status, a.Summary)
	}
	if want := alerting.Time(int64(a.Time) + ExpectedAtMost); a.Said.Expires != want {
		t.Errorf("expected until %s, want %s", a.Said.Expires, want)
	}
	if found := d.next([]stream.Candidate{d.candidate("user", "eve", 20, 900)}, nil, nil); len(found.Suppressed) != 1 {
		t.Error("nothing is held back")
	}
	d.tick += ExpectedAtMost / d.cfg.Grid.Tick
	if found := d.eve(); len(found.Alerts) != 1 || found.Alerts[0].Status != alerting.Open {
		t.Errorf("after it has expired %d are alerted of", len(found.Alerts))
	}
	long := Verdict{ID: "1", Kind: Expected, DedupKey: "weir-1", Author: "kim", Reason: "r", Time: 1, Expires: alerting.Time(2 + ExpectedAtMost)}
	if err := long.Validate(); err == nil {
		t.Error("91 days are taken")
	}
}

// What was over but is remembered can be expected too, and people are alerted of that.
func TestExpectedAfterTheEndIsSent(t *testing.T) {
	d := newDesk(t)
	d.eve()
	for d.latest("user", "eve").Status != alerting.Close {
		d.next(nil, nil, nil)
	}
	d.verdict(Expected, d.latest("user", "eve").DedupKey)
	d.next(nil, nil, nil)
	if a := d.latest("user", "eve"); a.Said == nil || a.Status != alerting.Close {
		t.Errorf("alerted of %s: %s", a.Status, a.Summary)
	}
	if found := d.eve(); len(found.Alerts) != 0 || len(found.Suppressed) != 1 {
		t.Errorf("%d are alerted of, %d held back", len(found.Alerts), len(found.Suppressed))
	}
}

// Who holds an episode is told of, is in every alert from then on, and survives a
// restore. It changes nothing of what the episode is.
func TestClaim(t *testing.T) {
	d := newDesk(t)
	d.eve()
	key := d.latest("user", "eve").DedupKey
	claim := func(id string, kind VerdictKind, author, assignee string) Findings {
		t.Helper()
		d.say(Verdict{ID: id, Kind: kind, DedupKey: key, Author: author, Assignee: assignee})
		d.restore()
		found := d.eve()
		if len(found.Effects) != 1 || found.Effects[0].Verdict.ID != id || found.Effects[0].Time != alerting.Time(d.cfg.Grid.TickEnd(d.tick)) {
			t.Errorf("%s: effects %+v", id, found.Effects)
		}
		return found
	}
	for _, c := range []struct {
		kind                           VerdictKind
		author, assignee, holder, says string
	}{
		{Assigned, "kim", "", "kim", "Held by kim. "},
		{Acknowledged, "lee", "", "kim", ""}, // kim holds it still, so there is nothing to tell
		{Assigned, "kim", "lee", "lee", "Held by lee (assigned by kim). "},
		{Assigned, "kim", "lee", "lee", ""},
		{Released, "kim", "", "", "Released by kim; nobody holds it. "},
		{Acknowledged, "pat", "", "pat", "Acknowledged by pat. "},
	} {
		found := claim(fmt.Sprint(len(d.verdicts)), c.kind, c.author, c.assignee)
		if holder := d.task.store.records[d.task.store.byKey[key]].holder; holder != c.holder {
			t.Errorf("%s by %s: held by %q, want %q", c.kind, c.author, holder, c.holder)
		}
		summary := ""
		if len(found.Alerts) > 0 {
			summary = found.Alerts[0].Summary
		}
		if !strings.HasPrefix(summary, c.says) || (c.says == "") != (summary == "") {
			t.Errorf("%s by %s: alerted of %q, want %q", c.kind, c.author, summary, c.says)
		}
	}
	grown := d.next([]stream.Candidate{d.candidate("user", "eve", 20, 20_000)}, nil, nil)
	if len(grown.Alerts) != 1 || grown.Alerts[0].Holder != "pat" || grown.Alerts[0].Said != nil {
		t.Errorf("what gets worse is alerted of as %+v", grown.Alerts)
	}
	if err := (&Verdict{ID: "1", Kind: Released, DedupKey: key, Author: "kim", Assignee: "lee"}).Validate(); err == nil {
		t.Error("a release to somebody is taken")
	}
}

// What is graver than medium is expected by the word of two people, where the deployment
// asks for that. The first is told of, and holds nothing back; nor does the same person
// twice, whichever way he comes, nor the second a day later. Restarts change nothing.
func TestExpectedNeedsASecondPerson(t *testing.T) {
	d := newDesk(t)
	d.cfg.SecondPerson = true
	d.restore()
	grave := func() Findings {
		return d.next([]stream.Candidate{d.candidate("user", "eve", 90, 20_000)}, nil, nil)
	}
	grave()
	key, n := d.latest("user", "eve").DedupKey, 0
	say := func(author string) Findings {
		n++
		d.say(Verdict{ID: fmt.Sprint(n), Kind: Expected, DedupKey: key, Author: author, Reason: "r of " + author, Expires: alerting.Time(d.cfg.Grid.TickEnd(d.tick) + 2*eventtime.Day)})
		d.restore()
		return grave()
	}
	held := func(Findings) bool {
		a := d.latest("user", "eve")
		return a.Said != nil && a.Said.Kind == string(Expected)
	}
	if found := say("slack:kim"); held(found) || len(found.Effects) != 1 || !strings.Contains(d.latest("user", "eve").Summary, "slack:kim says that it is expected until") {
		t.Errorf("after one person: %s", d.latest("user", "eve").Summary)
	}
	if held(say("Kim")) {
		t.Error("the same person counts for two")
	}
	for range proposedFor / d.cfg.Grid.Tick {
		grave()
	}
	if held(say("lee")) {
		t.Error("the word of a second person counts though that of the first is a day old")
	}
	found := say("console:ana")
	if a := d.latest("user", "eve"); !held(found) || a.Said == nil || a.Said.Author != "lee and console:ana" || a.Said.Reason != "r of lee; r of console:ana" {
		t.Errorf("after two people: %s", a.Summary)
	}
	if found := d.next([]stream.Candidate{d.candidate("user", "eve", 90, 50_000)}, nil, nil); len(found.Suppressed) != 1 || len(found.Alerts) != 0 {
		t.Errorf("%d are held back, %d sent", len(found.Suppressed), len(found.Alerts))
	}
}
