package deliver

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
)

// Headers of a dead letter. Its key is the alert's dedup key, its value the
// alert.
const (
	headerDestination = "destination" // that did not take it
	headerReason      = "reason"
	headerReportBy    = "report-by" // the destination that reports it; absent: nobody does
	headerLast        = "report-last"
)

// deadLetter returns the record of what the destination will never take. That
// is reported once, by another destination, unless it is itself such a report,
// or there is no other, or too many have been.
func (r *run) deadLetter(key, value []byte, reason string, report bool) *kgo.Record {
	rec := &kgo.Record{Topic: r.Topics.DeadLetters, Key: key, Value: value, Headers: []kgo.RecordHeader{
		{Key: headerDestination, Value: []byte(r.Dest.Name())},
		{Key: headerReason, Value: []byte(alerting.Printable(reason, notify.MaxReason))},
	}}
	if !report || r.Other == "" {
		return rec
	}
	if report, last := r.outbox.mayReport(time.Now()); report {
		rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: headerReportBy, Value: []byte(r.Other)})
		if last {
			rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: headerLast})
		}
	}
	return rec
}

// report returns what a dead letter of another destination says here, or nil
// if it is not for this one to say.
func (r *run) report(rec *kgo.Record) *alerting.Alert {
	h := map[string]string{}
	last := false
	for _, header := range rec.Headers {
		h[header.Key] = string(header.Value)
		last = last || header.Key == headerLast
	}
	if h[headerReportBy] != r.Dest.Name() {
		return nil
	}
	undelivered, err := alerting.ParseAlert(rec.Value)
	if err != nil {
		undelivered = nil // why it cannot be read is the reason in the header
	}
	return notify.NewUndelivered(undelivered, string(rec.Key), h[headerDestination], h[headerReason], alerting.Time(rec.Timestamp.UnixMilli()), last)
}
