package simulate

import (
	"github.com/weirhq/weir/event"
)

// serviceKinds are the company's fifteen services: steady ones that read a
// customer a call, a nightly batch that walks round all customers, a weekly
// report that logs a row count only, and an indexer that re-reads what is new.
var serviceKinds = [...]struct {
	name     string
	rate     float64 // calls an hour at scale 1; 0: it has a timetable
	follows  bool    // follows the customers' day
	endpoint int
}{
	{"order-api", 70, true, epInternal},
	{"payment-api", 50, true, epInternal},
	{"delivery-api", 45, true, epInternalAddress},
	{"notify", 40, true, epInternalAddress},
	{"recommend", 35, true, epInternal},
	{"fraud-check", 30, true, epInternal},
	{"loyalty", 20, true, epInternal},
	{"support-bot", 20, true, epInternal},
	{"invoicing", 15, false, epInternalAddress},
	{"returns", 12, true, epInternalAddress},
	{"mailing", 10, false, epInternalAddress},
	{"tax", 5, false, epInternal},
	{"search-index", 8, false, epSync},
	{"nightly-sync", 0, false, epSync},
	{"weekly-report", 0, false, epReport},
}

const (
	svcIndex  = 12
	svcBatch  = 13
	svcReport = 14
)

// The nightly batch reads syncCalls pages of syncPage customers: a twentieth of all at scale 1.
const (
	syncPage  = 40
	syncCalls = 250
)

// service is one running service.
type service struct {
	kind    int
	actor   int32
	dice    dice
	token   uint64 // its current token; a new one is issued each day
	rate    int64
	walk    int64 // where the batch is on its way round
	retryAt int64 // when a batch that broke off runs again
}

func (c *Company) startServices() {
	for i, k := range serviceKinds {
		s := service{kind: i, actor: c.name("svc-" + k.name), dice: newDice(c.opt.Seed, 100+uint64(i)), token: c.take()}
		if k.rate > 0 {
			s.rate = c.scaledRate(k.rate)
		}
		c.services = append(c.services, s)
	}
}

// servicesHour runs every service for the hour.
func (c *Company) servicesHour() {
	for i := range c.services {
		s := &c.services[i]
		if c.now.hourOfDay == i%6 {
			s.token = c.take()
			it := c.serviceItem(s, c.slot+int64(i)*minute)
			it.action, it.endpoint = event.Issue, epToken
			c.slate.add(it)
		}
		switch s.kind {
		case svcBatch:
			c.batchHour(s)
		case svcReport:
			c.reportHour(s)
		case svcIndex:
			c.indexHour(s)
		default:
			c.steadyHour(s)
		}
	}
}

// serviceItem returns a call of the service at t, with nothing read yet.
func (c *Company) serviceItem(s *service, t int64) item {
	version := c.now.version
	if c.now.released > 0 && t-c.now.released < int64(s.kind)*minute {
		version-- // one is deployed after the other
	}
	return item{
		at: t, action: event.Read, actor: s.actor, subject: nobody, rec: noRecord, token: s.token, key: keyService,
		ip: ip4(10, 10, byte(s.kind), 2+byte(mix(uint64(t))%6)), client: client(clServices+s.kind, version), endpoint: int16(serviceKinds[s.kind].endpoint),
	}
}

// steadyHour reads customers as the shop's traffic brings them.
func (c *Company) steadyHour(s *service) {
	rate := s.rate
	follows := serviceKinds[s.kind].follows
	if follows {
		rate = rate * dayShape[c.now.hourOfDay] / 100
		if c.now.campaign {
			rate *= 3
		}
	}
	rate = mul(rate, (one+s.dice.frailty(12))/2)
	for t := c.slot + s.dice.gap(rate); t < c.slot+hour; t += s.dice.gap(rate) {
		it := c.serviceItem(s, t)
		it.rec = c.customers.popular(&s.dice)
		c.shopAdd(follows && c.now.outage, it)
	}
}

// indexHour lists a page of customers now and then.
func (c *Company) indexHour(s *service) {
	for t := c.slot + s.dice.gap(s.rate); t < c.slot+hour; t += s.dice.gap(s.rate) {
		it := c.serviceItem(s, t)
		it.action = event.List
		c.slate.page(&it, 10, func() int32 { return c.customers.popular(&s.dice) })
		c.slate.add(it)
	}
}

// batchHour walks on round the customers at one o'clock each night. One night
// in fifteen it breaks off and runs again at five from where it began.
func (c *Company) batchHour(s *service) {
	calls := int64(c.scaled(syncCalls))
	switch {
	case c.now.hourOfDay == 1:
		begin := s.walk
		if s.dice.chance(67) {
			c.syncRun(s, calls*6/10)
			s.walk, s.retryAt = begin, c.slot+4*hour
			return
		}
		c.syncRun(s, calls)
	case s.retryAt == c.slot && s.retryAt > 0:
		c.syncRun(s, calls)
	}
}

func (c *Company) syncRun(s *service, calls int64) {
	step := 50 * minute / calls
	for i := range calls {
		it := c.serviceItem(s, c.slot+2*minute+i*step)
		it.action = event.List
		c.slate.page(&it, syncPage, func() int32 {
			s.walk++
			return int32(s.walk % c.customers.n)
		})
		c.slate.add(it)
	}
}

// reportHour writes the report of all customers on Monday at six: three calls, row counts only.
func (c *Company) reportHour(s *service) {
	if c.now.hourOfDay != 6 || weekday(c.slot) != 0 {
		return
	}
	for i := range int64(3) {
		it := c.serviceItem(s, c.slot+i*10*minute)
		it.action = event.Export
		it.rows = c.customers.n/3 + s.dice.below(100)
		c.slate.add(it)
	}
}
