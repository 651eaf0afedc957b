package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/local"
)

// composition is what the test wants to know of docker-compose.yml.
type composition struct {
	Services struct {
		Traffic struct{ Command string }
	}
}

// trafficOfCompose returns the arguments with which docker compose runs weir simulate, but
// for where the events go: to stdout.
func trafficOfCompose(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var c composition
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	args := strings.Fields(c.Services.Traffic.Command)
	for _, flag := range []string{"--topic", "--brokers"} {
		i := slices.Index(args, flag)
		args = slices.Delete(args, i, i+2)
	}
	return append(args[1:], "--out", "-")
}

// composed is weir by the configuration of docker compose, which gets each event when it
// is written.
type composed struct {
	t       *testing.T
	local   *local.Runner
	decoder *fieldmap.Decoder
	fold    *model.Fold
	rest    []byte              // beginning of a line whose end has not been read yet
	forged  map[string]struct{} // tokens by which the leak has read
}

// newComposed reads the configuration, with a record key of its own.
func newComposed(t *testing.T) *composed {
	t.Helper()
	text, err := os.ReadFile("../../deploy/compose/weir.yaml")
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "record.key")
	if err := os.WriteFile(key, []byte("00112233445566778899aabbccddeeff"), 0o600); err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("/run/secrets/record.key"), []byte(key))
	c, err := config.Parse("weir.yaml", text, func(string) (string, bool) { return "0123456789abcdef0123456789abcdef", true })
	if err != nil {
		t.Fatal(err)
	}
	s, err := settings.New(c)
	if err != nil {
		t.Fatal(err)
	}
	native, err := files.LoadFormat("native")
	if err != nil {
		t.Fatal(err)
	}
	w := &composed{t: t, decoder: native.NewDecoder(), fold: model.NewFold(), forged: map[string]struct{}{}}
	w.local = local.New(s.Ingest, s.Detect, s.Correlate, []stream.Topic{{Name: "access", Partitions: 1}}, 1)
	w.local.Held = func(x *correlate.Suppressed) { w.fold.Suppressed(x) }
	return w
}

func (w *composed) Write(p []byte) (int, error) {
	for w.rest = append(w.rest, p...); bytes.IndexByte(w.rest, '\n') >= 0; {
		var line []byte
		line, w.rest, _ = bytes.Cut(w.rest, []byte{'\n'})
		w.decoder.Decode(line, func(ev *event.Event, rej *event.Reject) {
			if rej != nil {
				w.t.Fatalf("%s is rejected: %+v", line, *rej)
			}
			if strings.HasPrefix(ev.IP, "45.80.") {
				w.forged[strings.Clone(ev.Session)] = struct{}{}
			}
			w.local.Fold(stream.Source{Topic: "access"}, time.Now().UnixMilli(), ev)
		})
	}
	found, err := w.local.Flush()
	for i := range found {
		w.fold.Alert(&found[i])
	}
	return len(p), err
}

// Whatever the hour, once docker compose's weir has read the history, which takes no
// clock, it tells of the leak, with the tokens that were forged: no fact waits for
// anything. In the company at its full size the leak stands before all false alarms.
func TestComposeShowsTheLeak(t *testing.T) {
	hours, args, whole := []int{3}, append(trafficOfCompose(t), "--scale", "0.05"), false
	if os.Getenv("WEIR_SOAK") != "" {
		hours, args, whole = []int{3, 9, 15, 21}, trafficOfCompose(t), true
	}
	for _, hour := range hours {
		t.Run(strconv.Itoa(hour), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Duration(30*24+hour)*time.Hour + 17*time.Minute) // after 1 January 2000
				w := newComposed(t)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := simulateCmd(ctx, w, args...); err != nil {
					t.Fatal(err)
				}
				list := w.fold.Snapshot().Episodes()
				i := slices.IndexFunc(list, func(e *model.Episode) bool { return e.Alert.Identity == "mobile-k1" })
				if i < 0 {
					t.Fatal("nothing is said of the leak")
				}
				a := list[i].Alert
				if !list[i].IsOpen() || a.Fact != fact.UnissuedToken || a.Severity < episode.High || whole && i > 0 {
					t.Errorf("before the leak stand %d others, %s first; of the leak is said: %s %s", i, list[0].Alert.Identity, a.Severity, a.Summary)
				}
				// People are told again when it has doubled, and the latest tokens may have a login yet.
				if n := int64(len(w.forged)); n < 1000 || a.Through.High < n*4/10 || a.Through.Low > n {
					t.Errorf("%d tokens were forged, and the message says: %s", n, a.Summary)
				}
			})
		})
	}
}
