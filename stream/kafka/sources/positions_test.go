package sources

import (
	"math"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
)

// What a commit says of a partition is read back, and is far shorter than brokers
// allow by default (4,096 bytes).
func TestMetadata(t *testing.T) {
	for _, want := range []stream.Progress{
		ingest.NoProgress(stream.Source{}, 0),
		{MaxTime: 1_700_000_000_000},
		{MaxTime: 1_700_000_000_000, Taken: 7},
		{MaxTime: math.MaxInt64, Taken: math.MaxInt64},
		{MaxTime: eventtime.Never, Wants: 1_700_000_000_000},
		{MaxTime: math.MaxInt64, Taken: math.MaxInt64, Wants: math.MaxInt64},
	} {
		m := metadata(&want)
		got := ingest.NoProgress(stream.Source{}, 0)
		if ReadMetadata(m, &got); got != want || len(m) > 128 {
			t.Errorf("%q is read as %+v, want %+v", m, got, want)
		}
	}
	got := ingest.NoProgress(stream.Source{}, 5)
	if ReadMetadata("some member", &got); got != ingest.NoProgress(stream.Source{}, 5) {
		t.Errorf("metadata of somebody else is read as %+v", got)
	}
}

// An offset commit says where a restart reads on, also of a partition of which nothing
// more was read, and refuses what was not taken in.
func TestWithProgress(t *testing.T) {
	a, b := stream.Source{Topic: "a"}, stream.Source{Topic: "b", Partition: 3}
	progress := []stream.Progress{
		{Source: a, Offset: 9, Replay: 6, Taken: 2, MaxTime: 100},
		{Source: b, Offset: 4, Replay: 4, MaxTime: 200},
	}
	commit := func(offset int64) (*kmsg.TxnOffsetCommitRequest, error) {
		req := kmsg.NewPtrTxnOffsetCommitRequest()
		topic, part := kmsg.NewTxnOffsetCommitRequestTopic(), kmsg.NewTxnOffsetCommitRequestTopicPartition()
		part.Offset = offset
		topic.Topic, topic.Partitions = "a", append(topic.Partitions, part)
		req.Topics = append(req.Topics, topic)
		return req, place(req, progress, progress[1:])
	}
	req, err := commit(9)
	if err != nil {
		t.Fatal(err)
	}
	if len(req.Topics) != 2 || len(req.Topics[1].Partitions) != 1 {
		t.Fatalf("%+v", req.Topics)
	}
	first, second := req.Topics[0].Partitions[0], req.Topics[1].Partitions[0]
	if first.Offset != 6 || *first.Metadata != "100 2" {
		t.Errorf("a: %d %q", first.Offset, *first.Metadata)
	}
	if req.Topics[1].Topic != "b" || second.Partition != 3 || second.Offset != 4 || *second.Metadata != "200" {
		t.Errorf("b: %+v", req.Topics[1])
	}
	if _, err := commit(8); err == nil {
		t.Error("an offset was committed that was not taken in")
	}
}
