package local_test

import (
	"fmt"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/local"
)

// Accounts that were left and keys that were revoked, and by which nobody acts, are listed:
// not those that act in another case, and whatever the number of tasks.
func TestNeverSeen(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	at := simulate.DefaultStart.UnixMilli()
	events := []event.Event{
		{Time: at, Actor: "Kim@Example.com", KeyID: "K1", Records: []string{"1"}},
		{Time: at + minute, Action: event.Leave, Subject: "kim@example.COM"},
		{Time: at + minute, Action: event.Leave, Subject: "AKim"},
		{Time: at + 2*minute, Action: event.Leave, Subject: "lee"},
		{Time: at + 3*minute, Action: event.Leave, Subject: "back"},
		{Time: at + 4*minute, Action: event.Join, Subject: "back"},
		{Time: at + 5*minute, Action: event.Revoke, KeyID: "K1"},
		{Time: at + 5*minute, Action: event.Revoke, KeyID: "k1"},
	}
	for _, tasks := range []int{1, 4} {
		runner := local.New(l.ingest(1), l.watchful(), l.correlate(1), []stream.Topic{{Name: "access", Partitions: 1}}, tasks)
		for _, ev := range events {
			runner.Fold(stream.Source{Topic: "access"}, stamp, &ev)
		}
		if _, err := runner.End(); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(runner.NeverSeen()); got != "{[lee akim] [k1]}" {
			t.Errorf("%d tasks: %s", tasks, got)
		}
	}
}
