package local_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
)

// varied makes of some reads updates, deletes and exports of rows, so that all
// measures are counted.
func varied(events []event.Event) []event.Event {
	for i := range events {
		ev := &events[i]
		if !ev.Action.Access() {
			continue
		}
		switch {
		case i%17 == 0:
			ev.Action = event.Delete
		case i%13 == 0:
			ev.Action = event.Update
		case i%97 == 0:
			ev.Action, ev.Rows, ev.ID = event.Export, int64(i%1000), fmt.Sprint("export-", i)
		}
	}
	return events
}

// told returns all that detect tasks have told, whatever the partition: each
// candidate with its traits, in order, and the sums by trait of each bin.
func (m *mesh) sent() (out []string) {
	sums := map[int64]*campaign.TraitSums{}
	for _, rec := range m.evidence {
		r, err := stream.DecodeEvidenceReport(rec.value)
		if err != nil {
			m.t.Fatal(err)
		}
		for i := range r.Candidates {
			c := &r.Candidates[i]
			b, err := json.Marshal(c)
			if err != nil {
				m.t.Fatal(err)
			}
			out = append(out, fmt.Sprintf("%012d %d %q %s", c.Tick, c.Dimension, c.Identity, b))
		}
		for _, b := range r.Bins {
			if len(b.Traits) == 0 {
				continue
			}
			s, err := campaign.DecodeTraitSums(b.Traits)
			if err != nil {
				m.t.Fatal(err)
			}
			if sums[b.Bin] == nil {
				sums[b.Bin] = &campaign.TraitSums{}
			}
			sums[b.Bin].Merge(s)
		}
	}
	for bin, s := range sums {
		out = append(out, fmt.Sprintf("sums of %d: %x", bin, s.AppendBinary(nil)))
	}
	slices.Sort(out)
	return out
}

// What detect tells, below the threshold and above, with its context, is a
// function of the events too: it does not hide behind the few alerts.
func TestEvidenceIsOrderFree(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	events := varied(traffic(t, simulate.Options{Scenario: "greedy-agent", Seed: 6, Days: 3, Scale: 0.05}))
	calm := newMesh(t, l, 1, 1, 1, false)
	calm.spread(events)
	calm.run()
	want := calm.sent()
	candidates := 0
	for _, rec := range want {
		if rec[0] == '0' {
			candidates++
		}
	}
	if candidates < 10 {
		t.Fatalf("%d candidates: too few to tell anything", candidates)
	}
	for seed := range seeds() {
		dice := rand.New(rand.NewPCG(seed, 5))
		m := newMesh(t, l, seed+2, 1+dice.IntN(4), 2+dice.IntN(3), seed%2 == 0)
		m.spread(events)
		m.run()
		compare(t, fmt.Sprintf("seed %d, %d kills", seed, m.killed), m.sent(), want)
	}
}
