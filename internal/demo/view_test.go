package demo

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
	"pgregory.net/rapid"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// leakDay is a demonstration an hour into the leak.
func leakDay(t testing.TB) *state {
	t.Helper()
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	company, err := simulate.New(simulate.Options{Scenario: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	s := newState(company.Truth())
	began := company.Truth().Leaks[0].Start.UnixMilli()
	at := func(d time.Duration) alerting.Time { return alerting.Time(began + d.Milliseconds()) }
	s.grid, s.dimensions = grid, []string{"user", "key", "network", "client", "endpoint"}
	s.phase, s.speed, s.events, s.perSecond, s.identities = inLastDay, 360, 211_946, 118.4, 33_961
	s.watermark, s.bin = int64(at(48*time.Minute)), grid.BinOf(began)
	s.truth.observe(&event.Event{Time: began, Records: []string{"1"}}, 0)
	s.truth.advance(int64(at(time.Hour)))
	alert := func(key, dimension, identity string, status alerting.Status, severity episode.Severity, raised time.Duration, observed, expected float64, exposed int64) *alerting.Alert {
		a := &alerting.Alert{
			DedupKey: key, Status: status, Time: at(raised), Onset: at(raised - 40*time.Minute), Dimension: dimension, Identity: identity,
			Measure: "distinct", Severity: severity, Observed: observed, Expected: expected,
			Exposed:  alerting.Exposed{Records: exposed, Low: exposed, High: exposed, Since: at(raised - 40*time.Minute)},
			Evidence: alerting.Evidence{Bin: alerting.Time(grid.BinOf(int64(at(raised))-1) * grid.Bin), BinWidth: "1h0m0s"},
		}
		a.Summary = alerting.Summarize(a, nil)
		return a
	}
	var got output
	got.alerts = []*alerting.Alert{
		alert("w1", "user", "agent.027", alerting.Open, episode.Low, -50*time.Hour, 41, 5, 41),
		alert("w1", "user", "agent.027", alerting.Close, episode.Low, -30*time.Hour, 41, 5, 168),
		alert("w2", "network", "10.99.0.0/24", alerting.Open, episode.Low, -2*time.Hour, 96, 16.9, 501),
		alert("w3", "key", "mobile-k1", alerting.Open, episode.Medium, 25*time.Minute, 312, 119, 248),
		alert("w4", "endpoint", "GET /v1/customers/{id}/profile", alerting.Open, episode.High, 35*time.Minute, 340, 128, 351),
	}
	candidate := func(dimension int, identity string, log, observed, expected float64, exposed int64) {
		got.candidates = append(got.candidates, stream.Candidate{
			Tick: grid.TickOf(began) + 8, Dimension: dimension, Identity: identity, Log: log, Threshold: 10,
			Measures: []stream.MeasureEvidence{{Measure: "distinct", Observed: observed, Expected: expected}},
			Exposed:  episode.Exposed{Records: exposed},
		})
	}
	candidate(0, "clerk.012", 6.2, 16, 7.4, 30)
	candidate(0, "agent.019\x1b[2J", 4.1, 5, 0.05, 5)
	candidate(1, "mobile-k1", 22, 401, 119, 402)
	candidate(4, "GET /v1/customers/{id}/profile", 31, 420, 128, 420)
	s.take(got)
	return s
}

// drawn draws without colours.
func drawn(s *state, width, height int) string {
	var b strings.Builder
	for _, l := range picture(s, width, height) {
		b.WriteString(strings.TrimRight(l.String(false), " ") + "\n")
	}
	return b.String()
}

func TestDemoPicture(t *testing.T) {
	history := leakDay(t)
	history.phase, history.alerts, history.episodes, history.candidates = inHistory, nil, nil, nil
	over := leakDay(t)
	over.phase = isOver
	for _, tt := range []struct {
		name          string
		state         *state
		width, height int
	}{
		{"live", leakDay(t), 120, 40},
		{"live", leakDay(t), 80, 24},
		{"live", leakDay(t), 60, 14},
		{"live", leakDay(t), 30, 8},
		{"live", leakDay(t), 12, 2},
		{"history", history, 80, 24},
		{"over", over, 100, 30},
	} {
		name := fmt.Sprintf("%s-%dx%d", tt.name, tt.width, tt.height)
		t.Run(name, func(t *testing.T) {
			got := drawn(tt.state, tt.width, tt.height)
			file := filepath.Join("testdata", name+".txt")
			if *updateGolden {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// No size of a terminal is overstepped, and nobody's text steers it.
func TestDemoPictureFits(t *testing.T) {
	s := leakDay(t)
	rapid.Check(t, func(rt *rapid.T) {
		width, height := rapid.IntRange(0, 250).Draw(rt, "width"), rapid.IntRange(0, 80).Draw(rt, "height")
		lines := picture(s, width, height)
		if len(lines) > height {
			rt.Errorf("%d lines", len(lines))
		}
		for _, l := range lines {
			text := l.String(false)
			if n := utf8.RuneCountInString(text); n > width {
				rt.Errorf("%d columns: %s", n, text)
			}
			if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
				rt.Errorf("control characters: %q", text)
			}
			if coloured := l.String(true); width > 20 && strings.Count(coloured, "\x1b[0m")*2 != strings.Count(coloured, "\x1b") {
				rt.Errorf("a style does not end: %q", coloured)
			}
		}
	})
}

func TestBar(t *testing.T) {
	for _, tt := range []struct {
		share float64
		width int
		want  string
	}{
		{0, 3, "   "}, {1, 3, "███"}, {7, 3, "███"}, {-1, 2, "  "}, {0.5, 3, "█▌ "}, {1. / 24, 3, "▏  "}, {1, 0, ""},
	} {
		if got := bar(tt.share, tt.width); got != tt.want {
			t.Errorf("bar(%v, %d) = %q, want %q", tt.share, tt.width, got, tt.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  string
	}{
		{"a leak of many", 6, "a leak|of|many"},
		{"a leak", 60, "a leak"},
		{"extraordinarily é", 5, "extra|ordin|arily|é"},
		{"so abcdefg h", 4, "so|abcd|efg|h"},
		{"ab", 0, "a|b"},
		{"", 5, ""},
	} {
		if got := strings.Join(wrap(tt.text, tt.width), "|"); got != tt.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}
