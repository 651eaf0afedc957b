package score

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"sort"
	"testing"
	"time"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fleet"
)

// bankLog is a real log, counted: the people of a bank at work, hour by hour.
type bankLog struct {
	first, last int64
	names       []string
	counts      map[string]map[int64]fleet.Counts // looked up only, never ranged over in the play
}

// readBank counts the bank's log (BPI Challenge 2012, native events) named by
// WEIR_BPI2012; without it the test is skipped.
func readBank(t *testing.T) *bankLog {
	path := os.Getenv("WEIR_BPI2012")
	if path == "" {
		t.Skip("WEIR_BPI2012 does not name the bank's log")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	log := &bankLog{counts: map[string]map[int64]fleet.Counts{}}
	known, now := map[[2]string]bool{}, map[[2]string]int64{}
	lines := bufio.NewScanner(z)
	for lines.Scan() {
		var ev struct {
			Time    time.Time
			Actor   string
			Records []string
		}
		if err := json.Unmarshal(lines.Bytes(), &ev); err != nil {
			t.Fatal(err)
		}
		bin := ev.Time.UnixMilli() / 3_600_000
		if log.first == 0 {
			log.first = bin
		}
		log.last = bin
		if log.counts[ev.Actor] == nil {
			log.counts[ev.Actor] = map[int64]fleet.Counts{}
			log.names = append(log.names, ev.Actor)
		}
		c := log.counts[ev.Actor][bin]
		for _, r := range ev.Records {
			pair := [2]string{ev.Actor, r}
			if now[pair] == bin+1 {
				continue
			}
			now[pair] = bin + 1
			c[fleet.Distinct]++
			if !known[pair] {
				known[pair] = true
				c[fleet.FirstTouch]++
			}
		}
		log.counts[ev.Actor][bin] = c
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	sort.Strings(log.names)
	return log
}

// play runs the engine over the log. From leakFrom on, in the hours in which
// the thief works, it touches more records, unread ones: factor times its usual.
// It returns the bins of all openings, by identity.
func (l *bankLog) play(thief string, leakFrom int64, factor float64, seed uint64) map[string][]int64 {
	loc, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		loc = time.UTC
	}
	e := NewEngine(Config{Dimensions: []string{"user"}, Budget: 2, Location: loc})
	crew, p := e.NewFleet(), e.DefaultParameters()
	states := make([]State, len(l.names))
	opened := map[string][]int64{}
	var episodes episode.Episodes
	rng := rand.New(rand.NewPCG(seed, 1))
	usual := l.activeMean(thief, leakFrom)
	for bin := l.first; bin <= l.last; bin++ {
		var sums fleet.Sums
		for i, name := range l.names {
			c := l.counts[name][bin]
			if name == thief && bin >= leakFrom && bin < leakFrom+7*24 && c[fleet.Distinct] > 0 {
				extra := poisson(rng, usual*(factor-1))
				c[fleet.Distinct] += extra
				c[fleet.FirstTouch] += extra
			}
			if c[fleet.Distinct] == 0 && !e.Hot(&states[i], 0, p) {
				continue
			}
			ev := e.Close(&states[i], 0, bin, c, p, &sums)
			if episodes.Judge(episode.Observation{Dimension: "user", Identity: name, Tick: e.BinStart(bin + 1), Log: ev.Log, Threshold: p.Threshold(0)}).Action == episode.Open {
				opened[name] = append(opened[name], bin)
			}
		}
		episodes.Expire(e.BinStart(bin + 1))
		p = e.CloseBin(crew, bin, &sums)
	}
	return opened
}

// activeMean is the identity's mean of distinct records in its active hours.
func (l *bankLog) activeMean(name string, before int64) float64 {
	sum, n := 0.0, 0.0
	for bin := l.first; bin < before; bin++ {
		if c := l.counts[name][bin]; c[fleet.Distinct] > 0 {
			sum += c[fleet.Distinct]
			n++
		}
	}
	return sum / max(n, 1)
}

// TestBank reports what the engine does on a real log: alerts on the log as it
// is, all of them false, and the share of injected leaks that open an episode
// within a week, beside the share that the untouched log would open by chance.
func TestBank(t *testing.T) {
	log := readBank(t)
	days := float64(log.last-log.first+1) / 24
	calm := log.play("", 0, 1, 0)
	total, week1 := 0, 0
	for _, name := range log.names {
		for _, bin := range calm[name] {
			total++
			if bin < log.first+7*24 {
				week1++
			}
		}
	}
	t.Logf("as it is: %d openings in %.0f days (%.2f a day; budget 2), %d in the first week; %.1f per actor-year",
		total, days, float64(total)/days, week1, float64(total)/days*365/float64(len(log.names)))
	if float64(total)/days > 2*1.5 {
		t.Errorf("more than one and a half times the budget")
	}
	leakFrom := log.first + 110*24
	for _, factor := range []float64{2, 3, 5} {
		caught, chance, tried, delay := 0, 0, 0, 0.0
		for i, name := range log.names {
			active := 0
			for bin := leakFrom; bin < leakFrom+7*24; bin++ {
				if log.counts[name][bin][fleet.Distinct] > 0 {
					active++
				}
			}
			if active < 10 || i%2 > 0 {
				continue
			}
			tried++
			in := func(bins []int64) int64 {
				for _, b := range bins {
					if b >= leakFrom && b < leakFrom+7*24 {
						return b
					}
				}
				return -1
			}
			if in(calm[name]) >= 0 {
				chance++
			}
			if at := in(log.play(name, leakFrom, factor, uint64(i))[name]); at >= 0 {
				caught++
				delay += float64(at - leakFrom)
			}
		}
		t.Logf("%g times each active hour's mean: %d of %d caught within a week, after %.0f h; by chance %d",
			factor, caught, tried, math.Round(delay/max(float64(caught), 1)), chance)
	}
}
