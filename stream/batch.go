package stream

import (
	"encoding/binary"
	"fmt"

	"github.com/weirhq/weir/internal/wire"
)

// batchVersion is the first byte of every record on weir.partials.
const batchVersion = 4

// Batch is one record on weir.partials: what one ingest task counted since its
// last commit for the identities of one partition, and how far its source
// partitions were taken in. A commit too large for one record is several
// batches; the last of them carries the progress.
type Batch struct {
	Dimensions    []string // names; Partial.Dimension indexes them
	Topics        []Topic  // all source topics as the ingest task knows them; empty if not the last
	Progress      []Progress
	Facts         []FactRecord   // told to every partition
	ActiveSources []ActiveSource // told to every partition: which sources brought something, and when
	SignIns       []SignIn       // of accounts of the partition
	Handover      *Handover      // nil: none; where there is one, there is nothing else
	Body          []byte         // encoded partials
}

// AppendBatchHeader begins a batch. What AppendBroadcast and AppendSignIns write
// follows, and then the partials.
func AppendBatchHeader(b []byte, dimensions []string, topics []Topic, progress []Progress) []byte {
	b = append(b, batchVersion)
	b = wire.AppendList(b, dimensions, func(b []byte, name *string) []byte { return wire.AppendText(b, *name) })
	b = AppendTopics(b, topics)
	return AppendProgress(b, progress)
}

// AppendBroadcast appends what every partition is told besides the progress.
func AppendBroadcast(b []byte, facts []FactRecord, active []ActiveSource) []byte {
	return appendActiveSources(appendFacts(b, facts), active)
}

// AppendTopics appends the binary form of a list of topics.
func AppendTopics(b []byte, topics []Topic) []byte {
	return wire.AppendList(b, topics, func(b []byte, t *Topic) []byte {
		b = wire.AppendText(b, t.Name)
		b = binary.AppendUvarint(b, uint64(t.Partitions))
		return binary.AppendVarint(b, t.Listed)
	})
}

// ReadTopics reads what AppendTopics wrote.
func ReadTopics(r *wire.Reader) []Topic {
	return wire.List(r, func() Topic { return Topic{r.Text(), int32(r.Uvarint()), r.Varint()} })
}

// AppendProgress appends the binary form of a list of progress.
func AppendProgress(b []byte, progress []Progress) []byte {
	return wire.AppendList(b, progress, func(b []byte, p *Progress) []byte {
		b = wire.AppendText(b, p.Topic)
		b = binary.AppendUvarint(b, uint64(p.Partition))
		b = binary.AppendVarint(b, p.Offset)
		b = binary.AppendVarint(b, p.MaxTime)
		return wire.AppendBool(b, p.Idle)
	})
}

// ReadProgress reads what AppendProgress wrote.
func ReadProgress(r *wire.Reader) []Progress {
	return wire.List(r, func() Progress {
		return Progress{
			Source:  Source{r.Text(), int32(r.Uvarint())},
			Offset:  r.Varint(),
			MaxTime: r.Varint(),
			Idle:    r.Bool(),
		}
	})
}

// DecodeBatch reads the header of a batch; Partials reads the rest. The batch
// aliases value.
func DecodeBatch(value []byte) (*Batch, error) {
	if len(value) > 0 && value[0] == handoverVersion {
		h, err := decodeHandover(value)
		return &Batch{Handover: h}, err
	}
	r := wire.NewReader(value)
	r.Version(batchVersion)
	out := &Batch{}
	out.Dimensions = wire.List(&r, r.Text)
	out.Topics = ReadTopics(&r)
	out.Progress = ReadProgress(&r)
	out.Facts = readFacts(&r)
	out.ActiveSources = readActiveSources(&r)
	out.SignIns = readSignIns(&r)
	out.Body = r.Rest()
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("reading a batch of partials: %w", err)
	}
	return out, nil
}

// MaxBatch is the size past which a record on weir.partials is closed, and
// TicksPerGroup how many ticks of one identity go into it in one piece, so that
// the record stays below the 1 MiB that brokers accept by default.
const (
	MaxBatch      = 500_000
	TicksPerGroup = 4
)

// PartitionOf spreads identities over the partitions of weir.partials. The
// function is part of the state's version: FNV-1a of dimension byte and name.
func PartitionOf[T string | []byte](key T) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return h ^ h>>32
}
