package notify

import (
	"fmt"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// deliveryDetector is the detector of alerts about deliveries.
const deliveryDetector = "delivery"

// NewUndelivered returns the alert by which another destination says that an
// alert will never reach the destination named. undelivered is that alert, or nil
// if it could not even be read; key is its dedup key; at is when it was given up.
// last says that further dead letters of that destination are only counted for a
// while.
func NewUndelivered(undelivered *alerting.Alert, key, destination, reason string, at alerting.Time, last bool) *alerting.Alert {
	what, severity, status := "An alert that could not be read", episode.High, alerting.Status("")
	if undelivered != nil {
		what = fmt.Sprintf("The %s alert about %s %s", undelivered.Severity, undelivered.Dimension, undelivered.Identity)
		severity, status = undelivered.Severity, undelivered.Status
	}
	a := &alerting.Alert{
		Schema: alerting.Schema, DedupKey: alerting.DedupKey(alerting.DestinationDimension, destination+"\x00"+key, 0), Status: alerting.Open, Time: at, Onset: at,
		Kind: alerting.KindFact, Dimension: alerting.DestinationDimension, Identity: destination, Detector: deliveryDetector, Fact: alerting.Undelivered,
		Severity: severity, Confidence: episode.Certain,
		Detail: map[string]string{"undelivered": key, "reason": alerting.Printable(reason, MaxReason)},
		Summary: alerting.Printable(fmt.Sprintf("%s (%s) could not be delivered to %s and will not be tried again: %s. It is kept among the dead letters.",
			what, key, destination, reason), 2*MaxReason),
		Exposed: alerting.Exposed{Since: at},
		Checks: []string{
			"Read the undelivered alert: it stands under its key on the alerts topic.",
			"Mend the destination: its credential, its address, or what it refuses.",
			"Look how many more it has refused: the metric weir_deliveries_total, or the dead-undelivered topic.",
		},
	}
	if status != "" {
		a.Detail["status"] = string(status)
	}
	if last {
		a.Detail["more"] = "counted only"
		a.Summary += " Further ones of this destination are only counted for a day."
	}
	return a
}
