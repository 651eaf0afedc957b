package integration_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/integration/kafkatest"
	run "github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/internal/erase"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// What is old is deleted while weir runs, the rest of the ledger is whole and says who did
// it, and weir goes on: after a restart, and after a reset. The command cannot be given
// today's records; the test gives it a day that is far off.
func TestEraseBefore(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	b := kafkatest.Shared(t)
	d := deploy(t, b, b.Topic(t, 2))
	kim := author(t, d)
	late := tickBoundary(c.events) / 5 * 9 // on the last day
	feed := producer(t, b)
	produce(t, feed, d.sources[0], interleaved(2), 0, c.events[:late])
	p := d.start(t, "one")
	alerts := d.complete(t, 1)
	path := d.config(t, "erase")
	var first struct {
		DedupKey string `json:"dedup_key"`
	}
	if err := json.Unmarshal([]byte(alerts[0]), &first); err != nil {
		t.Fatal(err)
	}
	must(t, "confirm", first.DedupKey, "-c", path, "--key", kim, "--reason", "seen")
	produce(t, feed, d.sources[0], interleaved(2), late, c.events[late:])
	alerts = d.complete(t, len(alerts))

	tomorrow := time.Now().AddDate(0, 0, 1).Format(time.RFC3339)
	refused(t, weir(t, "erase", "--before", tomorrow, "-c", path, "--key", kim, "--reason", "old", "--yes"), 2, "is to come")
	refused(t, weir(t, "erase", "--before", time.Now().AddDate(0, 0, -90).Format(time.DateOnly), "-c", path, "--reason", "old", "--dry-run"), 2, "less than 91 days ago")
	if out := must(t, "erase", "--before", "2020-01-01", "-c", path, "--reason", "old", "--dry-run"); !strings.Contains(out, "there is nothing to delete") {
		t.Error(out)
	}

	e := cutting(t, d, path, kim)
	plan, err := e.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if plan.Topics[0].Records != int64(len(alerts)) || plan.Topics[0].Left != 0 || plan.Topics[2].Records != 1 {
		t.Errorf("it would delete %+v", plan.Topics)
	}
	done := make(chan error)
	go func() { done <- e.Run(t.Context(), plan) }()
	at := lastTime(t, c.events)
	more := func() {
		t.Helper()
		var events [][]byte
		for range 4 {
			at = at.Add(10 * time.Minute)
			events = append(events, fmt.Appendf(nil, `{"time":%q,"actor":"night","action":"read","records":["1"]}`, at.Format(time.RFC3339)))
		}
		produce(t, feed, d.sources[0], func(i int, _ []byte) int32 { return int32(i % 2) }, 0, events)
	}
	for waiting := true; waiting; {
		more()
		select {
		case err := <-done:
			if waiting = false; err != nil {
				t.Fatal(err)
			}
		case <-time.After(time.Second):
			d.alive(t)
		}
	}
	said := func(when string) {
		t.Helper()
		if out := must(t, "ledger", "verify", "-c", path); !strings.Contains(out, fmt.Sprintf("Records 1 to %d were deleted by kim", plan.Cut.Head.Seq)) {
			t.Errorf("%s verify says\n%s", when, out)
		}
	}
	said("then")
	must(t, "report", "-c", path)

	// A copy, and a checkpoint, of what is left.
	copied := write(t, filepath.Join(d.dir, "ledger.ndjson"), must(t, "ledger", "print", "-c", path))
	must(t, "ledger", "verify", "--input", copied, "-c", path)
	if r := weir(t, "ledger", "verify", "--input", copied); r.code != 1 || !strings.Contains(r.stdout, "only where the configuration says whose word counts") {
		t.Errorf("a copy without a configuration: %d\n%s", r.code, r.stdout)
	}
	key, public, kept := filepath.Join(d.dir, "ledger.key"), filepath.Join(d.dir, "ledger.pub"), filepath.Join(d.dir, "checkpoints")
	write(t, public, must(t, "ledger", "key", "bank.example/weir", "--out", key))
	must(t, "ledger", "checkpoint", "-c", path, "--key", key, "--out", kept)

	goesOn := func(what string) {
		t.Helper()
		p.ready(t)
		more()
		d.complete(t, 0)
		if p.metric(t, "weir_ledger_broken") != 0 {
			t.Errorf("after %s weir_ledger_broken is not 0", what)
		}
		must(t, "ledger", "verify", "-c", path, "--since-checkpoint", kept, "--public-key", public)
		said("after " + what)
	}
	p.stop(t)
	p = d.start(t, "one")
	goesOn("a restart")
	p.stop(t)
	must(t, "reset", "-c", path, "--from", "earliest", "--yes")
	p = d.start(t, "one")
	d.complete(t, len(alerts))
	goesOn("a reset")
	p.stop(t)
}

// cutting is `weir erase --before` of all that was written until now, on a day when that
// may be deleted.
func cutting(t testing.TB, d *deployment, path, keyFile string) *erase.Cutting {
	t.Helper()
	loaded, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := settings.New(loaded)
	if err != nil {
		t.Fatal(err)
	}
	conn := &cluster.Connection{Brokers: d.brokers, ClientID: "test", Logger: slog.New(slog.DiscardHandler)}
	f, err := run.Follower(s, conn, conn.Logger)
	if err != nil {
		t.Fatal(err)
	}
	e, err := erase.NewCutting(f, s, time.Now().Format(time.RFC3339Nano), "a year is over")
	if err != nil {
		t.Fatal(err)
	}
	if e.Author, err = settings.AuthorOf(s.Config, keyFile); err != nil {
		t.Fatal(err)
	}
	e.Now = e.Before.Add(erase.Youngest)
	return e
}

// lastTime returns the time of the last event.
func lastTime(t testing.TB, events [][]byte) time.Time {
	t.Helper()
	var last struct{ Time time.Time }
	if err := json.Unmarshal(events[len(events)-1], &last); err != nil {
		t.Fatal(err)
	}
	return last.Time
}

// forgeCut deletes the first n records of the ledger, and chains a cut that says so under
// the name of somebody who could.
func (k *thief) forgeCut(t testing.TB, n int) {
	t.Helper()
	records := k.copied("ledger")
	cut, end := ledger.Cut{}, topics.LedgerEnd{}
	for i, value := range records {
		if end.Tree.Add([]byte(value)); i == n-1 {
			cut.Tree = end.Tree
		}
	}
	var err error
	if cut.Head, err = ledger.HeadOf([]byte(records[n-1])); err != nil {
		t.Fatal(err)
	}
	last, err := ledger.HeadOf([]byte(records[len(records)-1]))
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Appendf(nil, `{"verdict":{"id":"x","kind":"cut","dedup_key":%q,"author":"kim","reason":"old","via":"key","signature":"00"}}`, cut.String())
	b, _, err := ledger.Append(last, ledger.Verdict, time.Now(), body)
	if err != nil {
		t.Fatal(err)
	}
	k.rewrite(t, "ledger", append(records[n:], string(b)))
}
