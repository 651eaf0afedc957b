package ocsf

import (
	"context"
	"fmt"
	"time"

	"github.com/weirhq/weir/alerting"
)

// baseEvent is a Base Event (class 0), since OCSF has no class for the word of a
// detector that it watches.
type baseEvent struct {
	classified
	StatusID int      `json:"status_id"`
	Status   string   `json:"status"`
	Message  string   `json:"message"`
	Metadata metadata `json:"metadata"` // required
	Unmapped unmapped `json:"unmapped"`
}

// Beat writes the heartbeat. Its key is that of all heartbeats of the deployment.
func (t *Topic) Beat(ctx context.Context, h *alerting.Heartbeat) (retry bool, err error) {
	value, err := EncodeHeartbeat(h, t.o.Version, t.o.Location)
	if err != nil {
		return false, err
	}
	return t.write(ctx, []byte(alerting.HeartbeatType+" "+h.Group), value)
}

// EncodeHeartbeat returns the heartbeat as one line of JSON, a Base Event.
func EncodeHeartbeat(h *alerting.Heartbeat, version string, loc *time.Location) ([]byte, error) {
	r := h.Report(loc)
	e := baseEvent{
		classified: classified{
			ActivityID: 99, Activity: "Heartbeat", Category: "Uncategorized", Class: "Base Event", TypeUID: 99, Type: "Base Event: Other",
			Time: int64(h.Time), StartTime: int64(h.Since), EndTime: int64(h.Time), SeverityID: 1, Severity: "Informational",
		},
		StatusID: 1, Status: "Success", Message: r.Title + ". " + r.Sentence,
		Metadata: metadata{Version: SchemaVersion, UID: h.MessageID(), Product: product{"weir", "weirhq", version}, LogName: alerting.HeartbeatType},
		Unmapped: unmapped{h.AppendJSON(nil)},
	}
	if !h.Sound() {
		e.SeverityID, e.Severity, e.StatusID, e.Status = 3, "Medium", 2, "Failure"
	}
	line, err := encode(&e)
	if err != nil {
		return nil, fmt.Errorf("encoding a heartbeat: %w", err)
	}
	return line, nil
}
