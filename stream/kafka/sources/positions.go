package sources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/ingest"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// groupProgress reads the progress of all partitions of the group. While another
// member's transaction is about to end, its offsets are not stable yet; that
// passes within the time a transaction may take.
func (r *run) groupProgress(ctx context.Context) (map[stream.Source]stream.Progress, error) {
	limit := time.Now().Add(2 * cluster.TransactionLimit)
	for {
		out, err := r.groupProgressNow(ctx)
		if err == nil {
			return out, nil
		}
		if !errors.Is(err, kerr.UnstableOffsetCommit) || time.Now().After(limit) || cluster.Sleep(ctx, 50*time.Millisecond) != nil {
			return nil, fmt.Errorf("reading the committed offsets: %w", cluster.Explain(err))
		}
	}
}

func (r *run) groupProgressNow(ctx context.Context) (map[stream.Source]stream.Progress, error) {
	offsets, err := r.admin.FetchOffsets(kadm.RequireStable(ctx), r.group())
	if err != nil {
		return nil, err
	}
	out := map[stream.Source]stream.Progress{}
	var faults []error
	offsets.Each(func(o kadm.OffsetResponse) {
		if o.Err != nil {
			faults = append(faults, o.Err)
			return
		}
		if o.At < 0 {
			return
		}
		s := stream.Source{Topic: o.Topic, Partition: o.Partition}
		p := ingest.NoProgress(s, o.At)
		ReadMetadata(o.Metadata, &p)
		out[s] = p
	})
	return out, errors.Join(faults...)
}

// startOffsets places partitions for which nothing was committed where the
// configuration says.
func (r *run) startOffsets(ctx context.Context, got map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	parts := map[string][]int32{}
	for topic, list := range got {
		for p := range list {
			parts[topic] = append(parts[topic], p)
		}
	}
	committed, err := r.groupProgress(ctx)
	if err != nil {
		return nil, err
	}
	starts, err := r.starts(ctx, parts)
	if err != nil {
		return nil, err
	}
	for topic, list := range got {
		for p := range list {
			s := stream.Source{Topic: topic, Partition: p}
			if _, ok := committed[s]; !ok {
				list[p] = kgo.NewOffset().At(starts[s])
			}
		}
	}
	return got, nil
}

// starts resolves where each partition begins if nothing was committed.
func (r *run) starts(ctx context.Context, parts map[string][]int32) (map[stream.Source]int64, error) {
	out := map[stream.Source]int64{}
	for _, src := range r.Options.Sources {
		if len(parts[src.Topic]) == 0 {
			continue
		}
		var listed kadm.ListedOffsets
		var err error
		switch {
		case src.Start.Latest:
			listed, err = r.admin.ListOffsetsAfterMilli(ctx, r.Options.Created, src.Topic)
		case src.Start.Millis > 0:
			listed, err = r.admin.ListOffsetsAfterMilli(ctx, src.Start.Millis, src.Topic)
		default:
			listed, err = r.admin.ListStartOffsets(ctx, src.Topic)
		}
		if err == nil {
			err = listed.Error()
		}
		if err != nil {
			return nil, fmt.Errorf("finding where %s begins: %w", src.Topic, cluster.Explain(err))
		}
		listed.Each(func(o kadm.ListedOffset) {
			out[stream.Source{Topic: o.Topic, Partition: o.Partition}] = o.Offset
		})
	}
	return out, nil
}

// metadata returns what the offset commit of a partition says beside the offset: the
// largest event time, in ms, how many events of the record at the offset were judged,
// and the event time for which the aliases must be complete to go on; the last two
// unless there are none.
func metadata(p *stream.Progress) string {
	m := strconv.FormatInt(p.MaxTime, 10)
	if p.Taken > 0 || p.Wants != 0 {
		m += " " + strconv.FormatInt(p.Taken, 10)
	}
	if p.Wants != 0 {
		m += " " + strconv.FormatInt(p.Wants, 10)
	}
	return m
}

// ReadMetadata fills in of a partition what the metadata of its offset commit says:
// its largest event time, how much behind the offset was taken in, and what it wants.
// Of what it cannot read it says nothing.
func ReadMetadata(m string, p *stream.Progress) {
	words := strings.Split(m, " ")
	for i, into := range []*int64{&p.MaxTime, &p.Taken, &p.Wants} {
		if i < len(words) {
			if n, err := strconv.ParseInt(words[i], 10, 64); err == nil {
				*into = n
			}
		}
	}
}

// withProgress makes the offset commits of a context say what place says.
func withProgress(ctx context.Context, progress, moved []stream.Progress) context.Context {
	return kgo.PreTxnCommitFnContext(ctx, func(req *kmsg.TxnOffsetCommitRequest) error { return place(req, progress, moved) })
}

// place makes an offset commit say of each partition where a restart reads on, and in
// the metadata its largest event time: what is late must be known after a crash. It
// adds the moved partitions of which the client has read nothing more.
func place(req *kmsg.TxnOffsetCommitRequest, progress, moved []stream.Progress) error {
	known, missing := map[stream.Source]stream.Progress{}, map[stream.Source]stream.Progress{}
	for _, p := range progress {
		known[p.Source] = p
	}
	for _, p := range moved {
		missing[p.Source] = p
	}
	for i := range req.Topics {
		t := &req.Topics[i]
		for j := range t.Partitions {
			part := &t.Partitions[j]
			p, ok := known[stream.Source{Topic: t.Topic, Partition: part.Partition}]
			if !ok || p.Offset != part.Offset {
				return fmt.Errorf("committing %s partition %d at offset %d, where %d was taken in: this is a mistake in weir, and nothing is committed",
					t.Topic, part.Partition, part.Offset, p.Offset)
			}
			placed(part, &p)
			delete(missing, p.Source)
		}
	}
	for s, p := range missing {
		part := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		part.Partition = s.Partition
		placed(&part, &p)
		i := slices.IndexFunc(req.Topics, func(t kmsg.TxnOffsetCommitRequestTopic) bool { return t.Topic == s.Topic })
		if i < 0 {
			i = len(req.Topics)
			req.Topics = append(req.Topics, kmsg.NewTxnOffsetCommitRequestTopic())
			req.Topics[i].Topic = s.Topic
		}
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, part)
	}
	return nil
}

// placed makes a partition of an offset commit say where a restart reads on.
func placed(part *kmsg.TxnOffsetCommitRequestTopicPartition, p *stream.Progress) {
	meta := metadata(p)
	part.Offset, part.Metadata = p.Replay, &meta
}
