package notify

import (
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
)

func TestRoutes(t *testing.T) {
	routes := &Routes{
		List: []Route{
			{Severity: episode.Critical, To: []string{"pager", "chat"}},
			{Dimensions: []string{"key"}, Detectors: []string{"retired_key", "destructive"}, To: []string{"crypto"}},
			{Detectors: []string{"campaign"}, To: []string{"chat"}},
		},
		Default: []string{"log"},
	}
	for _, c := range []struct {
		name string
		set  func(a *alerting.Alert)
		want string
	}{
		{"nothing fits", func(*alerting.Alert) {}, "log"},
		{"grave", func(a *alerting.Alert) { a.Severity = episode.Critical }, "pager chat"},
		{"a fact", func(a *alerting.Alert) { a.Kind, a.Fact = alerting.KindFact, fact.RetiredKey }, "crypto"},
		{"a measure", func(a *alerting.Alert) { a.Measure = "destructive" }, "crypto"},
		{"the fact of another dimension", func(a *alerting.Alert) { a.Kind, a.Fact, a.Dimension = alerting.KindFact, fact.RetiredKey, "user" }, "log"},
		{"two routes", func(a *alerting.Alert) { a.Measure, a.Severity = "destructive", episode.Critical }, "pager chat crypto"},
		{"one that names another that is grave", func(a *alerting.Alert) {
			a.Members = &alerting.Members{Classes: []alerting.Class{{Kind: alerting.Statistical, Dimension: "user", Severity: episode.Critical}}}
		}, "pager chat log"},
		{"a change of the settings, which may be one of the routes", func(a *alerting.Alert) { a.Kind, a.Fact = alerting.KindFact, fact.SettingsChanged }, "pager chat crypto log none"},
		{"a kind", func(a *alerting.Alert) { a.Kind = alerting.KindCampaign }, "chat"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := alertingtest.Alert()
			c.set(a)
			got := ""
			for _, name := range []string{"pager", "chat", "crypto", "log", "none"} {
				if routes.Wants(name, a) {
					got += " " + name
				}
			}
			if got != " "+c.want {
				t.Errorf("goes to%s, want %s", got, c.want)
			}
		})
	}
	if !(&Routes{}).Wants("any", alertingtest.Alert()) || !(*Routes)(nil).Wants("any", alertingtest.Alert()) {
		t.Error("without routes an alert does not go everywhere")
	}
}

// A change of the settings does not wait, since it may be one of what holds.
func TestHoldsNoChangeOfSettings(t *testing.T) {
	a, at := alertingtest.Alert(), time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC)
	h := &Hold{Quiet: &Quiet{From: 22 * time.Hour, To: 7 * time.Hour}, Group: time.Hour}
	if h.Until(a, at).Equal(at) {
		t.Error("nothing is held")
	}
	if a.Fact = fact.SettingsChanged; !h.Until(a, at).Equal(at) {
		t.Error("a change of the settings is held")
	}
}

func TestHold(t *testing.T) {
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	night := &Quiet{From: 22 * time.Hour, To: 7*time.Hour + 30*time.Minute, Location: seoul}
	weekend := &Quiet{From: 0, To: 24 * time.Hour, Days: []time.Weekday{time.Saturday, time.Sunday}, Below: episode.High}
	spring := &Quiet{From: 22 * time.Hour, To: 7 * time.Hour, Location: berlin}
	for _, c := range []struct {
		name      string
		hold      *Hold
		severity  episode.Severity
		at, until string
	}{
		{"nothing holds", nil, episode.Low, "2026-03-03T23:00:00+09:00", ""},
		{"by day", &Hold{Quiet: night}, episode.High, "2026-03-03T21:59:59+09:00", ""},
		{"in the evening", &Hold{Quiet: night}, episode.High, "2026-03-03T22:00:00+09:00", "2026-03-04T07:30:00+09:00"},
		{"in the morning", &Hold{Quiet: night}, episode.High, "2026-03-04T07:29:00+09:00", "2026-03-04T07:30:00+09:00"},
		{"at the end", &Hold{Quiet: night}, episode.High, "2026-03-04T07:30:00+09:00", ""},
		{"around the clock, on one day", &Hold{Quiet: &Quiet{From: 8 * time.Hour, To: 8 * time.Hour, Days: []time.Weekday{time.Tuesday}}}, episode.Low, "2026-03-03T23:00:00Z", "2026-03-04T08:00:00Z"},
		{"critical", &Hold{Quiet: night, Group: time.Hour}, episode.Critical, "2026-03-04T03:00:01+09:00", ""},
		{"two days that touch", &Hold{Quiet: weekend}, episode.Medium, "2026-03-07T10:00:00Z", "2026-03-09T00:00:00Z"},
		{"grave enough", &Hold{Quiet: weekend}, episode.High, "2026-03-07T10:00:00Z", ""},
		{"the night the clocks change", &Hold{Quiet: spring}, episode.Low, "2026-03-28T23:00:00+01:00", "2026-03-29T07:00:00+02:00"},
		{"gathered", &Hold{Group: 15 * time.Minute}, episode.Low, "2026-03-03T10:07:00Z", "2026-03-03T10:15:00Z"},
		{"gathered, on the edge", &Hold{Group: 15 * time.Minute}, episode.Low, "2026-03-03T10:15:00Z", ""},
		{"gathered into the night", &Hold{Group: time.Hour, Quiet: night}, episode.Low, "2026-03-03T21:30:00+09:00", "2026-03-04T07:30:00+09:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			want := at
			if c.until != "" {
				if want, err = time.Parse(time.RFC3339, c.until); err != nil {
					t.Fatal(err)
				}
			}
			a := alertingtest.Alert()
			a.Severity = c.severity
			if got := c.hold.Until(a, at); !got.Equal(want) {
				t.Errorf("held until %v, want %v", got, want)
			}
		})
	}
}
