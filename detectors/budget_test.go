package detectors

import "testing"

func weeks(perDay []int) (w []float64) {
	for i, n := range perDay {
		if i%7 == 0 {
			w = append(w, 0)
		}
		w[len(w)-1] += float64(n) / 7
	}
	return w
}

func TestBudget(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		c := newCompany(2, staff(seed, 150))
		c.onAlert = func(who *someone, hour int, v Verdict, ev Evidence) {
			if testing.Verbose() {
				t.Logf("seed %d day %d %02d:00 %s log %.1f thr %.1f %v obs %.0f exp %.2f level %.2f shape %.2f mode %.2f k %.2f", seed, hour/24, hour%24, who.name, ev.Log, c.params.Threshold(0), ev.Measure, ev.Measures[ev.Measure].Observed, ev.Measures[ev.Measure].Expected, ev.Measures[ev.Measure].Level, ev.Measures[ev.Measure].Shape, ev.Measures[ev.Measure].Mode, ev.Measures[ev.Measure].K)
			}
		}
		opened := c.run(42)
		t.Logf("seed %d: openings a day by week %.2f, first days %v, threshold %.1f (formula %.1f, tail %.1f), prior %+v", seed, weeks(opened), opened[:7], c.params.Threshold(0), c.params.Dimensions[0].Formula, c.params.Dimensions[0].Tail, c.params.Dimensions[0].Prior)
	}
}
