package correlate

import (
	"fmt"
	"testing"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/stream"
)

// Somebody who forges tokens through 10,000 clients that he makes up, some in each tick of
// an hour, gets no 10,000 pages out of weir, in which nobody would find the one that
// matters. Each client is named all the same, and the key, for which the same fact holds
// but which weighs more, is told of in its own tick.
func TestFloodOfFactsIsFewMessages(t *testing.T) {
	d := newDesk(t)
	d.next(nil, nil, nil)
	const names, ticks = 10_000, 12
	named, messages, key := map[string]bool{}, 0, 0
	work := func(facts []stream.FactCandidate) {
		found := d.next(nil, facts, nil)
		messages += len(found.Alerts)
		for i := range found.Alerts {
			a := &found.Alerts[i]
			named[a.Identity] = true
			if a.Dimension == "key" && a.Identity == "mobile-k1" && key == 0 {
				key = messages
			}
			if a.Members != nil {
				for _, m := range a.Members.Named() {
					named[m.Identity] = true
					if m.Identity == "mobile-k1" && key == 0 {
						key = messages
					}
				}
			}
		}
	}
	for tick := range ticks {
		var facts []stream.FactCandidate
		for i := tick * names / ticks; i < (tick+1)*names/ticks; i++ {
			facts = append(facts, factOf(dimension(t, "client"), fmt.Sprint("made-up-", i), fact.UnissuedToken, 14))
		}
		if tick == 3 {
			facts = append(facts, factOf(dimension(t, "key"), "mobile-k1", fact.UnissuedToken, 900))
		}
		work(facts)
		if tick == 3 && !named["mobile-k1"] {
			t.Error("the key is not told of in its tick")
		}
	}
	for range 2 * ticks {
		work(nil)
	}
	if messages > 100 {
		t.Errorf("%d messages", messages)
	}
	missing := 0
	for i := range names {
		if !named[fmt.Sprint("made-up-", i)] {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d clients are named by no message", missing, names)
	}
	t.Logf("%d messages, the key in number %d", messages, key)
}
