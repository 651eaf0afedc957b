package score

import (
	"math"
	"math/rand/v2"
	"testing"
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
