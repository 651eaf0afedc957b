package stream

import (
	"encoding/binary"
	"fmt"
)

// batchVersion is the first byte of every record on weir.partials.
const batchVersion = 2

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
	SignIns    []SignIn     // of accounts of the partition
	body       []byte       // encoded partials
}

// appendBatchHeader begins a batch; what appendBroadcast and appendSignIns write
// and the partials follow.
func appendBatchHeader(b []byte, dimensions []string, topics []Topic, progress []Progress) []byte {
	b = append(b, batchVersion)
	b = appendList(b, dimensions, func(b []byte, name *string) []byte { return appendString(b, *name) })
	b = appendTopics(b, topics)
	return appendProgress(b, progress)
}

// appendBroadcast adds what every partition is told besides the progress.
func appendBroadcast(b []byte, facts []FactRecord, spoke []Spoke) []byte {
	return appendSpoke(appendFacts(b, facts), spoke)
}

func appendTopics(b []byte, topics []Topic) []byte {
	return appendList(b, topics, func(b []byte, t *Topic) []byte {
		b = appendString(b, t.Name)
		b = binary.AppendUvarint(b, uint64(t.Partitions))
		return binary.AppendVarint(b, t.Listed)
	})
}

func (r *reader) topics() []Topic {
	return readList(r, func() Topic { return Topic{string(r.bytes()), int32(r.uvarint()), r.varint()} })
}

func appendProgress(b []byte, progress []Progress) []byte {
	return appendList(b, progress, func(b []byte, p *Progress) []byte {
		b = appendString(b, p.Topic)
		b = binary.AppendUvarint(b, uint64(p.Partition))
		b = binary.AppendVarint(b, p.Offset)
		b = binary.AppendVarint(b, p.MaxTime)
		idle := byte(0)
		if p.Idle {
			idle = 1
		}
		return append(b, idle)
	})
}

func (r *reader) progress() []Progress {
	return readList(r, func() Progress {
		return Progress{
			Source:  Source{string(r.bytes()), int32(r.uvarint())},
			Offset:  r.varint(),
			MaxTime: r.varint(),
			Idle:    r.byte() != 0,
		}
	})
}

// DecodeBatch reads the header of a batch; Partials reads the rest. The batch
// aliases value.
func DecodeBatch(value []byte) (*Batch, error) {
	r := reader{b: value}
	r.version(batchVersion)
	out := &Batch{}
	out.Dimensions = readList(&r, func() string { return string(r.bytes()) })
	out.Topics = r.topics()
	out.Progress = r.progress()
	out.Facts = r.facts()
	out.Spoke = r.spoke()
	out.SignIns = r.signIns()
	out.body = r.b
	if r.err != nil {
		return nil, fmt.Errorf("reading a batch of partials: %w", r.err)
	}
	return out, nil
}
