package lab

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/simulate"
)

// roleRates are the leaks that are tried, as multiples of a usual day.
var roleRates = []float64{1.25, 1.5, 2, 3, 5, 10}

// TestLabRoles reports the smallest leak that is caught within a week, by role:
// records that the thief has not touched, added to the work of two people of
// each role of a simulated company, one of each role at once. Only what names the
// thief's own account counts.
func TestLabRoles(t *testing.T) {
	if !long() {
		t.Skip("WEIR_LAB is not set")
	}
	s, err := settings.New(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "calm.ndjson")
	profile := calmCompany(t, path, s)
	leak, err := ParseLeak("RATE=2x,COUNT=10000")
	if err != nil {
		t.Fatal(err)
	}
	people := map[string][]string{}
	roles := []string{"agent", "manager", "analyst", "clerk", "svc-order-api"}
	for _, name := range profile.Qualifying(&leak) {
		for _, role := range roles {
			if strings.HasPrefix(name, role) {
				people[role] = append(people[role], name)
			}
		}
	}
	format, err := files.LoadFormat("native")
	if err != nil {
		t.Fatal(err)
	}
	log := &backtest.Files{Names: []string{path}, Format: format}
	t.Logf("| role | usual day | caught at, of two |")
	lines := map[string]string{}
	usual := map[string]float64{}
	for _, rate := range roleRates {
		for draw := range 2 {
			run := &bankRun{Run: backtest.NewRun(s, log, &progress.Line{})}
			run.Alert = func(a *alerting.Alert) error {
				run.alerts = append(run.alerts, *a)
				return nil
			}
			l := leak
			l.Rate, l.Seed = Rate{Times: rate}, uint64(draw+1)
			var of []string
			for _, role := range roles {
				list := people[role]
				if len(list) == 0 || draw == 1 && len(list) == 1 {
					continue
				}
				plan, err := profile.Plan(&l, list[(2*draw+1)*len(list)/4], s.Config.Dimensions)
				if err != nil {
					t.Fatal(err)
				}
				run.plans, of = append(run.plans, plan), append(of, role)
				usual[role] = plan.Usual
			}
			if err := log.Read(context.Background(), run); err != nil {
				t.Fatal(err)
			}
			for i, plan := range run.plans {
				if o := plan.Judge(ofUser(run.alerts, plan.Identity), nil); o.Caught {
					lines[of[i]] += " " + l.Rate.String() + " after " + FormatDelay(o.Delay) + ","
				}
			}
		}
	}
	for _, role := range roles {
		t.Logf("| %s | %.0f |%s |", role, usual[role], strings.TrimSuffix(lines[role], ","))
	}
}

// ofUser returns the alerts that name a user, as their identity or as a member of a
// campaign: what the keys and clients show, through which the others steal at the
// same time, tells nothing of this one. Whoever joins a campaign is found then.
func ofUser(alerts []alerting.Alert, name string) (own []alerting.Alert) {
	member := func(m alerting.Member) bool { return m.Dimension == "user" && m.Identity == name }
	for _, a := range alerts {
		switch {
		case a.Dimension == "user" && a.Identity == name:
			own = append(own, a)
		case a.Members != nil && a.Status != alerting.Close && slices.ContainsFunc(a.Members.Top, member):
			a.Status = alerting.Open
			own = append(own, a)
		}
	}
	return own
}

// calmCompany writes a company's events to a file and returns what they tell of
// its users.
func calmCompany(t *testing.T, path string, s *settings.Settings) *Profile {
	t.Helper()
	company, err := simulate.New(simulate.Options{Scenario: "calm", Seed: judgingSeeds[0], Days: 35, Scale: labScale})
	if err != nil {
		t.Fatal(err)
	}
	profile := NewProfile(event.DefaultDimensions()[0], s.Hasher, 1)
	var b []byte
	var ev event.Event
	for company.Next(&ev) {
		profile.Observe(&ev)
		b = append(event.AppendNative(b, &ev), '\n')
	}
	profile.End()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return profile
}
