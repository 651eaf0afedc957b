package simulate

import (
	"github.com/weirhq/weir/event"
)

// culprit returns the place of someone of the role who takes no time off and stays.
func (c *Company) culprit(r role) *person {
	people := c.people(r)
	return &people[int(c.opt.Seed%uint64((len(people)+3)/4))*4]
}

// accounts returns the identities of a leak that shows in its user alone.
func accounts(names ...string) map[string][]string {
	return map[string][]string{"user": names}
}

// overwork makes a person take strangers at an extra rate during the own
// shifts, in the own session, from an instant on.
func (c *Company) overwork(kind string, r role, from int64, extra func(*person) int64) {
	p := c.culprit(r)
	t := c.newThief(kind, accounts(p.name))
	t.planned = from
	c.extras = append(c.extras, func(c *Company) {
		c.stealAtWork(t, p, from, extra(p))
	})
}

// stealAtWork takes customers in the hours that the person works from an instant on.
func (c *Company) stealAtWork(t *thief, p *person, from, rate int64) {
	if p.start == 0 {
		return
	}
	for _, s := range p.stints(c.slot, c.slot+hour) {
		c.each(&t.dice, rate, max(s[0], from)+second, s[1], func(at int64) {
			it := c.personItem(p, at)
			it.endpoint, it.rec = epCRMCustomer, t.prey(c)
			c.slate.steal(t.index, it)
		})
	}
}

// plantGreedyAgent triples an agent's reading.
func plantGreedyAgent(c *Company) {
	c.overwork("greedy-agent", agent, c.leakFrom, func(p *person) int64 { return 2 * mul(p.rate, p.today) })
}

// plantSlow lets an agent's reading grow by 1 % a day.
func plantSlow(c *Company) {
	var growth, reached int64 = one, 0
	c.overwork("slow", agent, c.leakFrom, func(p *person) int64 {
		for days := (c.slot - c.leakFrom) / day; reached < days; reached++ {
			growth += growth / 100
		}
		return mul(mul(p.rate, p.today), growth-one)
	})
}

// plantNewcomer hires an agent who steals from the first day.
func plantNewcomer(c *Company) {
	p := c.newPerson(agent, "agent.new", newDice(c.opt.Seed, 3<<32))
	p.vacation, p.joins, p.late = -1, c.leakFrom, false
	t := c.newThief("newcomer", accounts(p.name))
	c.extras = append(c.extras, func(c *Company) {
		if c.slot%day == 0 {
			p.planDay(c.slot, (c.slot-c.calendar.origin)/day, c.now.weekend)
		}
		c.personnel(&p)
		if p.start > 0 {
			c.workHour(&p)
		}
		c.stealAtWork(t, &p, c.leakFrom, 3*mul(p.rate, p.today))
	})
}

// plantReread makes an agent look at known customers again and again. It is no leak.
func plantReread(c *Company) {
	p := c.culprit(agent)
	d := newDice(c.opt.Seed, 4<<32)
	c.calendar.events = append(c.calendar.events, happening{
		kind: "reread", start: c.leakFrom, end: c.end, identities: accounts(p.name),
		note: "looks up known customers five times as often as before",
	})
	c.extras = append(c.extras, func(c *Company) {
		if p.start == 0 {
			return
		}
		for _, s := range p.stints(c.slot, c.slot+hour) {
			c.each(&d, 4*mul(p.rate, p.today), s[0]+second, s[1], func(at int64) {
				it := c.personItem(p, at)
				it.endpoint, it.rec = epCRMCustomer, p.pool[d.below(int64(len(p.pool)))]
				c.slate.add(it)
			})
		}
	})
}

// plantMules spreads a leak over stolen accounts that share four networks.
func plantMules(c *Company) {
	people := c.people(agent)
	people = people[3:min(len(people), 3+max(c.scaled(30), 8))] // neither the leaver nor the newcomer
	ids := map[string][]string{}
	for i := range people {
		ids["user"] = append(ids["user"], people[i].name)
	}
	for i := range min(4, len(people)) {
		ids["network"] = append(ids["network"], networkOf(muleAddress(i)))
	}
	t := c.newThief("mules", ids)
	tokens := make([]uint64, len(people))
	c.extras = append(c.extras, func(c *Company) {
		midnight := c.slot - c.slot%day
		if c.now.hourOfDay == 0 {
			clear(tokens)
		}
		for i := range people {
			c.each(&t.dice, 4000, midnight+9*hour, midnight+18*hour, func(at int64) {
				it := item{at: at, action: event.Read, actor: people[i].actor, subject: nobody, ip: muleAddress(i), client: client(clCRM, c.now.version)}
				c.stealInSession(t, it, &tokens[i])
			})
		}
	})
}

func muleAddress(i int) uint32 { return ip4(193, 36, 118+byte(i%4), 10+byte(i)) }

// stealInSession takes a customer with the session's token, and signs in first
// if there is none.
func (c *Company) stealInSession(t *thief, it item, token *uint64) {
	it.key = keyStaff
	if *token == 0 {
		*token = c.take()
		in := it
		in.action, in.endpoint, in.rec, in.token = event.Login, epLogin, noRecord, *token
		c.slate.steal(t.index, in)
		it.at += second
	}
	it.token, it.rec = *token, t.prey(c)
	if it.action == event.Delete {
		it.endpoint = epErase
	} else {
		it.endpoint = epCRMCustomer
	}
	c.slate.steal(t.index, it)
}

// plantLeaver lets the agent who left sign in from home in the evenings.
func plantLeaver(c *Company) {
	p := &c.people(agent)[1]
	ids := accounts(p.name)
	ids["network"] = []string{networkOf(p.address)}
	t := c.newThief("leaver", ids)
	var token uint64
	c.extras = append(c.extras, func(c *Company) {
		midnight := c.slot - c.slot%day
		if c.now.hourOfDay == 0 {
			token = 0
		}
		c.each(&t.dice, 45_000, max(midnight+19*hour, p.leaves), midnight+23*hour, func(at int64) {
			c.stealInSession(t, item{at: at, action: event.Read, actor: p.actor, subject: nobody, ip: p.address, client: client(clCRM, c.now.version)}, &token)
		})
	})
}

// plantDormant makes an account for nobody, uses it for two days, and wakes it
// when the leak starts.
func plantDormant(c *Company) {
	const name = "ext.042"
	actor, from := c.name(name), ip4(91, 207, 60, 17)
	ids := accounts(name)
	ids["network"] = []string{networkOf(from)}
	t := c.newThief("dormant", ids)
	it := item{actor: actor, subject: nobody, ip: from, client: client(clCRM, 0)}
	var token uint64
	c.extras = append(c.extras, func(c *Company) {
		midnight := c.slot - c.slot%day
		n := (c.slot - c.calendar.origin) / day
		if c.now.hourOfDay == 0 {
			token = 0
		}
		if n < 2 && c.now.hourOfDay == 10 {
			c.dormantTry(t, it, n)
		}
		c.each(&t.dice, 60_000, midnight+20*hour, midnight+day, func(at int64) {
			it := it
			it.at, it.action, it.client = at, event.Read, client(clCRM, c.now.version)
			if t.dice.chance(200) {
				it.action = event.Delete
			}
			c.stealInSession(t, it, &token)
		})
	})
}

// dormantTry is the account's first use, before the leak: a few harmless reads.
func (c *Company) dormantTry(t *thief, it item, n int64) {
	if n == 0 {
		c.slate.add(item{at: c.slot, action: event.Join, actor: c.hr, subject: it.actor, rec: noRecord})
	}
	it.key, it.token, it.at = keyStaff, c.take(), c.slot+5*minute
	it.action, it.endpoint, it.rec = event.Login, epLogin, noRecord
	c.slate.add(it)
	it.action, it.endpoint = event.Read, epCRMCustomer
	for range 8 {
		it.at += t.dice.between(minute, 5*minute)
		it.rec = c.customers.popular(&t.dice)
		c.slate.add(it)
	}
}

// plantReport exports whole reports.
func plantReport(c *Company) {
	p := c.culprit(analyst)
	t := c.newThief("report", accounts(p.name))
	next := c.leakFrom + minute
	c.extras = append(c.extras, func(c *Company) {
		for ; next < c.slot+hour; next += day - next%day + t.dice.between(9*hour, 19*hour) {
			for weekend(next) {
				next += day
			}
			if next >= c.slot+hour {
				return
			}
			it := item{at: next, actor: p.actor, subject: nobody, rec: noRecord, token: c.take(), key: keyStaff, ip: p.where(), client: client(clBI, c.now.version)}
			it.action, it.endpoint = event.Login, epLogin
			c.slate.steal(t.index, it)
			it.at += 40 * second
			it.action, it.endpoint, it.rows = event.Export, epExport, mul(t.dice.between(400_000, 900_000), c.leakMul)
			c.slate.steal(t.index, it)
		}
	})
}
