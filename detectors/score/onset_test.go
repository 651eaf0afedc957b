package score

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// theft is a kind of leak: what is read beside one's usual in an hour with work.
type theft struct {
	name  string
	times float64 // of one's usual, added
	night bool    // at night
	own   bool    // of one's own records, read again
	once  int     // records in the first hour, and nothing after
	least int     // percent of the intervals that must have the truth
}

var thefts = []theft{
	{name: "half as much again", times: 0.5, least: 65},
	{name: "twice", times: 1, least: 75},
	{name: "three times", times: 2, least: 80},
	{name: "ten times", times: 9, least: 90},
	{name: "three times, of one's own", times: 2, own: true, least: 80},
	{name: "a dump of 300", once: 300, least: 90},
	{name: "at night", times: 1, night: true, least: 60},
}

// onsetTrial lets somebody steal after eight weeks, and returns what was said of the
// onset when the evidence was enough for the first time; false if it was not within
// three weeks. The truth is the bin of the first stolen record.
func onsetTrial(k *theft, seed uint64) (said Onset, truth int64, found bool) {
	o := roles[0]
	rng := rand.New(rand.NewPCG(11, seed))
	r := newReader()
	busy := 1.0
	start := monday + 56*24 + int64(rng.IntN(5))*24 + o.from + int64(rng.IntN(8))
	for bin := monday; bin < start+21*24; bin++ {
		if bin%24 == 0 {
			busy = (rng.ExpFloat64() + rng.ExpFloat64() + rng.ExpFloat64()) / 3
		}
		records := o.hour(rng, bin, 0, busy)
		if n := k.stolen(&o, rng, bin, start); n > 0 {
			if truth == 0 {
				truth = bin
			}
			for range n {
				x := rng.IntN(o.all)
				if k.own {
					x = 1_000_000 + rng.IntN(o.own)
				}
				records = append(records, x)
			}
		}
		r.read(bin, records)
		if truth != 0 && len(records) > 0 && r.ev.Log >= r.ev.Threshold {
			u := hourly.Usual(&r.state, 0, r.p)
			return hourly.Onset(&r.state, &u, 0, r.p, 0, bin, &r.counts, &r.ev), truth, true
		}
	}
	return said, truth, false
}

// stolen returns how many records are stolen in a bin.
func (k *theft) stolen(o *role, rng *rand.Rand, bin, start int64) int {
	hour, weekday := bin%24, (bin/24+3)%7
	switch {
	case bin < start || weekday >= o.days:
		return 0
	case k.once > 0:
		if bin == start {
			return k.once
		}
		return 0
	case k.night != (hour < o.from-3 || hour >= o.to+3):
		return 0
	case !k.night && (hour < o.from || hour >= o.to):
		return 0
	}
	return int(o.rate*k.times + rng.Float64())
}

// The onset is told with an interval that has it. WEIR_LAB=1 prints docs/detection.md's
// table.
func TestOnset(t *testing.T) {
	trials := 25
	if os.Getenv("WEIR_LAB") != "" {
		trials = 400
	}
	table := "\n| leak | found | median error, h | in the 90 % interval | median width, h |\n|---|---|---|---|---|\n"
	for _, k := range thefts {
		var errors, widths []int64
		inside := 0
		for i := range trials {
			said, truth, found := onsetTrial(&k, uint64(i))
			if !found {
				continue
			}
			errors, widths = append(errors, max(said.Bin-truth, truth-said.Bin)), append(widths, said.High-said.Low+1)
			if said.Low <= truth && truth <= said.High {
				inside++
			}
		}
		if len(errors) == 0 {
			table += fmt.Sprintf("| %s | 0 %% | | | |\n", k.name)
			continue
		}
		slices.Sort(errors)
		slices.Sort(widths)
		n := len(errors)
		table += fmt.Sprintf("| %s | %d %% | %d | %d %% | %d |\n", k.name, 100*n/trials, errors[n/2], 100*inside/n, widths[n/2])
		if inside*100/n < k.least {
			t.Errorf("%s: median error of %d hours, %d %% in the interval", k.name, errors[n/2], inside*100/n)
		}
	}
	t.Log(strings.TrimSuffix(table, "\n"))
}
