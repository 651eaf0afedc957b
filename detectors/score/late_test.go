package score

import (
	"math"
	"testing"
)

// worker is an identity that reads 20 customers an hour on weekdays.
func worker() (s State, next int64, p *Parameters) {
	p = Defaults(1, 8)
	next = nine(&s, monday, 20, p, func() Counts { return Counts{Distinct: 20, FirstTouch: 4} })
	return s, next, p
}

// A burst that comes late is judged in its own bins, though ordinary ones follow.
func TestLateBurst(t *testing.T) {
	s, day, p := worker()
	var ev Evidence
	for h := int64(9); h < 17; h++ {
		hourly.Close(&s, 0, day+h, &Counts{Distinct: 20, FirstTouch: 4}, p, &ev, nil)
	}
	if ev.Log >= ev.Threshold {
		t.Fatalf("the calm day alarms: %+v", ev)
	}
	best := math.Inf(-1)
	for h := int64(10); h < 13; h++ {
		if !hourly.Late(&s, 0, day+h, &Counts{Distinct: 150, FirstTouch: 150}, p, &ev) {
			t.Fatalf("hour %d is refused", h)
		}
		best = max(best, ev.Margin())
		if got := s.Counted(day + h); got[Distinct] != 170 {
			t.Errorf("hour %d holds %v", h, got)
		}
	}
	if best < 0 || ev.Onset > day+10 {
		t.Errorf("150 customers an hour for three hours, late: margin %.1f, onset %d hours into the day", best, ev.Onset-day)
	}
	if got := ev.Stats[BinDistinct].Observed; got != 170 {
		t.Errorf("the evidence is of %v records, want those of the bin", got)
	}
}

// The day before is judged too, when today has begun; three days before is not.
func TestLateYesterday(t *testing.T) {
	s, day, p := worker()
	var ev Evidence
	hourly.Close(&s, 0, day+24*3+10, distinct(20), p, &ev, nil)
	if !hourly.Late(&s, 0, day+24*2+10, &Counts{Distinct: 1000, FirstTouch: 1000}, p, &ev) || ev.Margin() < 0 {
		t.Errorf("a thousand that came a day late: %+v", ev)
	}
	if hourly.Late(&s, 0, day-24, distinct(1000), p, &ev) {
		t.Error("a bin of last week is taken")
	}
}

// Nothing that ordinarily comes late alarms.
func TestLateCalm(t *testing.T) {
	s, day, p := worker()
	var ev Evidence
	hourly.Close(&s, 0, day+9, distinct(20), p, &ev, nil)
	for h := int64(9); h > 8; h-- {
		hourly.Late(&s, 0, day+h, &Counts{Distinct: 3}, p, &ev)
		if ev.Candidate() {
			t.Errorf("three late records: %+v", ev)
		}
	}
}

func TestExcise(t *testing.T) {
	s, day, p := worker()
	calm := s.level
	from := day
	day = nine(&s, day, 4, p, func() Counts { return Counts{Distinct: 200, FirstTouch: 180} })
	var ev Evidence
	for h := int64(9); h < 17; h++ {
		hourly.Close(&s, 0, day+h, &Counts{Distinct: 20, FirstTouch: 4}, p, &ev, nil)
	}
	leaky := s.level
	if leaky[0][Distinct] < 3*calm[0][Distinct] {
		t.Fatalf("four days of ten times moved the mean from %v to %v", calm[0], leaky[0])
	}
	hourly.Excise(&s, 0, from, day-1)
	for h := range s.level {
		if got, want := s.level[h][Distinct], calm[h][Distinct]; got > 1.6*want || got < want/3 {
			t.Errorf("mean %d after excision: %v, before the leak %v, with it %v", h, got, want, leaky[h][Distinct])
		}
		again := s.level
		hourly.Excise(&s, 0, day+100, day+200)
		if s.level != again {
			t.Error("excising what is not there changes something")
		}
	}
}

// What is kept of a watched identity tells what was counted and expected.
func TestHistory(t *testing.T) {
	s, day, p := worker()
	if len(s.History()) != 0 {
		t.Error("a calm identity is watched")
	}
	var ev Evidence
	hourly.Close(&s, 0, day+10, &Counts{Distinct: 900, FirstTouch: 900}, p, &ev, nil)
	h := s.History()
	if len(h) != 1 || h[0].Bin != uint32(day+10) || h[0].Counts[Distinct] != 900 || h[0].Expected[Distinct] < 15 || h[0].Expected[Distinct] > 60 || h[0].Log[Burst] < 8 {
		t.Errorf("history %+v", h)
	}
	got := 0.0
	s.Since(day+9, func(c *Counts) { got += c[Distinct] })
	if got != 900 {
		t.Errorf("since the leak: %v", got)
	}
}
