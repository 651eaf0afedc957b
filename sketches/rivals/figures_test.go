package rivals

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

var (
	figures = flag.Bool("figures", false, "print the tables of docs/sketches.md")
	repeat  = flag.Int("repeat", 5, "runs of which the median is printed")
	only    = flag.String("profile", "", "only profiles whose name contains this")
	who     = flag.String("design", "", "only designs whose name contains this")
)

// Every counter tells the truth, as far as it can: that rivals are not used
// wrongly is what the tables rest on.
func TestCountersCount(t *testing.T) {
	for _, p := range profiles[:4] {
		events, now := p.draw(rand.New(rand.NewPCG(3, 3)))
		want := truth(&p, events, now, lasting...)
		for _, d := range designs {
			c, other := d.new(), d.new()
			for i, e := range events {
				if i%2 == 0 || !strings.Contains(d.name, "ring") {
					c.insert(e.hash, e.minute)
				} else {
					other.insert(e.hash, e.minute)
				}
			}
			c.merge(other)
			got := make([]float64, len(lasting))
			c.counts(now, lasting, false, got)
			for k, w := range lasting {
				// A ring counts at least the window, and at most a bucket more.
				low, high := want[k], want[k]
				if strings.Contains(d.name, "ring") {
					from := now + 1 - w
					for level, width := range widths {
						if level == 2 || w <= widths[level+1] {
							from -= from % width
							break
						}
					}
					high = truth(&p, events, now, now+1-from)[0]
				}
				far := 0.1 // three standard errors of the coarsest
				if strings.Contains(d.name, "map") {
					far = 0
				}
				if got[k] < low*(1-far)-0.5 || got[k] > high*(1+far)+0.5 {
					t.Errorf("%s, %s, %d minutes: %.1f, truth %.0f, with the bucket %.0f", p.name, d.name, w, got[k], low, high)
				}
			}
		}
	}
}

// TestFigures prints, for each profile, what each counter costs and how far off
// it is. Times are CPU time, the collector's included.
func TestFigures(t *testing.T) {
	if !*figures {
		t.Skip("prints tables; asked for by -figures (make bench-sketches)")
	}
	for _, p := range profiles {
		if !strings.Contains(p.name, *only) {
			continue
		}
		events, now := p.draw(rand.New(rand.NewPCG(7, 7)))
		want := truth(&p, events, now, lasting...)
		fmt.Printf("\n%s: %d events; in 15 m, 1 h, 6 h, 24 h, 7 d, 30 d: %.0f records\n\n", p.name, len(events), want)
		fmt.Println("| | insert | merge of halves | six windows | memory | serialised | rms error 15 m | 1 h | 6 h | 24 h | 7 d | 30 d |")
		fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|")
		for _, d := range designs {
			if !strings.Contains(d.name, *who) {
				continue
			}
			f := measure(&p, &d, events, now)
			fmt.Printf("| %s | %.0f ns | %.1f µs | %.2f µs | %.0f B | %d B |", d.name, f.insert, f.merge/1e3, f.query/1e3, f.memory, f.form)
			for _, e := range errors(&p, &d) {
				fmt.Printf(" %.1f %% |", 100*e)
			}
			fmt.Println()
		}
	}
}

type costs struct {
	insert, merge, query float64 // CPU ns
	memory               float64 // bytes
	form                 int
}

func measure(p *profile, d *design, events []event, now uint32) (f costs) {
	lives := max(1, 100_000/len(events))
	var insert, merge, query []float64
	runs := *repeat
	if len(events) > 1_000_000 {
		runs = min(runs, 2)
	}
	for range runs {
		var c counter
		insert = append(insert, cpu(func() {
			for range lives {
				c = d.new()
				for _, e := range events {
					c.insert(e.hash, e.minute)
				}
			}
		})/float64(lives*len(events)))
		f.form = c.form()
		asks, out := 20+500_000/len(events), make([]float64, len(lasting))
		query = append(query, cpu(func() {
			for range asks {
				c.counts(now, lasting, false, out)
			}
		})/float64(asks))
		const merges = 10
		var into [merges]counter
		half := d.new()
		for k := range into {
			into[k] = d.new()
			for i, e := range events {
				if i%2 == 0 {
					into[k].insert(e.hash, e.minute)
				} else if k == 0 {
					half.insert(e.hash, e.minute)
				}
			}
			if len(events) > 1_000_000 {
				merge = append(merge, cpu(func() { into[k].merge(half) }))
				break
			}
		}
		if len(events) <= 1_000_000 {
			merge = append(merge, cpu(func() {
				for _, c := range into {
					c.merge(half)
				}
			})/merges)
		}
	}
	f.insert, f.merge, f.query = median(insert), median(merge), median(query)
	f.memory = heap(p.copies, func() any {
		c := d.new()
		for _, e := range events {
			c.insert(e.hash, e.minute)
		}
		return c
	})
	return f
}

// errors returns the root mean square error of each window, as a share of the
// truth: with the oldest bucket interpolated or counted whole, whichever is
// better.
func errors(p *profile, d *design) []float64 {
	var square [2][]float64
	square[0], square[1] = make([]float64, len(lasting)), make([]float64, len(lasting))
	trials := make([]float64, len(lasting))
	for k := range p.trials {
		events, now := p.draw(rand.New(rand.NewPCG(uint64(k), 11)))
		want := truth(p, events, now, lasting...)
		c := d.new()
		for _, e := range events {
			c.insert(e.hash, e.minute)
		}
		for way, interpolate := range []bool{false, true} {
			got := make([]float64, len(lasting))
			c.counts(now, lasting, interpolate, got)
			for i := range lasting {
				if want[i] > 0 {
					square[way][i] += (got[i]/want[i] - 1) * (got[i]/want[i] - 1)
					trials[i] += 0.5 // each trial comes twice
				}
			}
		}
		if _, ok := c.(exact); ok {
			break // it has none
		}
	}
	out := make([]float64, len(lasting))
	for i := range out {
		out[i] = math.Sqrt(min(square[0][i], square[1][i]) / max(trials[i], 1))
	}
	return out
}

// cpu returns the CPU time in nanoseconds that f takes.
func cpu(f func()) float64 {
	used := func() float64 {
		var u syscall.Rusage
		if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
			return 0
		}
		return float64(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	f()
	return used() - before
}

// heap returns the bytes of live heap that each of n values takes.
func heap(n int, build func() any) float64 {
	var before, after runtime.MemStats
	all := make([]any, n)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range all {
		all[i] = build()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(all)
	return float64(after.HeapAlloc-before.HeapAlloc) / float64(n)
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
