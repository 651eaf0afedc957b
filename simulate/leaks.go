package simulate

import (
	"github.com/weirhq/weir/event"
)

// thief takes customers one after the other, none twice until all are gone.
type thief struct {
	*leak
	dice dice
	walk int64
}

// newThief plants a leak with dice of its own.
func (c *Company) newThief(kind string, identities map[string][]string) *thief {
	t := &thief{leak: c.newLeak(kind, identities), dice: newDice(c.opt.Seed, 1<<32+uint64(len(c.leaks)))}
	t.walk = t.dice.below(c.customers.n)
	return t
}

// prey returns the next customer.
func (t *thief) prey(c *Company) int32 {
	t.walk++
	return c.customers.ranked(t.walk)
}

// each calls take at the instants of a Poisson process of the given rate
// (thousandths an hour) in the part of [from, to) that lies in the hour being
// made and after the leak's start.
func (c *Company) each(d *dice, rate, from, to int64, take func(at int64)) {
	from, to = max(from, c.slot, c.leakFrom), min(to, c.slot+hour)
	rate = mul(rate, c.leakMul)
	for at := from + d.gap(rate); at < to; at += d.gap(rate) {
		take(at)
	}
}

// plantForgedKey forges tokens of the mobile key, which was never rotated. The
// rate follows the size of the company, as does the flow it hides in.
func plantForgedKey(c *Company) {
	probing := min(2*day, (c.end-c.leakFrom)/5)
	f := forgery{kind: "forged-key", key: keyMobile, family: clAndroid}
	f.rate = func(at int64) int64 {
		if at < c.leakFrom+probing {
			return c.scaledRate(6)
		}
		return c.scaledRate(250) * dayShape[c.now.hourOfDay] / 100
	}
	c.forgeTokens(f)
}

// forgery is how tokens are forged: of which key, by what client.
type forgery struct {
	kind   string
	key    int16
	family int
	rate   func(at int64) int64
}

// forgeTokens reads one customer a token, with tokens that nobody issued, from
// addresses that change.
func (c *Company) forgeTokens(f forgery) {
	forged := client(f.family, 0) // the version of the days when the thief still worked here
	t := c.newThief(f.kind, map[string][]string{
		"key":      {c.keys[f.key]},
		"client":   {event.Family(c.clients[forged])},
		"endpoint": {endpoints[epProfile].pattern()},
	})
	var network int64
	c.extras = append(c.extras, func(c *Company) {
		c.each(&t.dice, f.rate(c.slot), c.slot, c.slot+hour, func(at int64) {
			if t.dice.chance(70) {
				network = t.dice.below(192)
			}
			who := t.prey(c)
			c.shopSteal(t.index, item{
				at: at, action: event.Read, actor: customerActors + who, subject: nobody, rec: who, token: c.take(), key: f.key,
				ip: ip4(45, 80, byte(network), 1+byte(t.dice.below(250))), client: forged, endpoint: epProfile,
			})
		})
	})
}

// plantScrape counts up the number in the invoice's path.
func plantScrape(c *Company) {
	d := newDice(c.opt.Seed, 2<<32)
	accounts := [3]int32{c.customers.any(&d), c.customers.any(&d), c.customers.any(&d)}
	ids := map[string][]string{"endpoint": {endpoints[epInvoice].pattern()}}
	for i, a := range accounts {
		ids["user"] = append(ids["user"], c.customers.account(a))
		ids["network"] = append(ids["network"], networkOf(scrapeAddress(i)))
	}
	t := c.newThief("scrape", ids)
	var token [3]uint64
	c.extras = append(c.extras, func(c *Company) {
		c.each(&t.dice, 240_000, c.slot, c.slot+hour, func(at int64) {
			i := int(t.dice.below(3))
			it := item{
				at: at, action: event.Login, actor: customerActors + accounts[i], subject: nobody, rec: noRecord, token: token[i],
				key: int16(c.now.webKey), ip: scrapeAddress(i), client: client(clWeb, c.now.version), endpoint: epLogin,
			}
			if it.token == 0 || t.dice.chance(5) {
				token[i] = c.take()
				it.token = token[i]
				c.shopSteal(t.index, it)
				it.at += second
			}
			t.walk++
			it.action, it.endpoint, it.rec = event.Read, epInvoice, int32(t.walk%c.customers.n)
			c.shopSteal(t.index, it)
		})
	})
}

func scrapeAddress(i int) uint32 { return ip4(185, 220, 10+byte(i)*7, 33) }

// networkOf returns the /24 of an address, as weir writes it.
func networkOf(ip uint32) string {
	return string(appendIP(nil, ip&^255)) + "/24"
}

// plantDemo is a leak that shows within minutes, and a second of another kind.
func plantDemo(c *Company) {
	f := forgery{kind: "forged-key", key: keyMobile, family: clAndroid}
	f.rate = func(int64) int64 { return c.scaledRate(1500) }
	c.forgeTokens(f)
	c.overwork("greedy-agent", agent, c.leakFrom+170*minute, func(*person) int64 { return 66_000 })
}
