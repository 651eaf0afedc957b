package simulate

import (
	"fmt"

	"github.com/weirhq/weir/event"
)

// role is a kind of work.
type role int

const (
	agent    role = iota // call centre, in two shifts, a third of them at weekends
	manager              // of accounts: returns to the same few hundred customers
	analyst              // lists of customers, now and then an export of rows
	clerk                // back office: queue work, nearly every customer new
	engineer             // reads nothing, until on call and in trouble
	numRoles
)

// roles is how each kind of work reads customers.
var roles = [numRoles]struct {
	name    string
	number  int     // people at scale 1
	rate    float64 // accesses in an hour of work
	novelty int64   // how many accesses of a thousand go to a customer outside the person's pool
	pool    int     // customers that the person comes back to
	client  int
}{
	agent:    {"agent", 75, 11, 600, 300, clCRM},
	manager:  {"manager", 25, 6, 100, 300, clCRM},
	analyst:  {"analyst", 12, 3, 700, 500, clBI},
	clerk:    {"clerk", 30, 14, 840, 200, clCRM},
	engineer: {"engineer", 8, 0.5, 800, 50, clAdmin},
}

const (
	dayShapeK  = 2 // gamma shape of a person's day
	hourShapeK = 6 // gamma shape of a person's hour
)

// person is one member of staff, or who passes for one.
type person struct {
	role    role
	actor   int32
	dice    dice
	name    string
	rate    int64 // own accesses an hour, in thousandths
	late    bool  // works the late shift
	offset  int64 // habit of coming early or late
	home    int64 // weekdays worked from home, a bit each
	address uint32
	pool    []int32
	oldest  int

	joins, leaves     int64 // 0: before, after the run
	vacation, daysOff int64 // first day of the time off in each 60 days (-1: none), and its length

	// The plan of the day.
	start, lunch, back, finish int64
	today                      int64 // frailty of the day
	atHome                     bool
	token                      uint64
	renews                     bool // signs in again after lunch
	burstFrom, burstTo         int64
}

// hireStaff makes the people. Every fourth of a role takes no time off, so that
// a leak has someone to come from; the second agent leaves and the third joins
// during the run.
func (c *Company) hireStaff() {
	stream := uint64(1000)
	for r := range numRoles {
		n := max(4, c.scaled(roles[r].number))
		for i := range n {
			p := c.newPerson(r, fmt.Sprintf("%s.%03d", roles[r].name, i+1), newDice(c.opt.Seed, stream))
			p.vacation = -1
			if i%4 != 0 && p.dice.chance(600) {
				p.vacation, p.daysOff = p.dice.below(60), p.dice.between(5, 12)
			}
			if r == agent && i == 1 {
				p.leaves = c.calendar.workday(c.calendar.cycle*2/5) + 17*hour
			}
			if r == agent && i == 2 {
				p.joins = c.calendar.workday(c.calendar.cycle/3) + 8*hour
			}
			c.staff = append(c.staff, p)
			stream++
		}
	}
}

// newPerson makes one person with habits of its own.
func (c *Company) newPerson(r role, name string, d dice) person {
	k := &roles[r]
	p := person{role: r, name: name, actor: c.name(name), dice: d}
	p.rate = mul(int64(k.rate*1000), percent(p.dice.between(60, 161)))
	p.late = r == agent && p.dice.chance(450)
	p.offset = p.dice.between(-40*minute, 40*minute)
	p.home = p.dice.below(32)
	h := mix(uint64(p.dice.below(1 << 40)))
	p.address = ip4(84, byte(h%8), byte(h>>8), 1+byte(h>>16%250))
	if r == engineer && p.dice.chance(300) {
		// On call when the log begins: this token has no login in it.
		p.token = c.take()
		p.burstFrom, p.burstTo = c.slot, c.slot+2*hour
	}
	p.pool = make([]int32, k.pool)
	for i := range p.pool {
		p.pool[i] = c.customers.any(&p.dice)
	}
	return p
}

// people returns the people of a role.
func (c *Company) people(r role) []person {
	from := 0
	for c.staff[from].role != r {
		from++
	}
	to := from
	for to < len(c.staff) && c.staff[to].role == r {
		to++
	}
	return c.staff[from:to]
}

// planStaffDay decides who works today, when, and how hard.
func (c *Company) planStaffDay() {
	for i := range c.staff {
		c.staff[i].planDay(c.slot, (c.slot-c.calendar.origin)/day, c.now.weekend)
	}
}

func (p *person) planDay(midnight, n int64, weekend bool) {
	// Draw the same chances on every day, worked or not.
	early, length := p.dice.between(-15*minute, 15*minute), p.dice.between(7*hour+30*minute, 8*hour+45*minute)
	shift, sick := p.dice.below(1000), p.dice.chance(20)
	p.today = p.dice.frailty(dayShapeK)
	p.renews = p.dice.chance(300)
	p.planBurst(midnight)
	p.start, p.finish = 0, 0
	if sick || !p.employed(midnight+12*hour) || p.away(n) {
		return
	}
	if weekend && !(p.role == agent && shift < 350) {
		return
	}
	begin := 9 * hour
	switch {
	case p.late:
		begin = 13 * hour
	case p.role == agent:
		begin = 7*hour + 30*minute
	}
	p.start = midnight + begin + p.offset + early
	p.lunch = p.start + length*45/100
	p.back = p.lunch + 30*minute + early/2
	p.finish = p.start + length + 30*minute
	p.atHome = p.home>>weekday(midnight)&1 == 1
}

// planBurst calls an engineer to an incident about every fifth day, at any hour.
func (p *person) planBurst(midnight int64) {
	if p.role != engineer {
		return
	}
	at, length := p.dice.below(day), p.dice.between(hour, 4*hour)
	if p.dice.chance(200) && p.burstTo <= midnight {
		p.burstFrom, p.burstTo = midnight+at, midnight+at+length
		p.token = 0
	}
}

// employed reports whether the person works here at t.
func (p *person) employed(t int64) bool {
	return t >= p.joins && (p.leaves == 0 || t < p.leaves)
}

// away reports whether the n-th day is one of the person's time off.
func (p *person) away(n int64) bool {
	since := n%60 - p.vacation
	return p.vacation >= 0 && since >= 0 && since < p.daysOff
}

// staffHour lets everyone work the hour.
func (c *Company) staffHour() {
	for i := range c.staff {
		p := &c.staff[i]
		c.personnel(p)
		if p.start > 0 {
			c.workHour(p)
		}
		c.burstHour(p)
	}
}

// personnel reports joining and leaving.
func (c *Company) personnel(p *person) {
	for _, f := range [...]struct {
		at     int64
		action event.Action
	}{{p.joins, event.Join}, {p.leaves, event.Leave}} {
		if f.at > 0 && f.at >= c.slot && f.at < c.slot+hour {
			c.slate.add(item{at: f.at, action: f.action, actor: c.hr, subject: p.actor, rec: noRecord})
		}
	}
}

// workHour is one hour of a person's working day.
func (c *Company) workHour(p *person) {
	in := func(t int64) bool { return t >= c.slot && t < c.slot+hour }
	if in(p.start) {
		c.signIn(p, p.start)
	}
	pace := mul(mul(p.rate, p.today), p.dice.frailty(hourShapeK))
	if c.now.campaign && p.role == agent {
		pace *= 3
	}
	for _, s := range p.stints(c.slot, c.slot+hour) {
		if s[0] == p.back && p.renews && in(p.back) {
			c.signIn(p, p.back)
		}
		for t := s[0] + second + p.dice.gap(pace); t < s[1]; t += p.dice.gap(pace) {
			c.work(p, t)
		}
	}
	if in(p.finish) {
		it := c.personItem(p, p.finish)
		it.action = event.Logout
		c.slate.add(it)
	}
}

// stints returns the parts of [from, to) that the person works: before and after lunch.
func (p *person) stints(from, to int64) [2][2]int64 {
	return [2][2]int64{
		{max(p.start, from), min(p.lunch, to)},
		{max(p.back, from), min(p.finish, to)},
	}
}

// signIn starts a session with a new token.
func (c *Company) signIn(p *person, t int64) {
	p.token = c.take()
	it := c.personItem(p, t)
	it.action, it.endpoint = event.Login, epLogin
	c.slate.add(it)
}

// personItem returns an event of the person's session at t that reads nothing yet.
func (c *Company) personItem(p *person, t int64) item {
	version := c.now.version
	if c.now.released > 0 && int64(mix(uint64(p.actor))%uint64(2*day)) > t-c.now.released {
		version-- // the page is still open in the browser
	}
	return item{
		at: t, action: event.Read, actor: p.actor, subject: nobody, rec: noRecord, token: p.token, key: keyStaff,
		ip: p.where(), client: client(roles[p.role].client, version),
	}
}

// where returns the address: the office of the role, or the VPN from home.
func (p *person) where() uint32 {
	host := 10 + byte(mix(uint64(p.actor))%240)
	if p.atHome {
		return ip4(10, 99, byte(p.actor%4), host)
	}
	return ip4(10, 20, byte(p.role), host)
}

// work is one access of a person at work.
func (c *Company) work(p *person, t int64) {
	d := &p.dice
	it := c.personItem(p, t)
	how := d.below(1000)
	switch p.role {
	case analyst:
		c.analyse(p, it, how)
		return
	case agent, manager:
		it.endpoint = epCRMCustomer
		if how < 100 {
			it.endpoint, it.action = epCRMSearch, event.List
			c.slate.page(&it, d.between(2, 6), func() int32 { return p.choose(&c.customers) })
			c.slate.add(it)
			return
		}
		if how < 170 {
			it.endpoint, it.action = epCRMContact, event.Update
		} else if how < 320 {
			it.endpoint = epStatement
		}
	case clerk:
		it.endpoint = epCase
		if how < 250 {
			it.endpoint, it.action = epCRMContact, event.Update
		} else if how < 254 {
			it.endpoint, it.action = epErase, event.Delete
		}
	case engineer:
		it.endpoint = epDebug
	}
	it.rec = p.choose(&c.customers)
	c.slate.add(it)
}

// analyse is an analyst's access: a list of customers, or rarely an export of rows.
func (c *Company) analyse(p *person, it item, how int64) {
	if how < 8 {
		it.action, it.endpoint, it.rows = event.Export, epExport, p.dice.between(500, 5000)
		c.slate.add(it)
		return
	}
	it.action, it.endpoint = event.List, epQuery
	c.slate.page(&it, p.dice.between(5, 30), func() int32 { return p.choose(&c.customers) })
	c.slate.add(it)
}

// choose draws the next customer: from the pool, or one that joins it in the
// place of the oldest.
func (p *person) choose(all *customers) int32 {
	if !p.dice.chance(roles[p.role].novelty) {
		return p.pool[p.dice.below(int64(len(p.pool)))]
	}
	who := all.popular(&p.dice)
	p.pool[p.oldest] = who
	p.oldest = (p.oldest + 1) % len(p.pool)
	return who
}

// burstHour is an engineer's incident: forty customers an hour, at any hour of the day.
func (c *Company) burstHour(p *person) {
	from, to := max(p.burstFrom, c.slot), min(p.burstTo, c.slot+hour)
	if from >= to || !p.employed(from) {
		return
	}
	if p.burstFrom >= c.slot {
		c.incidents = append(c.incidents, happening{
			kind: "incident", start: p.burstFrom, end: p.burstTo, identities: accounts(p.name), note: "on call: forty customers an hour",
		})
	}
	if p.burstFrom >= c.slot && p.token == 0 {
		c.signIn(p, p.burstFrom)
	}
	const pace = 40_000
	for t := from + second + p.dice.gap(pace); t < to; t += p.dice.gap(pace) {
		c.work(p, t)
	}
}
