package stream

import (
	"encoding/binary"
	"fmt"

	"github.com/weirhq/weir/sketches"
)

// batchVersion is the first byte of every record on weir.partials.
const batchVersion = 1

// Batch is one record on weir.partials: what one ingest task counted since its
// last commit for the identities of one partition, and how far its source
// partitions were taken in. A commit too large for one record is several
// batches; the last of them carries the progress.
type Batch struct {
	Dimensions []string // names; Partial.Dimension indexes them
	Topics     []Topic  // all source topics as the ingest task knows them; empty if not the last
	Progress   []Progress
	Facts      []FactRecord // told to every partition
	Spoke      []Spoke      // likewise: which source topics brought something, and when
	body       []byte       // encoded partials
}

// Partial is what one ingest task counted since its last commit for one
// identity in one tick.
type Partial struct {
	Dimension int
	Identity  []byte // aliases the batch
	Tick      int64  // the tick its events lie in
	// Apply is the tick at whose close it counts: Tick itself, or for late
	// events the tick that the event's own source partition had reached. It
	// follows from that partition's log alone, so a replay repeats it.
	Apply   int64
	Events  int64
	Rows    Rows
	Records sketches.Window
}

// appendBatchHeader begins a batch; what appendBroadcast writes and the partials
// follow.
func appendBatchHeader(b []byte, dimensions []string, topics []Topic, progress []Progress) []byte {
	b = append(b, batchVersion)
	b = binary.AppendUvarint(b, uint64(len(dimensions)))
	for _, d := range dimensions {
		b = appendString(b, d)
	}
	b = appendTopics(b, topics)
	return appendProgress(b, progress)
}

// appendBroadcast adds what every partition is told besides the progress.
func appendBroadcast(b []byte, facts []FactRecord, spoke []Spoke) []byte {
	return appendSpoke(appendFacts(b, facts), spoke)
}

func appendTopics(b []byte, topics []Topic) []byte {
	b = binary.AppendUvarint(b, uint64(len(topics)))
	for _, t := range topics {
		b = appendString(b, t.Name)
		b = binary.AppendUvarint(b, uint64(t.Partitions))
		b = binary.AppendVarint(b, t.Listed)
	}
	return b
}

func (r *reader) topics() (out []Topic) {
	for range r.count() {
		out = append(out, Topic{string(r.bytes()), int32(r.uvarint()), r.varint()})
	}
	return out
}

func appendProgress(b []byte, progress []Progress) []byte {
	b = binary.AppendUvarint(b, uint64(len(progress)))
	for _, p := range progress {
		b = appendString(b, p.Topic)
		b = binary.AppendUvarint(b, uint64(p.Partition))
		b = binary.AppendVarint(b, p.Offset)
		b = binary.AppendVarint(b, p.MaxTime)
		idle := byte(0)
		if p.Idle {
			idle = 1
		}
		b = append(b, idle)
	}
	return b
}

func (r *reader) progress() []Progress {
	n := r.count()
	out := make([]Progress, 0, min(n, 1024))
	for range n {
		if r.err != nil {
			return nil
		}
		out = append(out, Progress{
			Source:  Source{string(r.bytes()), int32(r.uvarint())},
			Offset:  r.varint(),
			MaxTime: r.varint(),
			Idle:    r.byte() != 0,
		})
	}
	return out
}

// DecodeBatch reads the header of a batch; Partials reads the rest. The batch
// aliases value.
func DecodeBatch(value []byte) (*Batch, error) {
	r := reader{b: value}
	r.version(batchVersion)
	out := &Batch{}
	for range r.count() {
		out.Dimensions = append(out.Dimensions, string(r.bytes()))
	}
	out.Topics = r.topics()
	out.Progress = r.progress()
	out.Facts = r.facts()
	out.Spoke = r.spoke()
	out.body = r.b
	if r.err != nil {
		return nil, fmt.Errorf("reading a batch of partials: %w", r.err)
	}
	return out, nil
}

// Partials hands each partial to yield, which may keep its Records and Rows
// but not its Identity.
func (b *Batch) Partials(yield func(*Partial)) error {
	r := reader{b: b.body}
	var p Partial
	for len(r.b) > 0 {
		p.Dimension = int(r.uvarint())
		p.Identity = r.bytes()
		if p.Dimension >= len(b.Dimensions) {
			r.fail("unknown dimension")
		}
		for range r.count() {
			p.Tick = r.varint()
			p.Apply = p.Tick + int64(r.uvarint())
			p.Events = int64(r.uvarint())
			p.Rows = r.rows()
			if r.err != nil {
				break
			}
			var err error
			if p.Records, r.b, err = sketches.DecodeWindow(r.b); err != nil {
				return fmt.Errorf("reading a partial: %w", err)
			}
			yield(&p)
		}
		if r.err != nil {
			return fmt.Errorf("reading a batch of partials: %w", r.err)
		}
	}
	return nil
}
