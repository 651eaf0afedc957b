package episode

import (
	"testing"

	"github.com/weirhq/weir/internal/eventtime"
	"pgregory.net/rapid"
)

// none keeps nothing open.
func none(*Episode) bool { return false }

// TestEpisodeStory follows one identity through the life of an episode. The
// threshold is 10 throughout; times are hours.
func TestEpisodeStory(t *testing.T) {
	var s Episodes
	for _, step := range []struct {
		hour    int64
		log     float64
		exposed int64
		want    string
		why     string
	}{
		{0, 9.9, 10, "nothing", "below the threshold"},
		{1, 10, 150, "open", "reached it"},
		{2, 11, 180, "nothing", "nothing material"},
		{3, 12.5, 200, "update", "certain now: medium"},
		{4, 12.5, 399, "nothing", "not yet doubled"},
		{5, 12.5, 400, "update", "excess doubled since last told"},
		{6, 12.5, 500, "nothing", ""},
		{29, 12.5, 500, "update", "a day since last told"},
		{30, 8.5, 500, "nothing", "within the margin: still high"},
		{31, 7, 500, "nothing", "low since an hour"},
		{35, 7, 500, "nothing", "low since five"},
		{36, 7, 500, "close", "six hours after it was last high"},
		{40, 9, 500, "nothing", "closed and below the threshold"},
		{59, 10, 600, "open", "within a day of the close"},
	} {
		v := s.Judge(Observation{Dimension: "user", Identity: "a", Tick: step.hour * eventtime.Hour, Log: step.log, Threshold: 10, Excess: step.exposed})
		if v.Action.String() != step.want {
			t.Fatalf("hour %d (%s): %s, want %s", step.hour, step.why, v.Action, step.want)
		}
		if v.Action != Nothing && v.Episode.First != eventtime.Hour {
			t.Fatalf("hour %d: the key moved to %d", step.hour, v.Episode.First)
		}
		if v.Reopened != (step.hour == 59) {
			t.Fatalf("hour %d: reopened %v", step.hour, v.Reopened)
		}
	}
}

func TestExpire(t *testing.T) {
	var s Episodes
	for _, name := range []string{"b", "a"} {
		s.Judge(Observation{Dimension: "user", Identity: name, Tick: eventtime.Hour, Log: 12, Threshold: 10, Excess: 5})
	}
	if closed, _ := s.Expire(7*eventtime.Hour-1, none); len(closed) != 0 {
		t.Fatalf("closed %v before six hours of quiet", closed)
	}
	closed, _ := s.Expire(7*eventtime.Hour, none)
	if len(closed) != 2 || closed[0].Episode.Identity != "a" || closed[1].Action != Close {
		t.Fatalf("closed %v, want a and b", closed)
	}
	if v := s.Judge(Observation{Dimension: "user", Identity: "a", Tick: 31 * eventtime.Hour, Log: 12, Threshold: 10, Excess: 5}); !v.Reopened || v.Episode.First != eventtime.Hour {
		t.Fatalf("a day after the close: %+v, want the old key", v)
	}
	if _, gone := s.Expire(32*eventtime.Hour, none); len(gone) != 1 || gone[0].Identity != "b" {
		t.Fatalf("forgot %v, want b", gone)
	}
	if v := s.Judge(Observation{Dimension: "user", Identity: "b", Tick: 33 * eventtime.Hour, Log: 12, Threshold: 10, Excess: 5}); v.Reopened || v.Episode.First != 33*eventtime.Hour {
		t.Fatalf("after the grace: %+v, want a new key", v)
	}
}

func TestEpisodeCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ep := Episode{Dimension: rapid.String().Draw(t, "dimension"), Identity: rapid.String().Draw(t, "identity"),
			Severity: Severity(rapid.IntRange(1, 4).Draw(t, "severity")), Facts: rapid.String().Draw(t, "facts"),
			Standing: Standing(rapid.IntRange(0, 2).Draw(t, "standing"))}
		for _, v := range ep.numbers() {
			*v = rapid.Int64().Draw(t, "number")
		}
		got, rest, err := Decode(append(ep.AppendBinary(nil), 7))
		if err != nil || got != ep || len(rest) != 1 {
			t.Fatalf("%+v came back as %+v, %d bytes left, %v", ep, got, len(rest), err)
		}
		var s Episodes
		s.Restore(ep)
		if back, ok := s.Get(ep.ID()); !ok || back != ep {
			t.Fatalf("restored %+v, got %+v", ep, back)
		}
	})
}

// A fact opens an episode whatever the evidence, keeps it open, and is told once.
func TestFactsInEpisodes(t *testing.T) {
	var s Episodes
	for _, step := range []struct {
		hour     int64
		log      float64
		facts    []string
		want     string
		severity Severity
		why      string
	}{
		{1, 0, nil, "nothing", 0, "nothing known"},
		{2, 0, []string{"retired_key"}, "open", Medium, "a fact needs no evidence"},
		{3, 0, []string{"retired_key"}, "nothing", Medium, "the same fact"},
		{4, 12.5, nil, "nothing", Medium, "evidence beside it: no new severity"},
		{5, 0, []string{"retired_key", "unissued_token"}, "update", High, "a second fact"},
		{10, 0, []string{"retired_key"}, "nothing", High, "still known"},
		{15, 0, nil, "nothing", High, "quiet for five hours"},
		{33, 0, nil, "nothing", High, "quiet for a day but an hour"},
		{34, 0, nil, "close", High, "quiet for a day"},
		{38, 0, []string{"unissued_token"}, "open", High, "known again"},
	} {
		floor := Low
		switch len(step.facts) {
		case 1:
			floor = Medium
		case 2:
			floor = High
		}
		if step.hour == 38 {
			floor = High
		}
		v := s.Judge(Observation{Dimension: "key", Identity: "k", Tick: step.hour * eventtime.Hour, Log: step.log, Threshold: 10, Excess: 60, Facts: step.facts, Floor: floor})
		if v.Action.String() != step.want || v.Episode.Severity != step.severity {
			t.Fatalf("hour %d (%s): %s, %s, want %s, %s", step.hour, step.why, v.Action, v.Episode.Severity, step.want, step.severity)
		}
	}
	if ep, _ := s.Get(ID{"key", "k"}); ep.Facts != "unissued_token" || ep.First != 2*eventtime.Hour {
		t.Fatalf("opened again as %+v, want the old key and the new fact alone", ep)
	}
}

// What people say changes what they are told.
func TestStanding(t *testing.T) {
	report := func(hour int64, log float64) Observation {
		return Observation{Dimension: "user", Identity: "a", Tick: hour * eventtime.Hour, Log: log, Threshold: 10, Excess: 50}
	}
	var s Episodes
	if v := s.SetStanding(ID{"user", "a"}, Confirmed, 0); v != (Decision{}) {
		t.Fatalf("a verdict on nothing: %+v", v)
	}
	s.Judge(report(1, 12))
	s.SetStanding(ID{"user", "a"}, Acknowledged, eventtime.Hour)
	if v := s.Judge(report(26, 12)); v.Action != Nothing {
		t.Fatalf("reminded of what is acknowledged: %+v", v)
	}
	if v := s.SetStanding(ID{"user", "a"}, Confirmed, 27*eventtime.Hour); v.Action != Update || v.Episode.Severity != Critical {
		t.Fatalf("confirmed: %+v, want an update, critical", v)
	}
	if v := s.Judge(report(49, 0)); v.Action != Nothing {
		t.Fatalf("a confirmed leak %s after 23 hours of quiet", v.Action)
	}
	if v := s.Judge(report(50, 0)); v.Action != Close {
		t.Fatalf("a confirmed leak: %s after a day of quiet, want a close", v.Action)
	}
	if v := s.Judge(report(60, 12)); v.Action != Open || v.Episode.Severity != Critical {
		t.Fatalf("the leak is back: %+v, want it open and critical", v)
	}
	if v := s.SetStanding(ID{"user", "a"}, Unjudged, 61*eventtime.Hour); v.Action != Nothing || v.Episode.Standing != Unjudged {
		t.Fatalf("taken back: %+v", v)
	}
}

// A leaver who comes back each evening for five weeks is one episode, that sleeps by
// day and is told of once an evening; and what comes back after ever longer gaps is
// waited for twice as long as it has stayed away.
func TestSleeps(t *testing.T) {
	var s Episodes
	reported := map[Action]int{}
	judge := func(hour int64, facts ...string) Decision {
		t.Helper()
		v := s.Judge(Observation{Dimension: "user", Identity: "a", Tick: hour * eventtime.Hour, Threshold: 10, Excess: 50, Facts: facts})
		reported[v.Action]++
		return v
	}
	for day := range int64(35) {
		for hour := int64(20); hour < 23; hour++ {
			judge(24*day+hour, "acted_after_leave")
		}
		if closed, _ := s.Expire((24*day+43)*eventtime.Hour, none); len(closed) > 0 {
			t.Fatalf("day %d: closed by day", day)
		}
	}
	if ep, _ := s.Get(ID{"user", "a"}); reported[Open] != 1 || reported[Update] != 34 || ep.Returns != 34 || ep.Gap != 22*eventtime.Hour {
		t.Errorf("told %v, came back %d times after %d hours: want one open, 34 updates, 22 hours", reported, ep.Returns, ep.Gap/eventtime.Hour)
	}
	last := int64(34*24 + 22) // hour of the latest evidence; the longest gap is 22 hours
	for _, step := range []struct{ gap, sleeps int64 }{{43, 86}, {85, 170}, {169, 336}, {335, 336}} {
		if closed, _ := s.Expire((last+step.gap)*eventtime.Hour, none); len(closed) > 0 {
			t.Fatalf("closed after %d hours", step.gap)
		}
		last += step.gap
		if v := judge(last, "acted_after_leave"); v.Action != Update {
			t.Errorf("back after %d hours: %s, want an update", step.gap, v.Action)
		}
		if ep, _ := s.Get(ID{"user", "a"}); ep.Ends() != (last+step.sleeps)*eventtime.Hour {
			t.Errorf("after a gap of %d hours it ends after %d, want %d", step.gap, ep.Ends()/eventtime.Hour-last, step.sleeps)
		}
	}
	s.SetStanding(ID{"user", "a"}, Acknowledged, last*eventtime.Hour)
	if closed, _ := s.Expire((last+6)*eventtime.Hour, none); len(closed) != 1 {
		t.Error("somebody looks at it, and it does not close after six hours of quiet")
	}
}

// What was counted before keeps an episode open, and reminds nobody; what has never
// reached its threshold does not even keep it open.
func TestLivesByWhatItTells(t *testing.T) {
	var s Episodes
	for _, step := range []struct {
		hour         int64
		stale, spent bool
		want         string
		shown        int64
	}{
		{1, false, false, "open", 1},
		{5, true, false, "nothing", 1},
		{25, true, false, "nothing", 1}, // a day since it was told
		{28, false, false, "update", 28},
		{54, true, false, "nothing", 28},
		{59, false, true, "nothing", 28},
		{60, false, true, "close", 28}, // six hours after the evidence was high
	} {
		v := s.Judge(Observation{Dimension: "user", Identity: "a", Tick: step.hour * eventtime.Hour, Log: 11, Threshold: 10, Excess: 5, Stale: step.stale, Spent: step.spent})
		if v.Action.String() != step.want || v.Episode.Shown != step.shown*eventtime.Hour {
			t.Errorf("hour %d: %s, shown in hour %d: want %s, %d", step.hour, v.Action, v.Episode.Shown/eventtime.Hour, step.want, step.shown)
		}
	}
}
