package fieldmap

import (
	"strconv"
	"strings"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
)

// Message is a record of Kafka: its value, and what stands beside it.
type Message struct {
	Topic     string
	Key       []byte
	Value     []byte
	Headers   []Header
	Timestamp int64 // Unix milliseconds
}

// Header is one header of a Message.
type Header struct {
	Name  string
	Value []byte
}

// messagePath begins a path into the message, beside its value: the topic, key,
// timestamp or headers.
const messagePath = "$kafka."

// besideValue is what events refer to of the message.
type besideValue struct {
	pattern *jsonscan.Pattern
	imports []imported
}

// UsesMessage reports whether the format takes anything of a message beside its
// value.
func (f *Format) UsesMessage() bool { return f.message != nil }

// DecodeMessage is Decode of a message's value, with the rest of it in reach.
func (d *Decoder) DecodeMessage(m *Message, yield func(ev *event.Event, rej *event.Reject)) {
	d.message, d.messageKept = m, false
	d.Decode(m.Value, yield)
	d.message = nil
}

// beside copies what an event refers to of the message into its slots.
func (d *Decoder) beside() {
	if d.message == nil {
		return
	}
	if !d.messageKept { // once for all events of a value
		d.messageKept = true
		from := len(d.buf)
		d.buf = d.message.append(d.buf)
		d.besideScan.Reset(d.buf, d.f.message.pattern)
		d.besideScan.Value(from, &d.f.message.pattern.Root, 0)
	}
	d.bring(d.f.message.imports, &d.besideScan)
}

// append appends what stands beside the value as a JSON object.
func (m *Message) append(b []byte) []byte {
	b = append(b, `{"topic":`...)
	b = event.AppendText(b, m.Topic)
	b = append(b, `,"timestamp":`...)
	b = strconv.AppendInt(b, m.Timestamp, 10)
	if m.Key != nil {
		b = append(b, `,"key":`...)
		b = event.AppendText(b, string(m.Key))
	}
	b = append(b, `,"headers":{`...)
	for i, h := range m.Headers {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(event.AppendText(b, h.Name), ':')
		b = event.AppendText(b, string(h.Value))
	}
	return append(b, "}}"...)
}

// fromMessage returns the slot, or the list, of an event for a path into the message.
func (c *compiler) fromMessage(path string, list bool) (int, error) {
	steps, err := jsonscan.ParsePath(strings.TrimPrefix(path, messagePath))
	if err != nil {
		return 0, err
	}
	f := c.format
	if f.message == nil {
		f.message = &besideValue{pattern: jsonscan.NewPattern()}
	}
	im := imported{list: list}
	if list {
		im.from, err = f.message.pattern.List(steps)
		im.to = f.pattern.Lists
		f.pattern.Lists++
	} else {
		im.from, err = f.message.pattern.Slot(steps)
		im.to = f.pattern.Slots
		f.pattern.Slots++
	}
	f.message.imports = append(f.message.imports, im)
	return im.to, err
}
