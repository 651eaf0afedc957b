package kafka_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/stream/kafka/task"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Who brings other settings into force is alerted of, once, with what has changed, also
// where the process that did it was stopped before the next tick.
func TestSettingsChanged(t *testing.T) { inBubble(t, testSettingsChanged) }

func testSettingsChanged(t *testing.T) {
	d := newDeployment(t, 1)
	d.prepare(t)
	events := traffic(t, "greedy-agent", 1, 1, 0.1)
	half := len(events) / 2
	d.produce(t, "access", 1, events[:half])
	run := func(settings, by string, span time.Duration) {
		p := d.options(t, "p")
		p.Settings = task.InForce{JSON: []byte(settings), By: map[string]string{task.ByRunner: by}}
		stop := start(t, p).stop
		defer stop()
		time.Sleep(span)
	}
	run(`{"config":{"Alerts":{"Budget":2}}}`, "kim on a", time.Minute)
	run(`{"config":{"Alerts":{"Budget":20}}}`, "eve on b", 20*time.Second) // no event comes meanwhile
	d.deal(t, "access", 1, events[half:], func(int) int32 { return 0 })
	run(`{"config":{"Alerts":{"Budget":20}}}`, "kim on a", 2*time.Minute)
	var reported []*alerting.Alert
	for _, rec := range d.records(t, "weir.alerts", 1) {
		if a, err := alerting.ParseAlert(rec.Value); err != nil {
			t.Fatal(err)
		} else if a.Fact == fact.SettingsChanged && a.Status == alerting.Open {
			reported = append(reported, a)
		}
	}
	if len(reported) != 1 {
		t.Fatalf("%d alerts of changed settings, want 1", len(reported))
	}
	a := reported[0]
	if a.Dimension != "settings" || !strings.HasPrefix(a.Identity, "weir ") || a.Detail["changed"] != "alerts.budget: 2 → 20" || a.Detail[task.ByRunner] != "eve on b" {
		t.Errorf("%s %s, %v", a.Dimension, a.Identity, a.Detail)
	}
	values, found := d.ledger(t)
	if found.Fault != nil || !slices.ContainsFunc(values, func(v []byte) bool { return strings.Contains(string(v), `"fact":"settings_changed"`) }) {
		t.Errorf("the ledger does not hold the alert; %+v", found.Fault)
	}
}

// Who throws weir's state away begins anew with what is done from then on as usual: people
// are alerted of it, although the settings are what they were.
func TestLostStateIsAlertedOf(t *testing.T) { inBubble(t, testLostStateIsAlertedOf) }

func testLostStateIsAlertedOf(t *testing.T) {
	d := newDeployment(t, 1)
	d.prepare(t)
	d.produce(t, "access", 1, traffic(t, "greedy-agent", 1, 1, 0.1))
	p := d.options(t, "p")
	p.Settings = task.InForce{JSON: []byte(`{"config":{}}`), By: map[string]string{task.ByRunner: "eve on b"}}
	run := func() (reported []string) {
		stop := start(t, p).stop
		time.Sleep(2 * time.Minute)
		stop()
		values, _ := d.ledger(t)
		for _, v := range values {
			if strings.Contains(string(v), `"fact":"settings_changed"`) {
				reported = append(reported, string(v))
			}
		}
		return reported
	}
	if reported := run(); len(reported) != 0 {
		t.Errorf("at the first start people are alerted of %q", reported)
	}
	if err := topics.Reset(t.Context(), &d.conn, p.Group, topics.Named("weir.").Specs(d.partitions), 1, []string{"access"}, 0); err != nil {
		t.Fatal(err)
	}
	if reported := run(); len(reported) != 1 || !strings.Contains(reported[0], "all that weir had learned is gone") || !strings.Contains(reported[0], "eve on b") {
		t.Errorf("after the reset people are alerted of %q", reported)
	}
	if reported := run(); len(reported) != 1 {
		t.Errorf("at the next start people are alerted of %q", reported)
	}
}
