package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
)

// board is an Updater: its references count up, and it fails as told.
type board struct {
	given []string
	fail  []error
}

func (b *board) Name() string { return "board" }

func (b *board) Notify(ctx context.Context, a *alerting.Alert) (bool, error) {
	_, retry, err := b.Upsert(ctx, a, "")
	return retry, err
}

func (b *board) Beat(context.Context, *alerting.Heartbeat) (bool, error) { return false, nil }

func (b *board) Upsert(_ context.Context, _ *alerting.Alert, reference string) (string, bool, error) {
	b.given = append(b.given, reference)
	if n := len(b.given); n <= len(b.fail) && b.fail[n-1] != nil {
		return fmt.Sprintf("half-%d", n), true, b.fail[n-1]
	}
	return fmt.Sprintf("message-%d", len(b.given)), false, nil
}

// What the receiver called the message is recorded and handed back; also what a
// failed attempt already made is not made again.
func TestReferencesAreKept(t *testing.T) {
	b := &board{fail: []error{nil, errors.New("busy")}}
	env := noJitter
	env.Sleep = func(context.Context, time.Duration) error { return nil }
	d := NewDeliverer(b, Policy{}, env)
	reference := ""
	for range 2 {
		got, err := d.Deliver(t.Context(), &Message{Alert: alertingtest.Alert(), Reference: reference})
		if err != nil || got.Outcome != Delivered {
			t.Fatal(got, err)
		}
		read, err := ParseDelivery(got.AppendJSON(nil))
		if err != nil || *read != got {
			t.Fatalf("%+v reads back as %+v, %v", got, read, err)
		}
		reference = got.Reference
	}
	if want := []string{"", "message-1", "half-2"}; !slices.Equal(b.given, want) || reference != "message-3" {
		t.Errorf("handed %q and kept %q, want %q and message-3", b.given, reference, want)
	}
}

func TestReferenceOfOtherDestinations(t *testing.T) {
	got, err := NewDeliverer(&script{answers: []answer{ok}}, Policy{}, noJitter).Deliver(t.Context(), &Message{Alert: alertingtest.Alert(), Reference: "old"})
	if err != nil || got.Reference != "old" {
		t.Errorf("%+v, %v", got, err)
	}
	if b := string((&Delivery{}).AppendJSON(nil)); strings.Contains(b, "reference") {
		t.Errorf("an empty reference is written: %s", b)
	}
}

func TestFiring(t *testing.T) {
	var f Firing
	at := time.Unix(1_700_000_000, 0)
	alert := func(key string, s alerting.Status) *alerting.Alert { return &alerting.Alert{DedupKey: key, Status: s} }
	due := func(now time.Time) string {
		var keys []string
		for _, a := range f.Due(now) {
			keys = append(keys, a.DedupKey+" "+string(a.Status))
		}
		return strings.Join(keys, ", ")
	}
	f.Sent(alert("b", alerting.Open), at, time.Minute)
	f.Sent(alert("a", alerting.Open), at.Add(time.Second), time.Minute)
	f.Sent(alert("b", alerting.Update), at.Add(2*time.Second), time.Minute)
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{time.Minute, ""},
		{61 * time.Second, "a open"},
		{62 * time.Second, "b update, a open"},
	} {
		if got := due(at.Add(c.after)); got != c.want {
			t.Errorf("after %v: due are %q, want %q", c.after, got, c.want)
		}
	}
	f.Sent(alert("b", alerting.Close), at.Add(70*time.Second), time.Minute)
	f.Sent(alert("b", alerting.Close), at.Add(70*time.Second), time.Minute)
	if got := due(at.Add(time.Hour)); got != "a open" {
		t.Errorf("after the close of b, due are %q", got)
	}
	f.Sent(alert("b", alerting.Open), at.Add(80*time.Second), time.Minute)
	if got := due(at.Add(time.Hour)); got != "a open, b open" {
		t.Errorf("after b came back, due are %q", got)
	}
}
