package kafka_test

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// The record key is rotated while data leaks: a second deployment under the new key
// reads the sources again, beside the first. The first reports the leak until then, and
// the second reports it from its beginning, with the same numbers.
func TestRecordKeyIsRotated(t *testing.T) { inBubble(t, testRecordKeyIsRotated) }

func testRecordKeyIsRotated(t *testing.T) {
	d := newDeployment(t, 2)
	events := leakOfFewRecords(t)
	want, _ := d.local(t, events)
	half := len(events)
	for half > 0 && timeOf(t, events[half-1]).After(timeOf(t, []byte(want[len(want)/2]))) {
		half--
	}
	d.produce(t, "access", 2, events[:half])
	old := start(t, d.options(t, "old"))
	reported := d.alerts(t, 1, 5*time.Minute)

	next := d.options(t, "next")
	hasher, names := event.NewHasher([event.KeySize]byte{9}), topics.Named("next.")
	secret := hasher.Derive("dedup keys")
	next.Group, next.Topics, next.Roles = "next", names, []kafka.Role{kafka.RoleIngest, kafka.RoleJoin, kafka.RoleDetect, kafka.RoleCorrelate}
	next.Manifest = topics.NewManifest(hasher, d.partitions, d.grid, d.dims)
	next.Ingest.Hasher, next.Ingest.SessionsTopic, next.Correlate.DedupSecret = hasher, names.Sessions, secret[:]
	begun := start(t, next)
	d.produce(t, "access", 2, events[half:])
	all := d.alerts(t, len(want), 5*time.Minute)
	compare(t, all, want)
	if n := len(reported); n == 0 || n == len(want) {
		t.Fatalf("%d alerts of %d came before the rotation: the leak does not run across it", n, len(want))
	}

	var got []string
	for deadline := time.Now().Add(5 * time.Minute); len(got) < len(want) && time.Now().Before(deadline); time.Sleep(time.Second) {
		got = nil
		_, _ = d.conn.ReadAll(t.Context(), names.Alerts, 0, func(r *kgo.Record) error { // it is not there at first
			got = append(got, string(r.Value))
			return nil
		})
	}
	if len(got) > 0 && alertingtest.EpisodeKey.FindString(got[0]) == alertingtest.EpisodeKey.FindString(want[0]) {
		t.Error("the keys of episodes do not follow from the record key")
	}
	compare(t, alertingtest.Numbered(got), alertingtest.Numbered(want))
	old.stop()
	begun.stop()
}

// leakOfFewRecords is traffic with leaks in it, and so few different records and forged
// tokens that they are counted exactly, since only then do two keys give the same numbers.
func leakOfFewRecords(t *testing.T) (out [][]byte) {
	c, err := simulate.New(simulate.Options{Scenario: "demo", Seed: 3, Days: 4, Scale: simulate.MinScale})
	if err != nil {
		t.Fatal(err)
	}
	var ev event.Event
	_, end := c.Span()
	until := end.Add(-3 * time.Hour).UnixMilli() // the thousandth token comes later
	for c.Next(&ev) && ev.Time < until {
		e := ev
		e.Records = slices.Clone(ev.Records)
		for i, id := range e.Records {
			h := fnv.New32a()
			_, _ = h.Write([]byte(id)) // never fails
			e.Records[i] = fmt.Sprint(h.Sum32() % 900)
		}
		out = append(out, event.AppendNative(nil, &e))
	}
	return out
}

var timeField = regexp.MustCompile(`"time":"([^"]+)"`)

// timeOf is the time of an event or an alert.
func timeOf(t *testing.T, line []byte) time.Time {
	t.Helper()
	m := timeField.FindSubmatch(line)
	if m == nil {
		t.Fatalf("no time in %s", line)
	}
	at, err := time.Parse(time.RFC3339, string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return at
}
