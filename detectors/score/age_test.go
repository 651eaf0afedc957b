package score

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// Evidence does not grow by waiting: an identity that does its usual for a year stays
// far below what opens an episode, though its statistics add one each day.
func TestWaitingSaysNothing(t *testing.T) {
	p := Defaults(1, 8)
	rng := rand.New(rand.NewPCG(1, 2))
	var s State
	busy := 1.0
	usual := func() Counts { n := math.Round(10 * busy); return Counts{Distinct: n, FirstTouch: math.Round(0.8 * n)} }
	highest := 0.0
	at := monday
	for range 250 {
		busy = (rng.ExpFloat64() + rng.ExpFloat64()) / 2
		at = nine(&s, at, 1, p, usual)
		var ev Evidence
		c := usual()
		hourly.Early(&s, 0, at+9, &c, p, &ev)
		highest = max(highest, ev.Groups[Volume])
	}
	t.Logf("an identity that does its usual for a year reaches %.1f nats", highest)
	if highest > 1.5 {
		t.Errorf("an identity that does its usual for a year reaches %.1f nats", highest)
	}
}

// That fewer records are new than usual says nothing for a drift: who has read nearly
// all of them finds few new ones.
func TestFewNewRecordsSayNothing(t *testing.T) {
	p := Defaults(1, 8)
	var s State
	fresh := 20.0
	at := monday
	for range 60 {
		at = nine(&s, at, 1, p, func() Counts { return Counts{Distinct: 20, FirstTouch: float64(int(fresh))} })
		fresh *= 0.93
		p.Dimensions[0].Known = float64(s.seen) + 1
		var ev Evidence
		hourly.Early(&s, 0, at+9, &Counts{Distinct: 20, FirstTouch: float64(int(fresh))}, p, &ev)
		if ev.Log > 1.5 {
			t.Fatalf("with %.0f new of 20 the evidence is %.1f nats of %v", fresh, ev.Log, ev.Group)
		}
	}
}

// An hour is held against what the identity does at such hours.
func TestHoursHaveAShape(t *testing.T) {
	p := Defaults(1, 8)
	var s State
	var ev Evidence
	for h := range int64(28 * 24) {
		n := 10.0
		if h%24 >= 12 && h%24 < 18 {
			n = 60
		}
		hourly.Close(&s, 0, monday+h, distinct(n), p, &ev, nil)
	}
	expected := func(hour int64) float64 {
		hourly.Explain(&s, 0, monday+28*24+hour, distinct(1), p, &ev)
		return ev.Stats[BinDistinct].Expected
	}
	if night, day := expected(3), expected(14); night > 15 || day < 45 {
		t.Errorf("%.1f are expected at night and %.1f in the afternoon, where 10 and 60 are usual", night, day)
	}
}

// A count that a newcomer's peers hardly ever reach is told as rare, though his evidence
// is weak since nothing is known of him.
func TestHowRareABinIs(t *testing.T) {
	e := NewEngine(time.Hour, time.UTC, DefaultTuning())
	p := Defaults(1, 8)
	class := &p.Dimensions[0].Classes[0]
	class.Tail[DayDistinct] = Tail{At: 0.1, LogOver: math.Log(0.01), Scale: 0.2, Shape: 0.25}
	class.First[0].Mean[Distinct], class.First[0].Spread[Distinct] = 1.2, 0.3
	surprise := func(n float64) float64 {
		var s State
		var ev Evidence
		e.Close(&s, 0, 1000, distinct(n), p, &ev, nil)
		return ev.Surprise
	}
	if got := surprise(1); got != 0 {
		t.Errorf("an ordinary count has a surprise of %.2f nats", got)
	}
	if got := surprise(9); got < -math.Log(0.001) {
		t.Errorf("nine where peers read 1.2 have a surprise of %.2f nats, want that of one in a thousand at the least", got)
	}
}

// Who was there for two days, and comes back to read many times what his peers read in a
// day, is judged by them: of no newcomers among them anything is known.
func TestTheYoungAreHeldAgainstTheirPeers(t *testing.T) {
	e := NewEngine(time.Hour, time.UTC, DefaultTuning())
	p := Defaults(1, 8)
	class := &p.Dimensions[0].Classes[0]
	class.First[youth].Mean[Distinct], class.First[youth].Spread[Distinct] = 20, 0.3
	log := func(n float64) float64 {
		var s State
		var ev Evidence
		for day := range int64(2) {
			e.Close(&s, 0, 24*day+10, distinct(8), p, &ev, nil)
		}
		e.Close(&s, 0, 24*14+20, distinct(n), p, &ev, nil)
		return ev.Groups[Volume]
	}
	if got := log(20); got > 0.5 {
		t.Errorf("as much as his peers: %.2f nats", got)
	}
	if got := log(300); got < 3 {
		t.Errorf("fifteen times as much as his peers: %.2f nats", got)
	}
}

// What newcomers did on the days before is not what they are held against: who takes four
// times his peers' records from the first day on says more each day.
func TestNewcomersAreHeldAgainstTheirPeers(t *testing.T) {
	e := NewEngine(time.Hour, time.UTC, DefaultTuning())
	p := Defaults(1, 8)
	class := &p.Dimensions[0].Classes[0]
	class.K[DayDistinct] = 3
	for i := range class.First {
		class.First[i].Mean[Distinct], class.First[i].Spread[Distinct] = 60, 0.3
	}
	log := func(n float64) (log float64) {
		var s State
		var ev Evidence
		for day := range int64(youth) {
			for hour := range int64(8) {
				e.Close(&s, 0, 24*day+9+hour, distinct(n), p, &ev, nil)
			}
			e.Explain(&s, 0, 24*day+17, distinct(0), p, &ev)
			if got := ev.Stats[DayDistinct].Expected; got != 60 {
				t.Errorf("on day %d %.0f records are expected, want the 60 of peers", day, got)
			}
			log = ev.Groups[Volume]
		}
		return log
	}
	if got := log(7); got > 0.5 {
		t.Errorf("as much as peers: %.2f nats", got)
	}
	if got := log(30); got < 2 {
		t.Errorf("four times as much as peers: %.2f nats", got)
	}
}

// Who reads one record a day, always a new one, has no evidence: that all of it is new is
// what is usual.
func TestOneNewRecordADay(t *testing.T) {
	e := NewEngine(time.Hour, time.UTC, DefaultTuning())
	p := Defaults(1, 8)
	p.Dimensions[0].Known = 50_000
	var s State
	var ev Evidence
	for day := range int64(60) {
		e.Close(&s, 0, 24*day+10, &Counts{Distinct: 1, FirstTouch: 1}, p, &ev, nil)
		if ev.Groups[Novelty] > 0.5 {
			t.Fatalf("on day %d the share of new records says %.2f nats", day, ev.Groups[Novelty])
		}
	}
}

// A service whose first reports came before anything was known of its peers, who never
// report, is not told of when it reports again: of rows peers say nothing.
func TestAWeeklyReport(t *testing.T) {
	e := NewEngine(time.Hour, time.UTC, DefaultTuning())
	p := Defaults(1, 8)
	var s State
	var ev Evidence
	e.Close(&s, 0, 24*4+6, &Counts{Rows: 80_000}, p, &ev, nil)
	class := &p.Dimensions[0].Classes[0]
	for i := range class.First {
		for m := range class.First[i].Mean {
			class.First[i].Mean[m], class.First[i].Spread[m] = 1, 30
		}
	}
	e.Close(&s, 0, 24*11+6, &Counts{Rows: 80_000}, p, &ev, nil)
	if ev.Groups[Volume] > 1 {
		t.Errorf("the second of two equal reports says %.2f nats", ev.Groups[Volume])
	}
}
