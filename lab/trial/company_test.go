package trial

import (
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/simulate"
)

// scenarios are the rows of the companies.
var scenarios = []string{
	"calm", "mules", "scrape", "twin", "manager", "greedy-agent", "analyst", "slow", "newcomer", "forged-key", "leaver", "returned",
}

func staffed(t testing.TB, scenario string, seed uint64) simulate.Options {
	for _, s := range simulate.Scenarios() {
		if s.Name == scenario {
			return simulate.Options{Scenario: scenario, Seed: seed, Scale: 0.25}
		}
	}
	t.Fatalf("there is no scenario %s", scenario)
	return simulate.Options{}
}

// TestCompanies prints a row for each scenario, as it is and harsher, with a budget of
// two a day: a row alone with -run TestCompanies/mules.
func TestCompanies(t *testing.T) {
	if os.Getenv("WEIR_LAB") == "" {
		t.Skip("WEIR_LAB is not set")
	}
	for _, name := range scenarios {
		t.Run(name, func(t *testing.T) {
			for _, harsh := range []bool{false, true} {
				openings := printCompanies(t, name, harsh, "weir", func(opt simulate.Options) (*Watched, error) {
					return Watch(opt, harsh, score.DefaultTuning(), 2)
				})
				printCompanies(t, name, harsh, "plain", func(opt simulate.Options) (*Watched, error) {
					return WatchPlain(opt, harsh, openings)
				})
			}
			printCompanies(t, name, false, "no hours", func(opt simulate.Options) (*Watched, error) {
				tuning := score.DefaultTuning()
				tuning.NoHours = true
				return Watch(opt, false, tuning, 2)
			})
		})
	}
}

// printCompanies prints a row and returns the openings a day, other than of leaks.
func printCompanies(t *testing.T, scenario string, harsh bool, detector string, watch func(simulate.Options) (*Watched, error)) float64 {
	variant := "as it is"
	if harsh {
		variant = "harsher"
	}
	line := fmt.Sprintf("%-12s %-8s %-8s", scenario, variant, detector)
	openings, people, days := 0.0, 0.0, 0.0
	for _, seed := range []uint64{3001, 3002} {
		w, err := watch(staffed(t, scenario, seed))
		if err != nil {
			t.Fatal(err)
		}
		openings, people, days = openings+w.Openings, people+w.People, days+w.Days
		for _, l := range w.Leaks {
			told := "missed"
			if l.Caught {
				told = fmt.Sprintf("%6.1f h %5.1f %% %s", l.Hours, 100*l.Gone, l.By)
			}
			line += fmt.Sprintf(" | %-32s", told)
		}
	}
	t.Logf("%s | %.2f a day, %.0f %% people", line, openings/days, 100*people/math.Max(openings, 1))
	return openings / days
}

// A fleet's openings stay within the budget, each identity's counted: one small company
// for three weeks, in which they may be half as many again, and 20 of both variants for
// eight weeks with WEIR_SOAK, at a 95 % bound of 1.1 times the budget.
func TestCompanyBudget(t *testing.T) {
	companies, days := 1, 21
	if os.Getenv("WEIR_SOAK") != "" {
		companies, days = 20, 56
	}
	const budget = 2.0
	for _, harsh := range []bool{false, true} {
		openings, people, span := 0.0, 0.0, 0.0
		least := 0 // thresholds of a group of users, of all companies, that cannot be lower
		for i := range companies {
			w, err := Watch(simulate.Options{Scenario: "calm", Seed: 4001 + uint64(i), Scale: 0.1, Days: days}, harsh, score.DefaultTuning(), budget)
			if err != nil {
				t.Fatal(err)
			}
			openings, people, span = openings+w.Openings, people+w.People, span+w.Days
			for _, threshold := range w.Users {
				if threshold <= 1 {
					least++
				}
			}
		}
		upper := (openings + 2 + 2*math.Sqrt(openings+1)) / span // 95 % bound of a Poisson mean
		t.Logf("harsh %v: %.2f a day (below %.2f), %.0f %% about people, whose thresholds are the least there is in %d of %d groups",
			harsh, openings/span, upper, 100*people/math.Max(openings, 1), least, companies*int(score.NumGroups))
		if upper > 1.1*budget && companies > 1 || openings/span > 1.5*budget {
			t.Errorf("%.2f openings a day, at a budget of %v", openings/span, budget)
		}
	}
}
