package pagerduty_test

import (
	"testing"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify/notifytest"
)

func TestHeartbeatGolden(t *testing.T) {
	notifytest.Suite{Taken: notifytest.Say(202, `{"status":"success"}`)}.Heartbeats(t, *rewrite, build)
}

// A heartbeat is a change event: it opens no incident, and keeps to PagerDuty's rules.
func TestHeartbeatCallsNobody(t *testing.T) {
	s, p := soc(t)
	for name, h := range alertingtest.Heartbeats() {
		if _, err := p.Beat(t.Context(), h); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if state := s.State(); len(state.Incidents) != 0 || len(state.Changes) != len(alertingtest.Heartbeats()) {
		t.Errorf("%d incidents, %d changes", len(state.Incidents), len(state.Changes))
	}
}
