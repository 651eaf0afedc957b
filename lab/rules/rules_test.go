package rules

import (
	"fmt"
	"math"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

// monday is 2026-03-02 00:00 UTC.
const monday = int64(1772409600_000)

// An hour counts each record once; what a plan steals comes on top.
func TestHourly(t *testing.T) {
	h := NewHourly(event.DefaultDimensions()[0], event.FixedHasher())
	at := func(hour int64, records ...string) {
		h.Observe(&event.Event{Time: monday + hour*eventtime.Hour, Actor: "ana", Records: records})
	}
	at(0, "1", "2")
	at(0, "2", "3")
	at(2, "1")
	if got := fmt.Sprint(h.Row("ana", nil)); got != "[3 0 1]" {
		t.Errorf("hours %s", got)
	}
	stolen := []int64{monday, monday + eventtime.Hour, monday + eventtime.Hour + 5}
	if got := fmt.Sprint(h.Row("ana", stolen)); got != "[4 2 1]" {
		t.Errorf("with the leak %s", got)
	}
}

// The rules say what they are said to say, on a row of ten records a day.
func TestRulesOfToday(t *testing.T) {
	row := make([]float64, 12*24)
	for d := range 12 {
		row[d*24+9] = 10
		if d%2 == 1 {
			row[d*24+9] = 14
		}
	}
	row[11*24+9] = 36
	at := 11*24 + 9
	if got := overMean(row)[at]; math.Abs(got-36/(130.0/11)) > 1e-9 {
		t.Errorf("36 in 24 h after 10 and 14 by turns are %.3f times the mean", got)
	}
	if got := overDeviations(row)[at]; math.Abs(got-12.1) > 0.2 {
		t.Errorf("36 in a day after 10 and 14 by turns are %.2f sd over the mean", got)
	}
	if got := overDeviations(row)[5*24]; got != 0 {
		t.Errorf("a rule without a week of past says %g", got)
	}
}

// An alarm goes on until it has been quiet for a day.
func TestAlarms(t *testing.T) {
	row := make([]float64, 100)
	for _, i := range []int{3, 10, 50, 60, 95} {
		row[i] = float64(i)
	}
	for _, c := range []struct {
		threshold float64
		from      int
		want      string
	}{{1, 0, "[3 50 95]"}, {1, 4, "[50 95]"}, {55, 0, "[60 95]"}, {96, 0, "[]"}} {
		if got := fmt.Sprint(Alarms(row, c.threshold, c.from)); got != c.want {
			t.Errorf("threshold %g from %d: %s, want %s", c.threshold, c.from, got, c.want)
		}
	}
	if got := ThresholdFor([][]float64{row}, 2, 0); got != 50 && got != 60 {
		t.Errorf("two alarms at most ask for a threshold of %g", got)
	}
	if got := ThresholdFor([][]float64{row}, 0, 0); !math.IsInf(got, 1) {
		t.Errorf("no alarm at all asks for a threshold of %g", got)
	}
}

// Byar's interval is near the exact one: 10 has 4.80 to 18.39.
func TestInterval(t *testing.T) {
	for _, c := range []struct {
		n         int
		low, high float64
	}{{0, 0, 3.69}, {1, 0.03, 5.57}, {10, 4.80, 18.39}, {100, 81.36, 121.63}} {
		low, high := Interval(c.n)
		if math.Abs(low-c.low) > 0.1+0.01*c.low || math.Abs(high-c.high) > 0.1+0.01*c.high {
			t.Errorf("%d: %.2f to %.2f, want %.2f to %.2f", c.n, low, high, c.low, c.high)
		}
	}
}
