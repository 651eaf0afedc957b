package trial

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/simulate"
)

// entrants are the columns of the tables, the yardstick first.
var entrants = []Entrant{
	{"plain", func(float64) Detector { return NewPlain() }},
	{"weir", func(b float64) Detector { return engine(b, func(*score.Tuning) {}) }},
	{"no tail", func(b float64) Detector { return engine(b, func(t *score.Tuning) { t.NoTail = true }) }},
	{"no first", func(b float64) Detector { return engine(b, func(t *score.Tuning) { t.NoFirst = true }) }},
	{"no share", func(b float64) Detector { return engine(b, func(t *score.Tuning) { t.NoShare = true }) }},
	{"no hours", func(b float64) Detector { return engine(b, func(t *score.Tuning) { t.NoHours = true }) }},
	{"no shape", func(b float64) Detector { return engine(b, func(t *score.Tuning) { t.NoShape = true }) }},
	{"no burst", func(b float64) Detector { return engine(b, func(t *score.Tuning) { t.NoBurst = true }) }},
	{"no newcomers", func(b float64) Detector { return engine(b, func(t *score.Tuning) { t.NoNewcomer = true }) }},
	{"mean + c sd", func(float64) Detector { return Rule{Deviations: true} }},
	{"day over c times", func(float64) Detector { return Rule{} }},
}

// chosen returns the entrants that WEIR_ENTRANTS names, all if it is not set.
func chosen() []Entrant {
	names, ok := os.LookupEnv("WEIR_ENTRANTS")
	if !ok {
		return entrants
	}
	return slices.DeleteFunc(slices.Clone(entrants), func(e Entrant) bool {
		return !slices.Contains(strings.Split(names, ","), e.Name)
	})
}

func engine(budget float64, vary func(*score.Tuning)) Detector {
	t := score.DefaultTuning()
	vary(&t)
	return NewEngine(t, budget)
}

// TestLabTrial prints the tables: a log alone with -run LabTrial/bpi2012, a part
// of the rows with WEIR_ROWS=drift/all, all rates of a target with WEIR_ROWS
// unset, some of the detectors with WEIR_ENTRANTS=plain,weir. Logs are of the folder
// that WEIR_LOGS names; company needs none.
func TestLabTrial(t *testing.T) {
	if os.Getenv("WEIR_LAB") == "" {
		t.Skip("WEIR_LAB is not set")
	}
	run := func(name string, load func() (*Log, error)) {
		t.Run(name, func(t *testing.T) {
			l, err := load()
			if err != nil {
				t.Fatal(err)
			}
			for _, target := range []float64{3, 1} {
				if one := os.Getenv("WEIR_TARGET"); one != "" && one != fmt.Sprint(target) {
					continue
				}
				results, equal := l.Compare(Plan{Actors: 40, Draws: 4, Seed: 1}, chosen(), target)
				if rows, ok := os.LookupEnv("WEIR_ROWS"); ok {
					t.Logf("%s\n%s", name, Table(results, rows))
				}
				t.Logf("%s\n%s", name, Summary(results))
				t.Logf("%s, by hindsight, at equal false alarms\n%s", name, Summary(equal))
				for _, r := range equal[1:] {
					ahead, n, worse := Beside(r, equal[0], 0.05)
					t.Logf("%s: %s beside %s, %d rows: %+.1f points on average; surely 5 or more behind in %q", name, r.Name, equal[0].Name, n, ahead, worse)
				}
			}
		})
	}
	files, _ := filepath.Glob(filepath.Join(os.Getenv("WEIR_LOGS"), "*.ndjson.gz"))
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".ndjson.gz")
		run(name, func() (*Log, error) { return ReadLog(name, f) })
	}
	run("company", func() (*Log, error) {
		return Simulated("company", simulate.Options{Seed: 2001, Days: 84, Scale: 0.3})
	})
}
