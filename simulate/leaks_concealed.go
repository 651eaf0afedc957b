package simulate

import (
	"github.com/weirhq/weir/event"
)

// floodClients is how many client names the flood of plantConcealed makes up.
const floodClients = 30

// plantConcealed forges tokens under a flood that is to hide them: clients that nobody
// knows read through tokens of their own that nobody issued either, and no key.
func plantConcealed(c *Company) {
	f := forgery{kind: "forged-key", key: keyMobile, family: clAndroid}
	f.rate = func(int64) int64 { return c.scaledRate(1500) }
	c.forgeTokens(f)
	c.keys = append(c.keys, "")
	noKey, first := int16(len(c.keys)-1), int16(len(c.clients))
	ids := map[string][]string{}
	for i := range floodClients {
		name := "reader-" + string([]byte{'a' + byte(i/6), 'k' + byte(i%6)})
		c.clients = append(c.clients, name)
		ids["client"] = append(ids["client"], event.Family(name))
	}
	t := c.newThief("flood", ids)
	c.extras = append(c.extras, func(c *Company) {
		c.each(&t.dice, 14_000*floodClients, c.slot, c.slot+hour, func(at int64) {
			who := t.prey(c)
			c.shopSteal(t.index, item{
				at: at, action: event.Read, actor: customerActors + who, subject: nobody, rec: who, token: c.take(), key: noKey,
				ip: ip4(91, 10, byte(t.dice.below(192)), 1+byte(t.dice.below(250))), client: first + int16(t.dice.below(floodClients)), endpoint: epProfile,
			})
		})
	})
}
