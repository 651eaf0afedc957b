package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/simulate"
)

// simulateCmd runs weir simulate with the given arguments.
func simulateCmd(ctx context.Context, stdout io.Writer, args ...string) error {
	cmd := newSimulateCommand()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(io.Discard)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	return cmd.ExecuteContext(ctx)
}

func TestSimulateWritesFilesAndTruth(t *testing.T) {
	dir := t.TempDir()
	truth := filepath.Join(dir, "truth.json")
	var contents []string
	for _, name := range []string{"e.ndjson", "e.ndjson.gz", "e.ndjson.zst"} {
		out := filepath.Join(dir, name)
		if err := simulateCmd(t.Context(), nil, "--scenario", "scrape", "--days", "3", "--scale", "0.05", "--out", out, "--truth", truth); err != nil {
			t.Fatal(err)
		}
		r, err := files.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		contents = append(contents, string(b))
	}
	if contents[0] != contents[1] || contents[0] != contents[2] {
		t.Error("compression changes what is written")
	}
	var stdout bytes.Buffer
	if err := simulateCmd(t.Context(), &stdout, "--scenario", "scrape", "--days", "3", "--scale", "0.05", "--out", "-"); err != nil {
		t.Fatal(err)
	}
	if stdout.String() != contents[0] {
		t.Error("stdout gets something else than a file")
	}
	b, err := os.ReadFile(truth)
	if err != nil {
		t.Fatal(err)
	}
	var got simulate.Truth
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if n := int64(strings.Count(contents[0], "\n")); got.Events != n || len(got.Leaks) != 1 || got.Leaks[0].Records < 1000 {
		t.Errorf("%d lines, and the truth is %s", n, b)
	}
}

func TestSimulateRefusesWhatItCannotDo(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"--out - surplus", `reading the arguments: weir simulate takes flags only, not "surplus"`},
		{"", "choosing the output: give --out FILE (- is stdout) or --topic TOPIC"},
		{"--out - --topic t", "choosing the output: give --out or --topic, not both"},
		{"--out - --scenario clam", `choosing the scenario: no scenario "clam"`},
		{"--out - --scale 1e9", "setting the scale: 1e+09 is not in 0.05..100"},
		{"--out - --format xml", `reading --format: "xml" is neither native nor ocsf`},
		{"--out - --start tuesday", `reading --start: "tuesday" is no time, write it as 2026-01-05T00:00:00Z or 2026-01-05`},
		{"--out - --rate 5 --speed 5", "reading --rate and --speed: give one of them"},
		{"--out - --rate -5", "reading --rate and --speed: neither can be negative"},
		{"--out - --live --rate 5", "reading --live: it goes at the pace of real time, leave out --rate and --speed"},
		{"--out - --live --days 5", "reading --history and --live: they end the history now, leave out --start and --days"},
		{"--out - --live --leak-start 2026-01-05", "reading --live: the leak starts --leak-after going live, leave out --leak-start"},
		{"--out - --history xd", `reading --history: "xd" is no number of days, write it as 14d`},
		{"--out - --history 2000d", "reading --history: 2000d is not in 1h..1830d"},
		{"--topic t --partitions-by moon", `reading --partitions-by: "moon" is neither actor nor none`},
	} {
		err := simulateCmd(t.Context(), io.Discard, strings.Fields(tt.args)...)
		var wrong usage.Error
		if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v, want the usage error %s", tt.args, err, tt.want)
		}
	}
}

// clocked notes when each line was written.
type clocked struct {
	t     *testing.T
	pace  int // lines written after the clock first moved
	began time.Time
	check func(ev *event.Event, now time.Time)
	d     *fieldmap.Decoder
	rest  []byte // of a line that is not whole yet
}

func (c *clocked) Write(p []byte) (int, error) {
	now := time.Now()
	c.rest = append(c.rest, p...)
	for bytes.IndexByte(c.rest, '\n') >= 0 {
		var line []byte
		line, c.rest, _ = bytes.Cut(c.rest, []byte{'\n'})
		if now.After(c.began) {
			c.pace++
		}
		c.d.Decode(line, func(ev *event.Event, rej *event.Reject) {
			if rej != nil {
				c.t.Fatalf("%s is rejected: %+v", line, *rej)
			}
			c.check(ev, now)
		})
	}
	return len(p), nil
}

func newClocked(t *testing.T, check func(ev *event.Event, now time.Time)) *clocked {
	f, err := files.LoadFormat("native")
	if err != nil {
		t.Fatal(err)
	}
	return &clocked{t: t, began: time.Now(), check: check, d: f.NewDecoder()}
}

// History ends now, life goes on in real time, and the leak begins when it should.
func TestSimulateGoesLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30*24*time.Hour + 9*time.Hour + 17*time.Minute) // the clock starts in 2000, at night
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		live := time.Now()
		var first, last, leak time.Time
		ids := map[string]bool{}
		out := newClocked(t, func(ev *event.Event, now time.Time) {
			at := time.UnixMilli(ev.Time)
			if first.IsZero() {
				first = at
			}
			if at.Before(last) || at.After(now) {
				t.Fatalf("an event of %v after one of %v is written at %v", at, last, now)
			}
			if at.After(live) && now.Sub(at) > time.Minute {
				t.Fatalf("an event of %v is written only at %v", at, now)
			}
			last = at
			if ids[ev.ID] {
				t.Fatalf("the id %s repeats", ev.ID)
			}
			ids[strings.Clone(ev.ID)] = true
			if strings.HasPrefix(ev.IP, "45.80.") && leak.IsZero() {
				leak = at
			}
		})
		truth := filepath.Join(t.TempDir(), "truth.json")
		if err := simulateCmd(ctx, out, "--scenario", "demo", "--scale", "0.1", "--history", "2d", "--live", "--leak-after", "5m", "--leak-factor", "50", "--out", "-", "--truth", truth); err != nil {
			t.Fatal(err)
		}
		if d := live.Sub(first); d < 47*time.Hour || d > 49*time.Hour {
			t.Errorf("the history begins %v before now", d)
		}
		if d := leak.Sub(live); d < 5*time.Minute || d > 6*time.Minute {
			t.Errorf("the leak begins %v after going live", d)
		}
		if d := last.Sub(live); d < 19*time.Minute || out.pace < 100 {
			t.Errorf("live for %v with %d events", d, out.pace)
		}
		if _, err := os.Stat(truth); err != nil {
			t.Error(err)
		}
	})
}
