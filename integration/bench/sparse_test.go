package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/simulate"
)

// The sparse load: some 19 events a second, five million in three days, of many actors
// and networks that do little each.
const (
	sparseEvery     = 3 * 24 * time.Hour / 5_000_000
	sparseActors    = 100_000
	sparseNetworks  = 20_000
	sparseCustomers = 5_000_000
	sparseOwn       = 300 // customers that an actor knows
	sparseSkew      = 1.05
)

// sparse makes the sparse load. It never ends.
type sparse struct {
	dice     *rand.Rand
	actors   *rand.Zipf
	networks int
	every    time.Duration
	at       time.Duration // since the start
}

func newSparse(seed uint64) *sparse {
	dice := rand.New(rand.NewPCG(seed, 0x5ba25e))
	return &sparse{dice: dice, every: sparseEvery, actors: rand.NewZipf(dice, sparseSkew, 1, sparseActors-1), networks: sparseNetworks}
}

// Next makes the next event.
func (s *sparse) Next(ev *event.Event) bool {
	actor := int(s.actors.Uint64())
	network := actor * 7919 % s.networks // where the actor mostly is
	if s.dice.IntN(10) == 0 {
		network = s.dice.IntN(s.networks)
	}
	key := 0 // each key is used less than the one before
	for key < 7 && s.dice.IntN(4) > 0 {
		key++
	}
	*ev = event.Event{
		Time: simulate.DefaultStart.Add(s.at).UnixMilli(), Action: event.Read,
		Actor: fmt.Sprint("u", actor), KeyID: fmt.Sprint("key-", key),
		IP:     fmt.Sprintf("10.%d.%d.%d", network>>8, network&255, 1+s.dice.IntN(254)),
		Client: fmt.Sprintf("app-%c/2.%d", 'a'+actor%5, actor%3), Endpoint: fmt.Sprintf("/v1/customers/view-%d", actor%9),
	}
	n := 1
	for n < 5 && s.dice.IntN(3) == 0 {
		n++
	}
	for range n {
		customer := s.dice.IntN(sparseCustomers)
		if s.dice.IntN(2) == 0 {
			customer = (actor*104_729 + s.dice.IntN(sparseOwn)*15_331) % sparseCustomers
		}
		ev.Records = append(ev.Records, strconv.Itoa(customer))
	}
	s.at += s.every
	return true
}

// The sparse load is what it says: the same for a seed, one record and a half an
// event, a tenth of the events of one actor, and so many actors that five events make
// two pairs of actor and tick.
func TestSparse(t *testing.T) {
	const events = 200_000
	a, b := newSparse(1), newSparse(1)
	actors, pairs := map[string]int{}, map[string]bool{}
	records, first, last := 0, int64(0), int64(0)
	for i := range events {
		var x, y event.Event
		if a.Next(&x); !b.Next(&y) || x.Actor != y.Actor || x.Time != y.Time || len(x.Records) != len(y.Records) {
			t.Fatalf("event %d is %+v, and then %+v", i, x, y)
		}
		if first == 0 {
			first = x.Time
		}
		last = x.Time
		actors[x.Actor]++
		pairs[x.Actor+" "+strconv.FormatInt(x.Time/300_000, 10)] = true
		records += len(x.Records)
	}
	if per := float64(records) / events; per < 1.4 || per > 1.6 {
		t.Errorf("%.2f records an event", per)
	}
	if top := float64(actors["u0"]) / events; top < 0.05 || top > 0.15 {
		t.Errorf("the first actor has %.3f of the events", top)
	}
	if share := float64(len(pairs)) / events; share < 0.35 || share > 0.45 {
		t.Errorf("an event makes %.2f pairs of actor and tick", share)
	}
	if span := time.Duration(last-first) * time.Millisecond; span < 172*time.Minute || span > 174*time.Minute {
		t.Errorf("%d events take %v", events, span)
	}
	if len(actors) < 20_000 {
		t.Errorf("%d actors", len(actors))
	}
}
