package alertingtest

import (
	"fmt"

	"github.com/weirhq/weir/alerting"
)

// Heartbeats are heartbeats that every destination must be able to say, by name.
func Heartbeats() map[string]*alerting.Heartbeat {
	return map[string]*alerting.Heartbeat{
		"heartbeat-quiet": quiet(), "heartbeat-busy": busy(), "heartbeat-hostile": hostileHeartbeat(),
	}
}

// quiet tells of a day on which there was nothing to tell.
func quiet() *alerting.Heartbeat {
	const hour, due = 3600_000, alerting.Time(1772528400000) // Tue 3 Mar 2026 09:00 UTC
	return &alerting.Heartbeat{
		Schema: alerting.Schema, Type: alerting.HeartbeatType, Group: "weir", Destination: "soc",
		Due: due, Time: due + 800, Since: due - 24*hour, Next: due + 24*hour, Reached: due - hour/2, Events: 43_200_000,
		Thresholds: []alerting.Limit{
			{Dimension: "user", Group: "volume", Nats: 7.6}, {Dimension: "user", Group: "novelty", Nats: 9.25}, {Dimension: "key", Group: "volume", Nats: 3},
		},
		Settings: &alerting.InForce{Since: due - 300*hour, By: "weir (uid 998) on weir-0"},
	}
}

// busy tells of everything that there can be to tell.
func busy() *alerting.Heartbeat {
	h := quiet()
	h.Messages, h.Opened, h.Open, h.Waiting, h.Rejected, h.Refused = 7, 3, 5, 1_200, 12, 289
	h.Held = []alerting.Held{
		{By: "config", Name: "nightly-export", Owner: "data-platform@example.com", Alerts: 12},
		{By: "verdict", Name: "3f2a", Owner: "kim@example.com", Alerts: 2}, {By: "campaign", Alerts: 1},
	}
	h.Expected = []alerting.Awaits{
		{By: "config", Name: "nightly-export", What: "user svc-export-*", Owner: "data-platform@example.com", Reason: "exports to the warehouse every night", Until: h.Due + 60*24*3600_000},
		{By: "verdict", Name: "3f2a", What: "user kim", Owner: "lee@example.com", Reason: "yearly audit, CHG-88", Until: h.Due + 24*3600_000},
	}
	h.Faults = []string{"Destination pager fails, 12 attempts at its message so far: posting to events.pagerduty.com: no answer in time"}
	return h
}

// hostileHeartbeat has texts that try to be more than text, and too many of them.
func hostileHeartbeat() *alerting.Heartbeat {
	h, evil := busy(), "<!channel> <https://evil.example|ok> \x1b[2J`*_[x](y)|=\\\r\nBcc: x@evil.example <script>alert(1)</script> 고객"
	for i := range 40 {
		h.Expected = append(h.Expected, alerting.Awaits{By: "config", Name: fmt.Sprint(i, evil), What: evil, Owner: evil, Reason: evil, Until: h.Next})
		h.Held = append(h.Held, alerting.Held{By: "config", Name: evil, Owner: evil, Alerts: 1})
		h.Faults = append(h.Faults, evil)
	}
	h.Settings.By = evil
	return h
}
