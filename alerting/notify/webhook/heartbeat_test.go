package webhook

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify/notifytest"
)

// The body holds all of the heartbeat, and the id is that of its time.
func TestHeartbeat(t *testing.T) {
	for name, want := range alertingtest.Heartbeats() {
		r := notifytest.NewReceiver(t, false, notifytest.Answer(200))
		if _, err := build(t, notifytest.Setup{URL: r.URL, Now: time.Now}).Beat(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		q, got := r.Seen()[0], new(alerting.Heartbeat)
		if err := json.Unmarshal(q.Body, got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, got %s", name, err, q.Body)
		}
		if id := q.Header.Get("Webhook-Id"); id != "heartbeat_soc_1772528400000" {
			t.Errorf("%s: id %s", name, id)
		}
	}
}
