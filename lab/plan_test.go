package lab

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

// monday is 2026-03-02 00:00 UTC.
const monday = int64(1772409600_000)

// office is a log of three weeks: each of the named reads so many records an
// hour from 9 to 12 on every day, one after the other out of its own thousand;
// customers are 10,000 others that a service reads.
func office(perHour map[string]int) []*event.Event {
	var log []*event.Event
	names := []string{"ana", "ben", "cem", "dov", "eva"}
	for day := range int64(21) {
		for hour := int64(9); hour < 12; hour++ {
			for n, name := range names {
				for i := range perHour[name] {
					log = append(log, &event.Event{
						Time: monday + day*eventtime.Day + hour*eventtime.Hour + int64(i)*1000, Actor: name, KeyID: "k1", Session: fmt.Sprint(name, day),
						IP: "10.0.0.1", Client: "crm", Endpoint: "GET /c/{id}", Records: []string{fmt.Sprint(n*1000 + (int(day)*100+int(hour)*30+i)%1000)},
					})
				}
			}
			for i := range 100 {
				log = append(log, &event.Event{
					Time: monday + day*eventtime.Day + hour*eventtime.Hour + 3_000_000, Actor: "sync", KeyID: "k2",
					IP: "10.9.9.9", Client: "sync", Records: []string{fmt.Sprint(10_000 + (int(day)*300+int(hour)*100+i)%10_000)},
				})
			}
		}
	}
	return log
}

var usual = map[string]int{"ana": 5, "ben": 10, "cem": 15, "dov": 20, "eva": 25}

// learn makes a profile of the log, and the leak that the text describes.
func learn(t *testing.T, log []*event.Event, text string) (*Profile, *Leak) {
	t.Helper()
	l, err := ParseLeak(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range event.DefaultDimensions() {
		if d.Name == l.Dimension {
			p := NewProfile(d, event.FixedHasher(), l.Seed)
			for _, ev := range log {
				p.Observe(ev)
			}
			p.End()
			return p, &l
		}
	}
	t.Fatalf("no dimension %s", l.Dimension)
	return nil, nil
}

// play adds the leak to the log and returns what was added.
func play(t *testing.T, p *Profile, l *Leak, log []*event.Event, identity string) (*Plan, []*event.Event) {
	t.Helper()
	plan, err := p.Plan(l, identity, event.DefaultDimensions())
	if err != nil {
		t.Fatal(err)
	}
	var added []*event.Event
	for _, ev := range log {
		for due := plan.Due(ev.Time); due != nil; due = plan.Due(ev.Time) {
			added = append(added, due.Clone())
		}
		plan.Observe(ev)
	}
	return plan, added
}

// One identity is the median; several are spread over all.
func TestChoose(t *testing.T) {
	log := office(usual)
	for _, c := range []struct{ text, want string }{
		{"COUNT=1", "[dov]"}, // of ana, ben, cem, dov, eva, sync
		{"COUNT=3", "[ben dov sync]"},
		{"COUNT=100", "[ana ben cem dov eva sync]"},
		{"IDENTITY=eva", "[eva]"},
		{"KIND=forged", "[k2]"},
	} {
		p, l := learn(t, log, c.text)
		got, err := p.Choose(l)
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v (%v), want %s", c.text, got, err, c.want)
		}
	}
	// Customers who read their own record each day are not people to test a leak with,
	// unless somebody asks for them.
	for day := range int64(21) {
		for i := range 40 {
			log = append(log, &event.Event{
				Time: monday + day*eventtime.Day + 20*eventtime.Hour + int64(i)*1000, Actor: fmt.Sprint("customer-", i), Role: "customer",
				Endpoint: "GET /me", Records: []string{fmt.Sprint("own-", i)},
			})
		}
	}
	for _, c := range []struct{ text, want string }{
		{"COUNT=3", "[ben dov sync]"},
		{"COUNT=2,WORK=GET /c/{id}", "[ben dov]"},
		{"COUNT=1,ROLE=customer", "[customer-27]"}, // by name, the median
		{"COUNT=1,WORK=GET /me", "[customer-27]"},
	} {
		p, l := learn(t, log, c.text)
		got, err := p.Choose(l)
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("with customers, %s: %v (%v), want %s", c.text, got, err, c.want)
		}
	}
	p, l := learn(t, log, "ROLE=clerk")
	if _, err := p.Choose(l); err == nil || !strings.Contains(err.Error(), `no user of the log of the role "clerk"`) {
		t.Errorf("a role that nobody has: %v", err)
	}
	for _, c := range []struct{ text, says string }{
		{"IDENTITY=zoe", `no user "zoe"`},
		{"START=2026-05-01", "well within"},
		{"START=2026-03-03", "too early"},
	} {
		p, l := learn(t, log, c.text)
		if _, err := p.Choose(l); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error with %q", c.text, err, c.says)
		}
	}
}

// A leak takes what its rate says, in the thief's own hours, by its own means,
// and only records that the thief does not know.
func TestDrift(t *testing.T) {
	log := office(usual)
	p, l := learn(t, log, "RATE=3x,IDENTITY=cem,START=2026-03-14")
	plan, added := play(t, p, l, log, "cem")
	known := map[string]bool{}
	for _, ev := range log {
		if ev.Actor == "cem" && ev.Time < plan.From {
			known[ev.Records[0]] = true
		}
	}
	if plan.Usual != 45 {
		t.Errorf("cem's usual day is %g records, want 45", plan.Usual)
	}
	if n := len(added); n < 7*90-80 || n > 7*90+80 {
		t.Errorf("%d records were stolen in 7 days, want about %d", n, 7*90)
	}
	for _, ev := range added {
		hour := (ev.Time - monday) % eventtime.Day / eventtime.Hour
		if hour < 9 || hour >= 12 || ev.Time < plan.From || ev.Time >= plan.To {
			t.Errorf("stolen at %s, when cem does not work or the leak is not on", utc(ev.Time))
		}
		if ev.Actor != "cem" || ev.Client != "crm" || ev.IP != "10.0.0.1" || len(ev.Records) != 1 || known[ev.Records[0]] {
			t.Fatalf("stolen by %+v", ev)
		}
		known[ev.Records[0]] = true
	}
}

// Each kind leaves the marks that it is known by.
func TestKinds(t *testing.T) {
	log := office(usual)
	for _, c := range []struct {
		text  string
		check func(*event.Event) bool
		least int
	}{
		{"KIND=slow,RATE=10%,IDENTITY=eva", func(ev *event.Event) bool { return ev.Actor == "eva" }, 50},
		{"KIND=newcomer", func(ev *event.Event) bool {
			return ev.Actor == "injected-newcomer" || ev.Action == event.Join && ev.Subject == "injected-newcomer"
		}, 100},
		{"KIND=mules,ACCOUNTS=3", func(ev *event.Event) bool {
			return ev.IP[:10] == "198.18.77." && (ev.Actor == "cem" || ev.Actor == "dov" || ev.Actor == "eva")
		}, 50},
		{"KIND=forged,RATE=300/day,IDENTITY=k1", func(ev *event.Event) bool {
			return ev.KeyID == "k1" && ev.Actor == ev.Records[0] && strings.HasPrefix(ev.Session, "forged-")
		}, 1500},
		{"KIND=report,RATE=5000/day,IDENTITY=ana", func(ev *event.Event) bool { return ev.Actor == "ana" && ev.Action == event.Export && ev.Rows == 5000 }, 7},
	} {
		p, l := learn(t, log, c.text)
		ids, err := p.Choose(l)
		if err != nil {
			t.Fatal(c.text, err)
		}
		_, added := play(t, p, l, log, ids[0])
		if len(added) < c.least {
			t.Errorf("%s: %d events, want at least %d", c.text, len(added), c.least)
		}
		for _, ev := range added {
			if !c.check(ev) {
				t.Fatalf("%s: added %+v", c.text, ev)
			}
		}
	}
}

// The same log, leak and seed add the same events; another seed adds others.
func TestPlanRepeats(t *testing.T) {
	log := office(usual)
	text := func(seed int) string {
		p, l := learn(t, log, fmt.Sprintf("RATE=2x,SEED=%d", seed))
		_, added := play(t, p, l, log, "dov")
		var b strings.Builder
		for _, ev := range added {
			fmt.Fprintln(&b, ev.Time, ev.Records)
		}
		return b.String()
	}
	first, again := text(1), text(1)
	if first != again {
		t.Error("two runs of one seed differ")
	}
	if first == text(2) {
		t.Error("two seeds agree")
	}
}

// What counts as caught: an episode that opens where the leak goes through,
// while it lasts, and that is not open without it. Chance is what the log without
// it would score.
func TestJudge(t *testing.T) {
	log := office(usual)
	p, l := learn(t, log, "RATE=3x,IDENTITY=cem,START=2026-03-14")
	plan, added := play(t, p, l, log, "cem")
	at := func(dim, id string, hours int64) alerting.Alert {
		return alerting.Alert{Status: alerting.Open, Dimension: dim, Identity: id, Measure: "distinct", Time: alerting.Time(plan.From + hours*eventtime.Hour)}
	}
	known := at("client", "crm", 20)
	known.Kind, known.Fact = alerting.KindFact, fact.UnissuedToken
	campaign := at(alerting.CampaignDimension, "network 10.0.0.0/24", 20)
	campaign.Kind = alerting.KindCampaign
	update := at("user", "cem", 20)
	update.Status = alerting.Update
	for name, c := range map[string]struct {
		alert alerting.Alert
		want  bool
	}{
		"the thief":                      {at("user", "cem", 20), true},
		"the thief's network, a third":   {at("network", "10.0.0.0/24", 20), true},
		"somebody else":                  {at("user", "dov", 20), false},
		"before the leak":                {at("user", "cem", -20), false},
		"long after it":                  {at("user", "cem", 24*9), false},
		"an update says nothing new":     {update, false},
		"a fact about what it came by":   {known, true},
		"a campaign of what it came by":  {campaign, true},
		"a dimension that is not judged": {at("city", "cem", 20), false},
	} {
		if o := plan.Judge([]alerting.Alert{c.alert}, nil); o.Caught != c.want {
			t.Errorf("%s: caught %v, want %v", name, o.Caught, c.want)
		}
	}
	o := plan.Judge([]alerting.Alert{at("user", "cem", 24)}, []alerting.Alert{at("user", "cem", 48)})
	first := added[0].Time
	if want := float64(plan.From+eventtime.Day-first) / float64(eventtime.Hour); o.Delay != want {
		t.Errorf("caught after %g h, want %g, counted from the first stolen record", o.Delay, want)
	}
	if o.Taken != int64(len(added)) || o.Gone <= 0 || o.Gone >= o.Taken/2 {
		t.Errorf("%d of %d were gone after one of seven days", o.Gone, o.Taken)
	}
	if !o.ByLuck {
		t.Error("the log without the leak alerts there too, which is luck")
	}
	closed := at("user", "cem", 10)
	closed.Status = alerting.Close
	for name, c := range map[string]struct {
		with, without []alerting.Alert
		by            string // empty: missed
		luck          bool
	}{
		"nothing without it":       {[]alerting.Alert{at("user", "cem", 20)}, nil, "user cem", false},
		"open already":             {[]alerting.Alert{at("user", "cem", 20)}, []alerting.Alert{at("user", "cem", -20)}, "", true},
		"opens without it as well": {[]alerting.Alert{at("user", "cem", 20)}, []alerting.Alert{at("user", "cem", 5)}, "", true},
		"at the same time":         {[]alerting.Alert{at("user", "cem", 20)}, []alerting.Alert{at("user", "cem", 20)}, "", true},
		"closed before":            {[]alerting.Alert{at("user", "cem", 20)}, []alerting.Alert{at("user", "cem", -20), closed}, "user cem", true},
		"the next one counts":      {[]alerting.Alert{at("network", "10.0.0.0/24", 20), at("user", "cem", 30)}, []alerting.Alert{at("network", "10.0.0.0/24", -20)}, "user cem", true},
		"somebody else's":          {[]alerting.Alert{at("user", "cem", 20)}, []alerting.Alert{at("user", "dov", 5)}, "user cem", false},
	} {
		if o := plan.Judge(c.with, c.without); o.Caught != (c.by != "") || o.By != c.by || o.ByLuck != c.luck || (o.Anyway != "") != c.luck {
			t.Errorf("%s: %+v, want it caught by %q, by chance %v", name, o, c.by, c.luck)
		}
	}
	if got := p.Chance(l, []string{"ana", "ben", "cem", "dov"}, []alerting.Alert{at("user", "cem", 48), at("user", "ana", -1), at("client", "ben", 3)}); got != 0.25 {
		t.Errorf("chance is %g, want one of four", got)
	}
}
