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
	out.SignIns = r.signIns()
	out.body = r.b
	if r.err != nil {
		return nil, fmt.Errorf("reading a batch of partials: %w", r.err)
	}
	return out, nil
}
