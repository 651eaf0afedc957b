package simulate

import (
	"github.com/weirhq/weir/event"
)

// dayShape is how many of a hundred customers a mean hour sees, by hour of day.
var dayShape = [24]int64{
	30, 18, 12, 10, 12, 22, 45, 75, 110, 125, 135, 140,
	150, 140, 130, 125, 120, 130, 150, 175, 185, 170, 120, 71,
}

// ringSize is how many long-lived mobile tokens are in use at scale 1.
const ringSize = 4096

// crowd is the customers who use the shop themselves: 9,000 sessions a day at
// scale 1, each with a token of its own. Three in five come by the mobile app,
// whose old signing key was never rotated: at scale 1 some 5,400 sessions a day
// stand behind it, which is where forged tokens hide.
type crowd struct {
	dice dice
	rate int64
	ring []longLived // of the mobile app
	web  []longLived // the newest of browsers
	turn int         // place of the next in web
}

// webRing is how many browsers' tokens are remembered at scale 1.
const webRing = 2048

// longLived is a token that is used again later. Those that the company starts
// with were issued before the log began.
type longLived struct {
	customer int32
	token    uint64
}

func (c *Company) newCrowd() crowd {
	w := crowd{dice: newDice(c.opt.Seed, 1), rate: c.scaledRate(9000.0 / 24), ring: make([]longLived, c.scaled(ringSize))}
	w.web = make([]longLived, c.scaled(webRing))
	for _, ring := range [...][]longLived{w.ring, w.web} {
		for i := range ring {
			ring[i] = longLived{c.customers.popular(&w.dice), c.take()}
		}
	}
	return w
}

// crowdHour lets customers sign in and read what is theirs.
func (c *Company) crowdHour() {
	w := &c.crowd
	rate := w.rate * dayShape[c.now.hourOfDay] / 100
	rate = mul(rate, (one+w.dice.frailty(12))/2)
	if c.now.weekend {
		rate = rate * 115 / 100
	}
	if c.now.campaign {
		rate *= 3
	}
	for t := c.slot + w.dice.gap(rate); t < c.slot+hour; t += w.dice.gap(rate) {
		if w.dice.chance(600) {
			c.mobileSession(t)
		} else {
			c.webSession(t)
		}
	}
}

// lost reports whether what goes through the shop's gateway in this hour does
// not happen. It is drawn all the same, so that the outage changes nothing else.
func (c *Company) lost() bool { return c.now.outage && !c.opt.Backlog }

// webSession is a login with the current web key and a few pages.
func (c *Company) webSession(t int64) {
	w := &c.crowd
	d := &w.dice
	s := longLived{c.customers.popular(d), c.take()}
	it := item{at: t, action: event.Login, subject: nobody, rec: noRecord, key: int16(c.now.webKey), client: client(clWeb, c.now.version), endpoint: epLogin}
	// Tokens of a key that was rotated out live on in browsers for a day.
	old := c.fading(t) && d.below(day) > t-c.now.rotated
	if old {
		s = w.web[d.below(int64(len(w.web)))]
		it.key--
	}
	it.actor, it.token, it.ip = customerActors+s.customer, s.token, homeAddress(s.customer)
	if !old {
		c.shopAdd(c.now.outage, it)
		if !c.lost() && !c.fading(t) {
			w.web[w.turn] = s
			w.turn = (w.turn + 1) % len(w.web)
		}
	}
	c.shopAdd(c.now.outage, c.readOwn(it, s.customer))
	if d.chance(150) {
		it.at += 20 * second
		c.shopAdd(c.now.outage, c.readOwn(it, s.customer))
	}
}

// fading reports whether the ring of browsers must keep the old key's tokens.
func (c *Company) fading(t int64) bool { return c.now.rotated > 0 && t-c.now.rotated < day }

// mobileSession uses a long-lived token, or has one issued first.
func (c *Company) mobileSession(t int64) {
	d := &c.crowd.dice
	slot := &c.crowd.ring[d.below(int64(len(c.crowd.ring)))]
	it := item{
		at: t, action: event.Issue, subject: nobody, rec: noRecord,
		key: keyMobile, client: c.mobileClient(t), endpoint: epToken,
	}
	s, fresh := *slot, d.chance(700)
	if fresh {
		s = longLived{c.customers.popular(d), c.take()}
		if !c.lost() {
			*slot = s
		}
	}
	who := s.customer
	it.token, it.actor = s.token, customerActors+who
	it.ip = homeAddress(who)
	if d.chance(500) {
		it.ip = carrierAddress(d)
	}
	if fresh {
		c.shopAdd(c.now.outage, it)
	}
	c.shopAdd(c.now.outage, c.readOwn(it, who))
	if d.chance(150) {
		it.at += 30 * second
		c.shopAdd(c.now.outage, c.readOwn(it, who))
	}
}

// readOwn returns the session's next read of the customer's own record.
func (c *Company) readOwn(it item, who int32) item {
	d := &c.crowd.dice
	it.at += d.between(second, 15*second)
	it.action, it.rec = event.Read, who
	switch p := d.below(100); {
	case p < 55:
		it.endpoint = epProfile
	case p < 94:
		it.endpoint = epOrders
	default:
		it.endpoint = epInvoice
	}
	return it
}

// mobileClient is an installed version: a release reaches everyone in a week.
func (c *Company) mobileClient(t int64) int16 {
	d := &c.crowd.dice
	family, version := clAndroid, c.now.version
	if d.chance(450) {
		family = clIOS
	}
	if c.now.released > 0 && d.below(7*day) > t-c.now.released {
		version--
	}
	return client(family, version)
}

// shopAdd adds what goes through the shop's gateway, which may be out.
func (c *Company) shopAdd(out bool, it item) {
	if !out || c.backlog(&it) {
		c.slate.add(it)
	}
}

// shopSteal takes an item of a leak that goes through the shop's gateway.
func (c *Company) shopSteal(leak int, it item) {
	if !c.now.outage || c.backlog(&it) {
		c.slate.steal(leak, it)
	}
}

// backlog reports whether an item of the outage reaches the log at all, and
// sets when: in the minutes after, accesses in five, from first to last, and
// facts two minutes later still, logins after the reads they stand behind.
func (c *Company) backlog(it *item) bool {
	o := c.calendar.outageAt(c.slot)
	it.due = o.end + max(0, it.at-o.start)*5*minute/(o.end-o.start+hour)
	if !it.action.Access() {
		it.due += 2 * minute
	}
	return !c.lost()
}

// homeAddress is where a customer lives: one of 3,072 /24 networks.
func homeAddress(who int32) uint32 {
	h := mix(uint64(who))
	return ip4(81+byte(h%3)*4, byte(h>>8%4), byte(h>>16), 1+byte(h>>24%250))
}

// carrierAddress is one of a mobile carrier's 32 shared networks.
func carrierAddress(d *dice) uint32 {
	return ip4(100, 64, byte(d.below(32)), 1+byte(d.below(250)))
}

func ip4(a, b, c, d byte) uint32 {
	return uint32(a)<<24 | uint32(b)<<16 | uint32(c)<<8 | uint32(d)
}
