package simulate

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/event"
)

// The bands that a calm company at scale 1 keeps over three weeks, ordinary
// days only.
func TestCalmLifeKeepsItsBands(t *testing.T) {
	type daily struct {
		events, staff int
		customers     map[string]bool
	}
	days := make([]daily, 21)
	agentDay := map[string]map[string]bool{} // actor and day: distinct customers
	c := run(t, Options{Scenario: "calm", Seed: 1}, func(c *Company, ev *event.Event) {
		n := int((ev.Time - c.start) / day)
		d := &days[n]
		d.events++
		if ev.KeyID != "sso-k1" {
			return
		}
		if d.customers == nil {
			d.customers = map[string]bool{}
		}
		d.staff++
		for _, r := range ev.Records {
			d.customers[r] = true
			if strings.HasPrefix(ev.Actor, "agent.") {
				k := ev.Actor + time.UnixMilli(ev.Time).UTC().Format(time.DateOnly)
				if agentDay[k] == nil {
					agentDay[k] = map[string]bool{}
				}
				agentDay[k][r] = true
			}
		}
	})
	special := map[int]bool{}
	for _, h := range c.Truth().Benign {
		if h.Kind == campaign || h.Kind == outage {
			special[int(h.Start.Sub(c.opt.Start).Hours()/24)] = true
		}
	}
	var week, weekendStaff, weekStaff, distinct band
	for n, d := range days {
		if special[n] {
			continue
		}
		if n%7 < 5 {
			week.add(float64(d.events))
			weekStaff.add(float64(d.staff))
			distinct.add(float64(len(d.customers)))
		} else {
			weekendStaff.add(float64(d.staff))
		}
	}
	var perAgent band
	for _, customers := range agentDay {
		perAgent.add(float64(len(customers)))
	}
	for _, b := range []struct {
		what        string
		got, lo, hi float64
	}{
		{"events on a weekday", week.mean(), 30_000, 48_000},
		{"staff's events on a weekday", weekStaff.mean(), 8_000, 16_000},
		{"staff's events at weekends, share of a weekday's", weekendStaff.mean() / weekStaff.mean(), 0.1, 0.3},
		{"distinct customers of the staff on a weekday", distinct.mean(), 10_000, 18_000},
		{"distinct customers of an agent's day", perAgent.mean(), 80, 140},
		{"over-dispersion k of an agent's day", perAgent.k(), 1, 2.5},
	} {
		t.Logf("%s: %.2f", b.what, b.got)
		if !(b.got >= b.lo && b.got <= b.hi) {
			t.Errorf("%s: %.2f is not in %v..%v", b.what, b.got, b.lo, b.hi)
		}
	}
}

// band gathers moments.
type band struct{ n, sum, squares float64 }

func (b *band) add(x float64) { b.n, b.sum, b.squares = b.n+1, b.sum+x, b.squares+x*x }

func (b *band) mean() float64 { return b.sum / b.n }

func (b *band) varied() float64 { return b.squares/b.n - b.mean()*b.mean() }

// k is the negative binomial's: variance = mean + mean²/k.
func (b *band) k() float64 { return b.mean() * b.mean() / (b.varied() - b.mean()) }

func TestFrailtyIsGammaOfMeanOne(t *testing.T) {
	for _, shape := range []int{1, dayShapeK, hourShapeK} {
		d := newDice(1, uint64(shape))
		var b band
		for range 100_000 {
			b.add(float64(d.frailty(shape)) / one)
		}
		if math.Abs(b.mean()-1) > 0.02 || math.Abs(b.varied()*float64(shape)-1) > 0.05 {
			t.Errorf("shape %d: mean %.3f, variance %.4f", shape, b.mean(), b.varied())
		}
	}
}

// What benign life does to a detector is all there in two weeks.
func TestCalmHasItsUpheavals(t *testing.T) {
	opt := small("calm")
	opt.Days = 14
	clients, keys, hourly := map[string]bool{}, map[string]bool{}, map[int64]int{}
	var facts []string
	c := run(t, opt, func(_ *Company, ev *event.Event) {
		clients[ev.Client] = true
		if strings.HasPrefix(ev.KeyID, "web-") && ev.Action == event.Login {
			keys[ev.KeyID] = true
		}
		if strings.HasPrefix(ev.Actor, "u1") {
			hourly[ev.Time/hour]++
		}
		if ev.Subject != "" {
			facts = append(facts, ev.Action.String()+" "+ev.Subject)
		}
	})
	kinds := map[string]Benign{}
	for _, h := range c.Truth().Benign {
		kinds[h.Kind] = h
	}
	for _, kind := range []string{release, rotation, campaign, outage, "vacation", "join", "leave", "incident"} {
		if _, ok := kinds[kind]; !ok {
			t.Errorf("two weeks has no %s", kind)
		}
	}
	for _, client := range []string{"shop-web/26.1.0", "shop-web/26.2.0", "shop-android/9.4.0", "shop-android/9.5.0", "order-api/1.30.0", "order-api/1.31.0"} {
		if !clients[client] {
			t.Errorf("nobody used %s", client)
		}
	}
	if !keys["web-k1"] || !keys["web-k2"] {
		t.Errorf("web logins are signed by %v", keys)
	}
	if got, want := strings.Join(facts, ", "), "issue web-k2, join agent.003, retire web-k1, leave agent.002"; got != want {
		t.Errorf("the facts about people and keys are: %s, want: %s", got, want)
	}
	out := kinds[outage].Start.UnixMilli() / hour
	if n := hourly[out] + hourly[out+1] + hourly[out+2]; n > 3 || hourly[out-1] < 5 {
		t.Errorf("in the outage customers made %d events, in the hour before %d", n, hourly[out-1])
	}
	noon := kinds[campaign].Start.UnixMilli()/hour + 12
	if hourly[noon] < 2*hourly[noon-24] {
		t.Errorf("at noon of the campaign customers made %d events, the day before %d", hourly[noon], hourly[noon-24])
	}
}

// Whoever reads has signed in before, but for tokens older than the log.
func TestReadsFollowTheirLogin(t *testing.T) {
	opt := small("calm")
	issued := map[string]bool{}
	orphans := make([]int, opt.Days)
	run(t, opt, func(c *Company, ev *event.Event) {
		switch {
		case ev.Action == event.Login || ev.Action == event.Issue:
			issued[ev.Session] = true
		case ev.Action.Access() && !issued[ev.Session]:
			orphans[(ev.Time-c.start)/day]++
		}
	})
	if orphans[0] == 0 {
		t.Error("the log begins with nobody at work")
	}
	t.Log(orphans)
	for n, o := range orphans[12:] {
		if o > orphans[0]/10 {
			t.Errorf("day %d has %d reads without a login, the first day %d", n+12, o, orphans[0])
		}
	}
}

// A forged token reads one customer, and nobody issued it.
func TestForgedTokensReadOneCustomerEach(t *testing.T) {
	seen := map[string]bool{}
	networks := map[string]bool{}
	var perHour [24 * 15]int
	run(t, small("forged-key"), func(c *Company, ev *event.Event) {
		if c.Leak() < 0 {
			if seen[ev.Session] {
				t.Fatalf("a forged token was issued or is another's: %+v", ev)
			}
			return
		}
		if seen[ev.Session] || seen[ev.Records[0]] || ev.Action != event.Read || ev.KeyID != "mobile-k1" || ev.Actor != "u"+ev.Records[0] {
			t.Fatalf("not a token of its own for a customer of its own: %+v", ev)
		}
		seen[ev.Session], seen[ev.Records[0]] = true, true
		networks[ev.IP[:strings.LastIndexByte(ev.IP, '.')]] = true
		perHour[(ev.Time-c.start)/hour]++
	})
	if len(networks) < 30 {
		t.Errorf("addresses come from %d networks only", len(networks))
	}
	first, last := perHour[10*24+2]+perHour[10*24+3], perHour[14*24+12]+perHour[14*24+13]
	if first > 10 || last < 30 {
		t.Errorf("probing at %d in two hours, then %d", first, last)
	}
}

// Re-reading is much reading of few customers.
func TestRereadMeetsHardlyANewCustomer(t *testing.T) {
	var who string
	before, extra, fresh := map[string]bool{}, 0, 0
	reads := [2]int{}
	c := run(t, small("reread"), func(c *Company, ev *event.Event) {
		who = c.culprit(agent).name
		if ev.Actor != who {
			return
		}
		late := 0
		if ev.Time >= c.leakFrom {
			late = 1
		}
		for _, r := range ev.Records {
			reads[late]++
			if late == 1 {
				extra++
				if !before[r] {
					fresh++
				}
			}
			before[r] = true
		}
	})
	if len(c.Truth().Leaks) != 0 {
		t.Error("re-reading is no leak")
	}
	if reads[1] < reads[0] || fresh*3 > extra {
		t.Errorf("%s read %d before and %d after, %d of them for the first time", who, reads[0], reads[1], fresh)
	}
}

// The re-reader's twin reads no more than before, but others.
func TestTwinChangesWhomNotHowMuch(t *testing.T) {
	known := map[string]bool{}
	var reads, fresh, own [2]float64
	opt := small("twin")
	opt.Days = 42
	c := run(t, opt, func(c *Company, ev *event.Event) {
		if ev.Actor != c.culprit(agent).name || !ev.Action.Access() {
			return
		}
		late := 0
		if ev.Time >= c.leakFrom {
			late = 1
		}
		for _, r := range ev.Records {
			reads[late]++
			if !known[r] {
				known[r] = true
				fresh[late]++
			}
		}
	})
	calm := opt
	calm.Scenario = "calm"
	run(t, calm, func(calm *Company, ev *event.Event) {
		if ev.Actor != calm.culprit(agent).name || !ev.Action.Access() {
			return
		}
		late := 0
		if ev.Time >= c.leakFrom {
			late = 1
		}
		own[late] += float64(len(ev.Records))
	})
	if before, after := reads[0]/own[0], reads[1]/own[1]; math.Abs(before-after) > 0.1*before {
		t.Errorf("%.1f times its own work before, %.1f times after; want about as much", before, after)
	}
	if before, after := fresh[0]/reads[0], fresh[1]/reads[1]; before > 0.3 || after < 0.6 {
		t.Errorf("%.0f %% of the reads were new before, %.0f %% after", 100*before, 100*after)
	}
	if l := c.Truth().Leaks; len(l) != 1 || l[0].Kind != "twin" {
		t.Errorf("the truth is %+v", l)
	}
}

// The boiling frog grows by about a percent a day.
func TestSlowGrowsSlowly(t *testing.T) {
	var stolen [90]int
	c := run(t, Options{Scenario: "slow", Seed: 1, Scale: MinScale}, func(c *Company, ev *event.Event) {
		if c.Leak() >= 0 {
			stolen[(ev.Time-c.start)/day]++
		}
	})
	sum := func(from, to int) (n int) {
		for _, s := range stolen[from:to] {
			n += s
		}
		return n
	}
	t.Log(c.Truth().Leaks[0])
	if sum(0, 29) != 0 || sum(29, 49) >= sum(50, 70) || sum(50, 70) >= sum(70, 90) {
		t.Errorf("stolen by day: %v", stolen)
	}
}

// With a backlog the same things happen, and those of the outage besides, whose
// tokens customers go on using; the log learns of them late.
func TestBacklogComesLate(t *testing.T) {
	key := func(ev *event.Event) string {
		return string(appendText(nil, &event.Event{Time: ev.Time, Action: ev.Action, Actor: ev.Actor, Session: ev.Session, Records: ev.Records}))
	}
	calm := map[string]int{}
	run(t, small("calm"), func(_ *Company, ev *event.Event) { calm[key(ev)]++ })
	opt := small("calm")
	opt.Backlog = true
	var last int64
	late, more, orphans := 0, 0, 0
	issued := map[string]bool{}
	ids := map[string]bool{}
	c := run(t, opt, func(_ *Company, ev *event.Event) {
		if ids[ev.ID] {
			t.Fatalf("the id %s repeats", ev.ID)
		}
		ids[ev.ID] = true
		k := key(ev)
		if calm[k]--; calm[k] < 0 {
			more++
		}
		if ev.Time < last-10*minute {
			late++
			if ev.Action.Access() && strings.HasPrefix(ev.Actor, "u1") && !issued[ev.Session] {
				orphans++
			}
		}
		if ev.Action == event.Issue || ev.Action == event.Login {
			issued[ev.Session] = true
		}
		last = max(last, ev.Time)
	})
	for k, n := range calm {
		if n > 0 && !strings.Contains(k, "|u1") {
			t.Fatalf("a calm event is missing: %s", k)
		}
	}
	if orphans < late/10 {
		t.Errorf("of %d late events only %d are reads before their login", late, orphans)
	}
	if late < 50 || late > more || more > 2000 {
		t.Errorf("of %d events, %d are of the outage and %d came late", c.Events(), more, late)
	}
}

func TestLeakStartAndFactorAreObeyed(t *testing.T) {
	opt := small("scrape")
	opt.LeakStart = DefaultStart.Add(50*time.Hour + 7*time.Second)
	one := run(t, opt, func(*Company, *event.Event) {}).Truth().Leaks[0]
	opt.LeakFactor = 3
	three := run(t, opt, func(*Company, *event.Event) {}).Truth().Leaks[0]
	if d := three.Start.Sub(opt.LeakStart); d < 0 || d > 5*time.Minute {
		t.Errorf("the leak starts %v after it should", d)
	}
	if r := float64(three.Events) / float64(one.Events); r < 2.9 || r > 3.1 {
		t.Errorf("factor 3 makes the leak %.2f times as large", r)
	}
}
