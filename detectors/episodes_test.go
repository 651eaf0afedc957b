package detectors

import (
	"testing"

	"pgregory.net/rapid"
)

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
		{5, 12.5, 400, "update", "exposure doubled since last told"},
		{6, 12.5, 500, "nothing", ""},
		{29, 12.5, 500, "update", "a day since last told"},
		{30, 8.5, 500, "nothing", "within the margin: still high"},
		{31, 7, 500, "nothing", "low since an hour"},
		{35, 7, 500, "nothing", "low since five"},
		{36, 7, 500, "close", "six hours after it was last high"},
		{40, 9, 500, "nothing", "closed and below the threshold"},
		{59, 10, 600, "open", "within a day of the close"},
	} {
		v := s.Judge(Report{"user", "a", step.hour * hourMillis, step.log, 10, step.exposed})
		if v.Action.String() != step.want {
			t.Fatalf("hour %d (%s): %s, want %s", step.hour, step.why, v.Action, step.want)
		}
		if v.Action != Nothing && v.Episode.First != hourMillis {
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
		s.Judge(Report{"user", name, hourMillis, 12, 10, 5})
	}
	if closed, _ := s.Expire(7*hourMillis - 1); len(closed) != 0 {
		t.Fatalf("closed %v before six hours of quiet", closed)
	}
	closed, _ := s.Expire(7 * hourMillis)
	if len(closed) != 2 || closed[0].Episode.Identity != "a" || closed[1].Action != Close {
		t.Fatalf("closed %v, want a and b", closed)
	}
	if v := s.Judge(Report{"user", "a", 31 * hourMillis, 12, 10, 5}); !v.Reopened || v.Episode.First != hourMillis {
		t.Fatalf("a day after the close: %+v, want the old key", v)
	}
	if _, gone := s.Expire(32 * hourMillis); len(gone) != 1 || gone[0].Identity != "b" {
		t.Fatalf("forgot %v, want b", gone)
	}
	if v := s.Judge(Report{"user", "b", 33 * hourMillis, 12, 10, 5}); v.Reopened || v.Episode.First != 33*hourMillis {
		t.Fatalf("after the grace: %+v, want a new key", v)
	}
}

func TestRank(t *testing.T) {
	for _, c := range []struct {
		exposed int64
		log     float64
		want    Severity
	}{
		{0, 50, Low}, {99, 50, Low}, {100, 50, Medium}, {999, 50, Medium}, {1000, 50, High},
		{9999, 50, High}, {10000, 50, Critical}, {1 << 40, 50, Critical},
		{50, 10, Low}, {100, 10, Low}, {10000, 10, High}, {10000, 12.3, Critical},
	} {
		if got := Rank(c.exposed, c.log, 10); got != c.want {
			t.Errorf("Rank(%d, %g, 10) = %v, want %v", c.exposed, c.log, got, c.want)
		}
	}
}

func TestEpisodeCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ep := Episode{Dimension: rapid.String().Draw(t, "dimension"), Identity: rapid.String().Draw(t, "identity"),
			Severity: Severity(rapid.IntRange(0, 3).Draw(t, "severity"))}
		for _, v := range ep.numbers() {
			*v = rapid.Int64().Draw(t, "number")
		}
		got, rest, err := DecodeEpisode(append(ep.AppendBinary(nil), 7))
		if err != nil || got != ep || len(rest) != 1 {
			t.Fatalf("%+v came back as %+v, %d bytes left, %v", ep, got, len(rest), err)
		}
		var s Episodes
		s.Restore(ep)
		if back, ok := s.Get(ep.Dimension, ep.Identity); !ok || back != ep {
			t.Fatalf("restored %+v, got %+v", ep, back)
		}
	})
}
