package simulate

import (
	"github.com/weirhq/weir/event"
)

// This file plants what hides better than the rest: many small thefts, thefts
// that change no count, accounts that nobody misses, and one great copy that is
// no theft at all.

// plantRetiredKey forges tokens of the web key that has been rotated out.
func plantRetiredKey(c *Company) {
	f := forgery{kind: "retired-key", key: keyWeb, family: clWeb}
	f.rate = func(int64) int64 { return c.scaledRate(120) * dayShape[c.now.hourOfDay] / 100 }
	c.forgeTokens(f)
}

// plantAccounts lets many customers' stolen accounts each look at a few
// strangers, by a version of the application that is no longer given out and
// addresses that change.
func plantAccounts(c *Company) {
	const strangers = 6
	used := client(clIOS, 0)
	t := c.newThief("accounts", map[string][]string{"client": {event.Family(c.clients[used])}, "endpoint": {endpoints[epProfile].pattern()}})
	c.extras = append(c.extras, func(c *Company) {
		c.each(&t.dice, c.scaledRate(20), c.slot, c.slot+hour, func(at int64) {
			it := item{
				at: at, action: event.Login, actor: customerActors + c.customers.any(&t.dice), subject: nobody, rec: noRecord, token: c.take(),
				key: int16(c.now.webKey), ip: ip4(45, 81, byte(t.dice.below(256)), 1+byte(t.dice.below(250))), client: used, endpoint: epLogin,
			}
			c.shopSteal(t.index, it)
			it.action, it.endpoint = event.Read, epProfile
			for range strangers {
				it.at += t.dice.between(5*second, 40*second)
				it.rec = t.prey(c)
				c.shopSteal(t.index, it)
			}
		})
	})
}

// plantTwin makes an agent look up known customers again and again from the
// first day on, and then, at the same pace, strangers.
func plantTwin(c *Company) {
	p := c.culprit(agent)
	t := c.newThief("twin", accounts(p.name))
	d := newDice(c.opt.Seed, 5<<32)
	c.extras = append(c.extras, func(c *Company) {
		if p.start == 0 {
			return
		}
		rate := 4 * mul(p.rate, p.today)
		for _, s := range p.stints(c.slot, c.slot+hour) {
			from := max(s[0]+second, c.slot)
			for at := from + d.gap(rate); at < min(s[1], c.leakFrom); at += d.gap(rate) {
				it := c.personItem(p, at)
				it.endpoint, it.rec = epCRMCustomer, p.pool[d.below(int64(len(p.pool)))]
				c.slate.add(it)
			}
		}
		c.stealAtWork(t, p, c.leakFrom, rate)
	})
}

// plantReturned hires an agent who stops coming a week before the leak, of
// which no log tells, and who then signs in from home in the evenings.
func plantReturned(c *Company) {
	p := c.newPerson(agent, "agent.gone", newDice(c.opt.Seed, 6<<32))
	p.vacation, p.late = -1, false
	left := c.leakFrom - 7*day
	ids := accounts(p.name)
	ids["network"] = []string{networkOf(p.address)}
	t := c.newThief("returned", ids)
	var token uint64
	c.extras = append(c.extras, func(c *Company) {
		midnight := c.slot - c.slot%day
		if c.now.hourOfDay == 0 {
			token = 0
			p.planDay(c.slot, (c.slot-c.calendar.origin)/day, c.now.weekend)
			if c.slot >= left {
				p.start, p.finish = 0, 0
			}
		}
		if p.start > 0 {
			c.workHour(&p)
		}
		c.each(&t.dice, 20_000, midnight+19*hour, midnight+23*hour, func(at int64) {
			c.stealInSession(t, item{at: at, action: event.Read, actor: p.actor, subject: nobody, ip: p.address, client: client(clCRM, c.now.version)}, &token)
		})
	})
}

// plantManager lets an account manager, who knows nearly everyone she looks up,
// take four times as much again.
func plantManager(c *Company) {
	c.overwork("manager", manager, c.leakFrom, func(p *person) int64 { return 4 * mul(p.rate, p.today) })
}

// plantAnalyst doubles what an analyst reads, whose days differ as it is: about
// 17 customers a list.
func plantAnalyst(c *Company) {
	c.overwork("analyst", analyst, c.leakFrom, func(p *person) int64 { return 17 * mul(p.rate, p.today) })
}

// plantMigration copies every customer in three nights through a service that
// was never seen before. It is announced work, and no leak.
func plantMigration(c *Company) {
	const name = "svc-migration"
	actor, d := c.name(name), newDice(c.opt.Seed, 7<<32)
	c.calendar.events = append(c.calendar.events, happening{
		kind: "migration", start: c.leakFrom, end: c.leakFrom + 3*day, identities: accounts(name), note: "a new system copies every customer in three nights",
	})
	nightly := c.customers.n / 3
	var token uint64
	var at int64
	c.extras = append(c.extras, func(c *Company) {
		since := c.slot - c.leakFrom
		if since < 0 || since >= 3*day || c.now.hourOfDay < 1 || c.now.hourOfDay > 4 {
			return
		}
		it := item{at: c.slot + minute, action: event.Read, actor: actor, subject: nobody, rec: noRecord, key: keyService, ip: ip4(10, 10, 77, 4), client: client(clServices+svcBatch, c.now.version), endpoint: epSync}
		if token == 0 {
			token = c.take()
			in := it
			in.action, in.endpoint, in.token = event.Issue, epToken, token
			c.slate.add(in)
		}
		it.token = token
		pages := nightly / 4 / 100
		for i := range pages {
			it := it
			it.action, it.at = event.List, c.slot+2*minute+i*(55*minute/max(pages, 1))+d.below(second)
			c.slate.page(&it, 100, func() int32 {
				at++
				return int32(at % c.customers.n)
			})
			c.slate.add(it)
		}
	})
}
