package alertmanager_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/alerting/notify/notifytest"
)

func TestHeartbeatGolden(t *testing.T) {
	notifytest.Suite{Taken: notifytest.Answer(200)}.Heartbeats(t, *rewrite, build)
}

// A heartbeat fires as long as it is told again, as one alert however often it changes.
func TestHeartbeatFires(t *testing.T) {
	now := notifytest.Now
	clock := func() time.Time { return now }
	s := fakesoc.New(fakesoc.Options{Now: clock})
	server := httptest.NewServer(s)
	defer server.Close()
	d := open(t, notifytest.Setup{URL: server.URL, Now: clock})
	for name, h := range alertingtest.Heartbeats() {
		now = now.Add(3 * time.Minute)
		if _, err := d.Beat(t.Context(), h); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if list := s.State().Alerts; len(list) != 1 || !list[0].Firing {
			t.Errorf("%s: %+v", name, list)
		}
	}
	now = now.Add(4 * time.Minute)
	if s.State().Alerts[0].Firing {
		t.Error("it fires though nobody has told it again")
	}
}
