package stream_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// testdata/watermark tells of source partitions that report, and where the watermark
// is then.
func TestWatermark(t *testing.T) {
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	w := stream.NewWatermark(10*eventtime.Minute, grid)
	datadriven.RunTest(t, "testdata/watermark", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "new":
			w = stream.NewWatermark(10*eventtime.Minute, grid)
			return ""
		case "topics":
			var topics []stream.Topic
			for _, arg := range d.CmdArgs {
				n, err := strconv.Atoi(arg.Vals[0])
				if err != nil {
					d.Fatalf(t, "reading the partitions of %s: %v", arg.Key, err)
				}
				topics = append(topics, stream.Topic{Name: arg.Key, Partitions: int32(n)})
			}
			w.SetTopics(topics)
		case "progress":
			for line := range strings.Lines(d.Input) {
				p, err := readProgress(strings.Fields(line))
				if err != nil {
					d.Fatalf(t, "%s: %v", strings.TrimSpace(line), err)
				}
				w.Advance(p)
			}
		default:
			d.Fatalf(t, "unknown command %s", d.Cmd)
		}
		return now(w)
	})
}

// readProgress reads topic/partition, minutes or none, and idle or nothing.
func readProgress(words []string) (p stream.Progress, err error) {
	topic, partition, ok := strings.Cut(words[0], "/")
	if !ok || len(words) < 2 {
		return p, fmt.Errorf("want topic/partition, and minutes")
	}
	n, err := strconv.Atoi(partition)
	if err != nil {
		return p, err
	}
	p = stream.Progress{Source: stream.Source{Topic: topic, Partition: int32(n)}, MaxTime: eventtime.Never, Idle: len(words) > 2 && words[2] == "idle"}
	if words[1] == "none" {
		return p, nil
	}
	minutes, err := strconv.ParseInt(words[1], 10, 64)
	p.MaxTime = minutes * eventtime.Minute
	return p, err
}

// now says where the watermark is, in minutes, and which source holds it there.
func now(w *stream.Watermark) string {
	ms, holder := w.Now()
	at, by := "none", "nobody"
	if ms != eventtime.Never {
		at = fmt.Sprint(float64(ms) / float64(eventtime.Minute))
	}
	if holder != (stream.Source{}) {
		by = fmt.Sprintf("%s/%d", holder.Topic, holder.Partition)
	}
	return fmt.Sprintf("%s, held by %s\n", at, by)
}
