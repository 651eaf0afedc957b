package pagerduty

import (
	"context"

	"github.com/weirhq/weir/alerting"
)

// changeEvent is an event of PagerDuty's change API, which stands among the service's
// recent changes. It opens no incident and calls nobody.
type changeEvent struct {
	RoutingKey string        `json:"routing_key"`
	Payload    changePayload `json:"payload"`
}

type changePayload struct {
	Summary   string         `json:"summary"`
	Source    string         `json:"source"`
	Timestamp string         `json:"timestamp"`
	Details   map[string]any `json:"custom_details"` // encoding/json sorts it
}

// Beat tells the heartbeat as a change event.
func (p *PagerDuty) Beat(ctx context.Context, h *alerting.Heartbeat) (retry bool, err error) {
	r := h.Report(p.loc)
	details := map[string]any{"summary": r.Sentence, "figures": table(r.Figures)}
	for _, s := range r.Sections {
		details[s.Heading] = s.Lines
	}
	return p.send(ctx, p.change, &changeEvent{RoutingKey: p.key, Payload: changePayload{
		Summary: alerting.Clip(r.Title+". "+r.Sentence, maxSummary), Source: alerting.Clip("weir: "+h.Group, maxSource),
		Timestamp: h.Time.String(), Details: details,
	}})
}
