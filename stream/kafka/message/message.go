// Package message hands a record of Kafka to the decoder of its format, after its
// schema, where its topic has a registry of schemas, has made JSON of it.
package message

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/stream/kafka/registry"
)

// Source says how the records of a topic become events.
type Source struct {
	Format  *fieldmap.Format
	Schemas *registry.Registry // nil: no value carries the id of a schema
}

// Decoder makes events of the records of one topic. Each goroutine has its own.
type Decoder struct {
	fields  *fieldmap.Decoder
	schemas *registry.Registry
	value   []byte // scratch
}

// NewDecoder returns a decoder of the source.
func (s Source) NewDecoder() *Decoder {
	return &Decoder{fields: s.Format.NewDecoder(), schemas: s.Schemas}
}

// Decoders returns a decoder of each source, by topic.
func Decoders(sources map[string]Source) map[string]*Decoder {
	out := make(map[string]*Decoder, len(sources))
	for topic, s := range sources {
		out[topic] = s.NewDecoder()
	}
	return out
}

// Decode hands each event of a record to yield, as the decoder makes it. A format that
// takes nothing of a record but its value is not given the rest. The error is that the
// registry of schemas does not answer; then nothing is known of the record.
func (d *Decoder) Decode(ctx context.Context, rec *kgo.Record, yield func(*event.Event, *event.Reject)) error {
	value := rec.Value
	if d.schemas != nil {
		if cap(d.value) > jsonscan.MaxKept {
			d.value = nil
		}
		out, reason, ok, err := d.schemas.AppendJSON(ctx, d.value[:0], value)
		if err != nil {
			return fmt.Errorf("decoding %s, partition %d, offset %d: %w", rec.Topic, rec.Partition, rec.Offset, err)
		}
		if d.value = out; !ok {
			yield(nil, &event.Reject{Reason: reason, Index: -1, Offset: -1})
			return nil
		}
		value = out
	}
	d.fields.WrittenAt(rec.Timestamp.UnixMilli())
	if !d.fields.Format().UsesMessage() {
		d.fields.Decode(value, yield)
		return nil
	}
	m := fieldmap.Message{Topic: rec.Topic, Key: rec.Key, Value: value, Timestamp: rec.Timestamp.UnixMilli()}
	for _, h := range rec.Headers {
		m.Headers = append(m.Headers, fieldmap.Header{Name: h.Key, Value: h.Value})
	}
	d.fields.DecodeMessage(&m, yield)
	return nil
}
