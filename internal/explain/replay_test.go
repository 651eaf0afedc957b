package explain

import (
	"context"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/backtest"
	"github.com/weirhq/weir/internal/progress"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
)

// uneven is a log of two partitions of which the first is read far ahead of the
// second, as brokers hand out the larger of two.
type uneven struct{ events []*event.Event }

func (uneven) Topics() []stream.Topic { return []stream.Topic{{Name: "access", Partitions: 2}} }

func (l uneven) Read(_ context.Context, r backtest.Reader) error {
	for partition := range 2 {
		src := stream.Source{Topic: "access", Partition: int32(partition)}
		for i, ev := range l.events {
			if i/7%2 != partition {
				continue
			}
			r.Event(src, ev)
			if r.Progress(src, int64(i)); i%2000 > 6 {
				continue
			}
			if enough := func() bool { return r.Flush(false) != nil }; enough() {
				return nil
			}
		}
		r.End(src)
	}
	_ = r.Flush(true) // what ends it has been read
	return nil
}

// Every alert of an untouched log is raised again, byte for byte, however the
// partitions are read; of one that was held back the replay says so.
func TestReplayAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("replays a log for each alert")
	}
	company, err := simulate.New(simulate.Options{Scenario: "demo", Seed: 3, Days: 4, Scale: simulate.MinScale})
	if err != nil {
		t.Fatal(err)
	}
	var log uneven
	for ev := new(event.Event); company.Next(ev); {
		log.events = append(log.events, ev.Clone())
	}
	s, err := settings.New(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	run := backtest.NewRun(s, log, &progress.Line{})
	var stated []alerting.Alert
	held := map[int]bool{}
	run.Alert = func(a *alerting.Alert) error {
		stated = append(stated, *a)
		return nil
	}
	run.Local.Held = func(h *correlate.Suppressed) {
		held[len(stated)] = true
		stated = append(stated, h.Alert)
	}
	if err := log.Read(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if len(stated) < 5 || len(held) == 0 {
		t.Fatalf("%d alerts, %d of them held back: too few to test with", len(stated), len(held))
	}
	tried := map[bool]int{} // by whether it was held back
	for i := range stated {
		a := &stated[i]
		if a.Dimension == alerting.CampaignDimension || tried[held[i]] == 2 {
			continue
		}
		tried[held[i]]++
		x := &Explanation{}
		if err := x.Replay(t.Context(), s, log, a, &progress.Line{}); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(x.Notes, "\n")
		if !strings.Contains(text, "the same alert, byte for byte") || strings.Contains(text, "holds it back") != held[i] {
			t.Errorf("%s %s at %s, held back %v: the replay says\n%s", a.Dimension, a.Identity, a.Time, held[i], text)
		}
		for _, n := range x.Numbers {
			if n.Differs() || n.Agrees && n.StatedText() != n.AgainText() && (n.Again < n.Stated || n.Again > n.High) {
				t.Errorf("%s %s at %s: %s told %s, again %s, %s", a.Dimension, a.Identity, a.Time, n.Name, n.StatedText(), n.AgainText(), n.Verdict())
			}
		}
	}
}
