package explain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

// A source that sends an event again, in the same hour or later, sends its id
// again. It counts once; events without ids count as often as they come.
func TestRepeatedEventsCountOnce(t *testing.T) {
	dim, err := event.ParseDimension("user", []string{"actor"})
	if err != nil {
		t.Fatal(err)
	}
	const bin = 1000 * eventtime.Hour
	a := &alerting.Alert{Dimension: "user", Identity: "ana", Time: alerting.Time(bin + eventtime.Hour)}
	a.Evidence.Bin, a.Evidence.BinWidth = alerting.Time(bin), "1h0m0s"
	c := NewRecount(a, dim, event.Hasher{}, 90*24*eventtime.Hour)
	for range 9 {
		for i := range 6 {
			c.Observe(&event.Event{ID: fmt.Sprint("e", i), Time: bin + int64(i), Action: event.Export, Actor: "ana", Rows: 97})
		}
	}
	for range 2 {
		c.Observe(&event.Event{Time: bin, Action: event.Read, Actor: "ana", Records: []string{"1"}, Rows: 5})
	}
	c.Observe(&event.Event{ID: "e0", Time: bin, Action: event.Export, Actor: "bob", Rows: 1000})
	for _, want := range []string{"from 8 events of this identity", "it read 590 rows"} { // 6 × 97 and 2 × 4
		if got := strings.Join(c.Remarks(), "\n"); !strings.Contains(got, want) {
			t.Errorf("the remarks lack %q:\n%s", want, got)
		}
	}
}
