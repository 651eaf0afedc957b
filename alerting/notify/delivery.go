package notify

import (
	"fmt"
	"strconv"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/internal/jsonline"
)

// Outcome tells how the delivery of one message to one destination ended.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered" // the receiver took it
	Rejected  Outcome = "rejected"  // the receiver refused it for good; a person must change something
	GivenUp   Outcome = "given_up"  // attempts or time ran out while the receiver was failing
)

func (o Outcome) valid() bool { return o == Delivered || o == Rejected || o == GivenUp }

// Delivery is the record in the delivery log of how the delivery of one message
// to one destination ended. A message that was not delivered becomes a dead
// letter: the record says why, and the alert itself stands under its key on
// weir.alerts.
type Delivery struct {
	DedupKey    string          `json:"dedup_key"`
	Status      alerting.Status `json:"status"`
	Time        alerting.Time   `json:"time"` // event time of the alert
	Destination string          `json:"destination"`
	Outcome     Outcome         `json:"outcome"`
	Attempts    int             `json:"attempts"`            // how many were made, the last one included
	Reason      string          `json:"reason,omitempty"`    // why not, or what the last failed attempt said; no secrets
	Reference   string          `json:"reference,omitempty"` // what the receiver calls the episode's message, see Updater
	At          alerting.Time   `json:"at"`                  // wall clock at the outcome
}

// MaxReason bounds the reason of a delivery record, in bytes.
const MaxReason = 512

// AppendJSON appends the record as one line of JSON, without the newline, with
// its keys in the order of the struct; an empty reason or reference is left out.
func (d *Delivery) AppendJSON(b []byte) []byte {
	b = jsonline.Text(b, `{"dedup_key":`, d.DedupKey)
	b = jsonline.Text(b, `,"status":`, string(d.Status))
	b = jsonline.Time(b, `,"time":`, d.Time.Std())
	b = jsonline.Text(b, `,"destination":`, d.Destination)
	b = jsonline.Text(b, `,"outcome":`, string(d.Outcome))
	b = append(b, `,"attempts":`...)
	b = strconv.AppendInt(b, int64(d.Attempts), 10)
	if d.Reason != "" {
		b = jsonline.Text(b, `,"reason":`, d.Reason)
	}
	b = jsonline.Optional(b, `,"reference":`, d.Reference)
	b = jsonline.Time(b, `,"at":`, d.At.Std())
	return append(b, '}')
}

// ParseDelivery reads one record as AppendJSON writes it; unknown keys are
// ignored.
func ParseDelivery(b []byte) (*Delivery, error) {
	d := new(Delivery)
	if err := jsonline.Parse(b, d); err != nil {
		return nil, fmt.Errorf("reading a delivery record: %w", err)
	}
	switch {
	case d.DedupKey == "":
		return nil, fmt.Errorf("reading a delivery record: dedup_key is missing or empty")
	case d.Destination == "":
		return nil, fmt.Errorf("reading a delivery record: destination is missing or empty")
	case !d.Status.Valid():
		return nil, fmt.Errorf("reading a delivery record: status is %q, want open, update or close", d.Status)
	case !d.Outcome.valid():
		return nil, fmt.Errorf("reading a delivery record: outcome is %q, want delivered, rejected or given_up", d.Outcome)
	}
	return d, nil
}
