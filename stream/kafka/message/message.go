// Package message hands a record of Kafka to the decoder of its format.
package message

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
)

// Decode hands each event of a record to yield, as the decoder makes it. A format that
// takes nothing of a record but its value is not given the rest.
func Decode(d *fieldmap.Decoder, rec *kgo.Record, yield func(*event.Event, *event.Reject)) {
	if !d.Format().UsesMessage() {
		d.Decode(rec.Value, yield)
		return
	}
	m := fieldmap.Message{Topic: rec.Topic, Key: rec.Key, Value: rec.Value, Timestamp: rec.Timestamp.UnixMilli()}
	for _, h := range rec.Headers {
		m.Headers = append(m.Headers, fieldmap.Header{Name: h.Key, Value: h.Value})
	}
	d.DecodeMessage(&m, yield)
}
