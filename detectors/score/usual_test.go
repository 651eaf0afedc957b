package score

import (
	"math"
	"math/rand/v2"
	"testing"
)

// reader is somebody who reads records, counted with sets.
type reader struct {
	state  State
	p      *Parameters
	last   map[int]int64 // bin in which a record was last read
	ev     Evidence
	counts Counts
}

func newReader() *reader { return &reader{p: Defaults(1, 8), last: map[int]int64{}} }

// touched returns how many distinct records were read from a bin on.
func (r *reader) touched(from int64) (n float64) {
	for _, bin := range r.last {
		if bin >= from {
			n++
		}
	}
	return n
}

// read reads records in a bin, and closes it.
func (r *reader) read(bin int64, records []int) {
	if len(records) == 0 {
		return
	}
	r.p.Bin = bin - 1
	hourly.Unions(&r.state, bin, r.touched)
	r.counts = Counts{}
	day := hourly.DayStart(bin)
	for _, x := range records {
		was, known := r.last[x]
		if known && was == bin {
			continue
		}
		r.counts[Distinct]++
		switch {
		case !known || was < bin-30*24:
			r.counts[FirstTouch]++
		case was >= day:
			r.counts[Again]++
		}
		r.last[x] = bin
	}
	hourly.Close(&r.state, 0, bin, &r.counts, r.p, &r.ev, nil)
}

// role says how somebody of a calm company reads.
type role struct {
	name     string
	from, to int64   // hours
	days     int64   // of the week at work, from Monday on
	rate     float64 // records an hour, in the mean
	own, all int     // records of one's own, of everybody
	share    float64 // of reads that go to one's own
	even     bool    // every day is like the other
}

var roles = []role{
	{"agent", 9, 17, 5, 8, 150, 100_000, 0.4, false},
	{"shift", 6, 22, 7, 5, 400, 100_000, 0.7, false},
	{"clerk", 8, 16, 5, 6, 30, 100_000, 1, true},
	{"service", 0, 24, 7, 30, 1, 4_000, 0, true},
}

// hour returns what somebody of a role reads in an hour on a day that is so busy.
func (o *role) hour(rng *rand.Rand, bin int64, who int, busy float64) (records []int) {
	hour, weekday := bin%24, (bin/24+3)%7
	if hour < o.from || hour >= o.to || weekday >= o.days {
		return nil
	}
	mean := o.rate * busy
	if !o.even {
		mean *= 0.5 + float64((hour*7)%11)/10 // the hours of a day differ
	}
	for range int(mean + rng.Float64()) {
		if rng.Float64() < o.share {
			records = append(records, 1_000_000*(who+1)+rng.IntN(o.own))
		} else {
			records = append(records, rng.IntN(o.all))
		}
	}
	return records
}

// Of those who do their usual, as much is observed as is expected: in an hour, a working
// day, three days and three weeks, of every role, in distinct records and first touches.
func TestExpectedIsObserved(t *testing.T) {
	for _, o := range roles {
		sum := map[string][2][2]float64{}
		for who := range 24 {
			expectedAndObserved(&o, who, func(name string, m int, expected, observed float64) {
				s := sum[name]
				s[m][0], s[m][1] = s[m][0]+expected, s[m][1]+observed
				sum[name] = s
			})
		}
		for _, name := range []string{"1 h", "8 h", "3 d", "21 d"} {
			for m, measure := range []string{"distinct", "first touches"} {
				s := sum[name][m]
				t.Logf("%-8s %-5s %-14s observed %8.0f, of expected %.3f", o.name, name, measure, s[1], s[1]/s[0])
				if s[1] > 2000 && math.Abs(s[1]/s[0]-1) > 0.05 {
					t.Errorf("%s, %s, %s: %.0f observed where %.0f are expected", o.name, name, measure, s[1], s[0])
				}
			}
		}
	}
}

// expectedAndObserved follows one reader for 90 days and tells of the four intervals that
// begin after 45 to 66.
func expectedAndObserved(o *role, who int, tell func(name string, m int, expected, observed float64)) {
	rng := rand.New(rand.NewPCG(7, uint64(who)))
	r := newReader()
	type trial struct {
		name     string
		from, to int64
		usual    Usual
		fresh    float64
	}
	var open []trial
	busy := 1.0
	for bin := monday; bin < monday+90*24; bin++ {
		if bin%24 == 0 {
			if busy = 1; !o.even {
				busy = (rng.ExpFloat64() + rng.ExpFloat64() + rng.ExpFloat64()) / 3
			}
		}
		day := (bin - monday) / 24
		if at := bin % 24; day >= 45 && day <= 66 && at == 9 && (bin/24+3)%7 < 5 {
			u := hourly.Usual(&r.state, 0, r.p)
			for name, bins := range map[string]int64{"1 h": 1, "8 h": 8, "3 d": 72, "21 d": 504} {
				open = append(open, trial{name, bin, bin + bins - 1, u, 0})
			}
		}
		r.counts = Counts{}
		r.read(bin, o.hour(rng, bin, who, busy))
		left := open[:0]
		for _, x := range open {
			x.fresh += r.counts[FirstTouch]
			if bin < x.to {
				left = append(left, x)
				continue
			}
			span := hourly.Span(&r.state, &x.usual, 0, r.p, x.from, bin, 1)
			tell(x.name, 0, span.Expected[DayDistinct], r.touched(x.from))
			tell(x.name, 1, span.Expected[DayFirst], x.fresh)
		}
		open = left
	}
}

// Where a few peers read thousands and the others nearly nothing, who has read five records
// on each of three days is expected to go on so, in an hour as in a day. Where peers are
// alike, and on the first day, it is what they read; and never more than that.
func TestUsualOfANewcomer(t *testing.T) {
	for _, c := range []struct {
		name                             string
		peers, spread, own               float64
		days                             int
		least, most, leastHour, mostHour float64
	}{
		{"few peers read thousands", 1000, 150, 5, 3, 4, 8, 0.5, 3},
		{"peers are alike", 40, 0.3, 5, 3, 20, 40, 1, 20},
		{"nothing is known of the newcomer", 1000, 150, 0, 0, 1000, 1000, 0, 1000},
		{"the newcomer reads much", 40, 2, 400, 3, 40, 40, 1, 40},
	} {
		p := Defaults(1, 8)
		class := &p.Dimensions[0].Classes[0]
		for i := range class.First {
			for m := range class.First[i].Mean {
				class.First[i].Mean[m], class.First[i].Spread[m] = c.peers, c.spread
			}
		}
		var s State
		s.days, s.bins = uint16(c.days), uint16(5*c.days)
		for m := range s.level[0] {
			s.level[0][m], s.pace[m] = float32(c.own), float32(c.own/5)
		}
		u := hourly.Usual(&s, 0, p)
		for _, n := range u.Level {
			if n := float64(n); n < c.least || n > c.most {
				t.Errorf("%s: %.1f are usual on a day, want %g to %g", c.name, n, c.least, c.most)
			}
		}
		hour := hourly.Span(&s, &u, 0, p, monday+10, monday+10, 1).Expected[DayDistinct]
		if hour < c.leastHour || hour > c.mostHour {
			t.Errorf("%s: %.1f are usual in an hour, want %g to %g", c.name, hour, c.leastHour, c.mostHour)
		}
	}
}

// Among as many records as were read so many are usually new as the own share says, and
// never more than were read.
func TestUsualAmongAsMany(t *testing.T) {
	s := &Span{Days: 2}
	s.Expected[DayDistinct], s.Expected[DayFirst] = 40, 10
	if mean, spread := hourly.Fresh(s, 100); mean != 25 || math.Abs(spread-math.Sqrt(100*0.25*0.75*140/41)) > 1e-9 {
		t.Errorf("%g ± %g of 100", mean, spread)
	}
	s.Expected[DayFirst] = 50
	if mean, spread := hourly.Fresh(s, 100); mean != 100 || spread != 0 {
		t.Errorf("%g ± %g of 100, where all are new", mean, spread)
	}
	if mean, _ := hourly.Fresh(&Span{}, 100); mean != 0 {
		t.Errorf("%g of 100, where nothing is usual", mean)
	}
}
