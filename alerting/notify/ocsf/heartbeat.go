package ocsf

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/weirhq/weir/alerting"
)

// baseEvent is a Base Event (class 0), since OCSF has no class for the word of a
// detector that it watches. A comment marks the attributes that OCSF requires.
type baseEvent struct {
	ActivityID  int      `json:"activity_id"` // required
	Activity    string   `json:"activity_name"`
	CategoryUID int      `json:"category_uid"` // required
	Category    string   `json:"category_name"`
	ClassUID    int      `json:"class_uid"` // required
	Class       string   `json:"class_name"`
	TypeUID     int      `json:"type_uid"` // required
	Type        string   `json:"type_name"`
	Time        int64    `json:"time"` // required; Unix milliseconds
	StartTime   int64    `json:"start_time"`
	EndTime     int64    `json:"end_time"`
	SeverityID  int      `json:"severity_id"` // required
	Severity    string   `json:"severity"`
	StatusID    int      `json:"status_id"`
	Status      string   `json:"status"`
	Message     string   `json:"message"`
	Metadata    metadata `json:"metadata"` // required
	Unmapped    unmapped `json:"unmapped"`
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
		ActivityID: 99, Activity: "Heartbeat", Category: "Uncategorized", Class: "Base Event", TypeUID: 99, Type: "Base Event: Other",
		Time: int64(h.Time), StartTime: int64(h.Since), EndTime: int64(h.Time),
		SeverityID: 1, Severity: "Informational", StatusID: 1, Status: "Success", Message: r.Title + ". " + r.Sentence,
		Metadata: metadata{Version: SchemaVersion, UID: h.MessageID(), Product: product{"weir", "weirhq", version}, LogName: alerting.HeartbeatType},
		Unmapped: unmapped{h.AppendJSON(nil)},
	}
	if !h.Sound() {
		e.SeverityID, e.Severity, e.StatusID, e.Status = 3, "Medium", 2, "Failure"
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&e); err != nil {
		return nil, fmt.Errorf("encoding a heartbeat: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
