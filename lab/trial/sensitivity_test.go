package trial

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/simulate"
)

// numbers names the tunable numbers.
func numbers(s *score.Tuning, f *fleet.Tuning) map[string][]*float64 {
	floor := func(stats ...score.Stat) (v []*float64) {
		for _, st := range stats {
			v = append(v, &s.Floor[st])
		}
		return v
	}
	return map[string][]*float64{
		"fast mean": {&s.Fast}, "slow mean": {&s.Slow}, "mean bin": {&s.PaceDays}, "memory of R": {&s.Memory},
		"least mean of a day": floor(score.DayDistinct, score.DayFirst), "of a bin": floor(score.BinDistinct, score.BinFirst),
		"of rows": floor(score.DayRows, score.BinRows), "of what is rare": floor(score.DayDestructive, score.DayUnissued), "of off hours": floor(score.DayOff),
		"in youth": {&s.YoungFloor}, "bins of youth": {&s.YoungBins}, "concentration": {&s.Concentration}, "least room": {&s.LeastRoom},
		"headroom": {&s.Headroom}, "fading in silence": {&s.Fade},
		"off hour": {&s.OffShare}, "days until hours are known": {&s.KnownDays}, "hour of many": {&s.Common},
		"fleet's memory": {&f.Memory}, "theory in a threshold": {&f.Prior}, "share of the tail": {&f.TailShare}, "bins of the tail": {&f.TailBins},
		"pseudo-excesses": {&f.TailPrior}, "their mean": {&f.TailExcess}, "largest shape": {&f.TailShape}, "usual dispersion": {&f.Dispersion},
		"newcomers seen": {&f.Newcomers}, "crowd": {&f.Crowd}, "ordinary mode": {&f.Ordinary}, "days of a class": {&f.ClassDays}, "crossings": {&f.Crossings},
	}
}

// TestSensitivity prints, for each tunable number halved and doubled, by how many
// points the share caught at twice and three times, and of dumps of 100 by the quiet, changes in the
// mean over logs, at how many times the false alarms. WEIR_NUMBERS names some.
func TestSensitivity(t *testing.T) {
	if os.Getenv("WEIR_LAB") == "" {
		t.Skip("WEIR_LAB is not set")
	}
	var logs []*Log
	files, _ := filepath.Glob(filepath.Join(os.Getenv("WEIR_LOGS"), "*.ndjson.gz"))
	for _, f := range files {
		l, err := ReadLog(strings.TrimSuffix(filepath.Base(f), ".ndjson.gz"), f)
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, l)
	}
	company, err := Simulated("company", simulate.Options{Seed: 2001, Days: 84, Scale: 0.3})
	if err != nil {
		t.Fatal(err)
	}
	logs = append(logs, company)
	const target = 3
	type figures [4]float64
	play := func(vary func(*score.Tuning, *fleet.Tuning)) (sum figures) {
		for _, l := range logs {
			made := Entrant{"weir", func(b float64) Detector {
				s := score.DefaultTuning()
				e := NewEngine(s, b)
				vary(&s, &e.config.Tuning)
				return newEngine(s, e.config)
			}}
			past, _ := l.Compare(Plan{Actors: 25, Draws: 2, Seed: 1}, []Entrant{made}, target)
			r := past[0]
			for i, row := range []struct {
				Kind Kind
				Size float64
			}{{Drift, 2}, {Drift, 3}, {DumpQuiet, 100}} {
				for thief := range NumThieves {
					if c := r.Cells[RowOf{row.Kind, thief, row.Size}]; c != nil {
						share := c.Caught
						if row.Kind != Drift {
							share = c.Soon
						}
						sum[i] += 100 * share / float64(NumThieves) / float64(len(logs))
					}
				}
			}
			sum[3] += r.False[0] / float64(len(logs))
		}
		return sum
	}
	base := play(func(*score.Tuning, *fleet.Tuning) {})
	t.Logf("%-28s 2x %5.1f  3x %5.1f  100 at once %5.1f  false alarms %.2f", "as shipped", base[0], base[1], base[2], base[3])
	var s score.Tuning
	var f fleet.Tuning
	for _, name := range slices.Sorted(maps.Keys(numbers(&s, &f))) {
		if some, ok := os.LookupEnv("WEIR_NUMBERS"); ok && !strings.Contains(","+some+",", ","+name+",") {
			continue
		}
		line := fmt.Sprintf("%-28s", name)
		for _, by := range []float64{0.5, 2} {
			got := play(func(s *score.Tuning, f *fleet.Tuning) {
				for _, v := range numbers(s, f)[name] {
					*v *= by
				}
			})
			line += fmt.Sprintf(" | x%-3g %+5.1f %+5.1f %+5.1f  %.2f", by, got[0]-base[0], got[1]-base[1], got[2]-base[2], got[3])
		}
		t.Log(line)
	}
}
