package slack_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/alerting/notify/notifytest"
)

func TestHeartbeatGolden(t *testing.T) {
	notifytest.Suite{Taken: notifytest.Say(200, `{"ok":true,"channel":"C1","ts":"1.2"}`)}.Heartbeats(t, *rewrite, bot)
}

// A heartbeat is a message of its own that asks for no answer, and keeps to Slack's rules.
func TestHeartbeat(t *testing.T) {
	s := fakesoc.New(fakesoc.Options{})
	server := httptest.NewServer(s)
	defer server.Close()
	d := bot(t, notifytest.Setup{URL: server.URL + "/api", Timeout: time.Minute, Now: time.Now})
	for name, h := range alertingtest.Heartbeats() {
		if _, err := d.Beat(t.Context(), h); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(s.State().Messages); n != len(alertingtest.Heartbeats()) {
		t.Errorf("%d messages", n)
	}
}
