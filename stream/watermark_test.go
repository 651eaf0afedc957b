package stream_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// The watermark is the smallest progress of all partitions of all topics, less
// the lateness of 10 minutes; ticks are 5 minutes.
func TestWatermark(t *testing.T) {
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	at := func(m int64) int64 { return m * eventtime.Minute }
	src := func(topic string, p int32) stream.Source { return stream.Source{Topic: topic, Partition: p} }
	busy := func(topic string, p int32, m int64) stream.Progress {
		return stream.Progress{Source: src(topic, p), MaxTime: at(m)}
	}
	idle := func(topic string, p int32, m int64) stream.Progress {
		return stream.Progress{Source: src(topic, p), MaxTime: at(m), Idle: true}
	}
	two := []stream.Topic{{Name: "a", Partitions: 2}}
	for _, tc := range []struct {
		name     string
		topics   []stream.Topic
		progress []stream.Progress
		want     int64
		holder   stream.Source
	}{
		{"nothing is known", nil, nil, eventtime.Never, stream.Source{}},
		{"a partition has not reported", two, []stream.Progress{busy("a", 0, 100)}, eventtime.Never, src("a", 1)},
		{"the slowest holds", two, []stream.Progress{busy("a", 0, 100), busy("a", 1, 90)}, at(80), src("a", 1)},
		{"an idle one does not hold", two, []stream.Progress{busy("a", 0, 100), idle("a", 1, 90)}, at(90), src("a", 0)},
		{"an idle one is not ahead either", two, []stream.Progress{busy("a", 0, 100), idle("a", 1, 200)}, at(90), src("a", 0)},
		{"all idle: the end of the last event's tick", two, []stream.Progress{idle("a", 0, 101), idle("a", 1, 90)}, at(105), stream.Source{}},
		{"all idle on the edge of a tick", two, []stream.Progress{idle("a", 0, 100), idle("a", 1, 90)}, at(105), stream.Source{}},
		{"all idle and empty", two, []stream.Progress{
			{Source: src("a", 0), MaxTime: eventtime.Never, Idle: true}, {Source: src("a", 1), MaxTime: eventtime.Never, Idle: true}}, eventtime.Never, stream.Source{}},
		{"one empty and idle", two, []stream.Progress{busy("a", 0, 100), {Source: src("a", 1), MaxTime: eventtime.Never, Idle: true}}, at(90), src("a", 0)},
		{"one read but without an event", two, []stream.Progress{busy("a", 0, 100), {Source: src("a", 1), MaxTime: eventtime.Never}}, eventtime.Never, src("a", 1)},
		{"several topics", []stream.Topic{{Name: "a", Partitions: 1}, {Name: "b", Partitions: 1}},
			[]stream.Progress{busy("a", 0, 100), busy("b", 0, 50)}, at(40), src("b", 0)},
		{"progress never goes back", []stream.Topic{{Name: "a", Partitions: 1}},
			[]stream.Progress{busy("a", 0, 100), busy("a", 0, 50)}, at(90), src("a", 0)},
		{"a partition of no topic does not count", []stream.Topic{{Name: "a", Partitions: 1}},
			[]stream.Progress{busy("a", 0, 100), busy("a", 1, 50), busy("gone", 0, 10)}, at(90), src("a", 0)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := stream.NewWatermark(10*eventtime.Minute, grid)
			w.SetTopics(tc.topics)
			for _, p := range tc.progress {
				w.Advance(p)
			}
			if got, holder := w.Now(); got != tc.want || holder != tc.holder {
				t.Errorf("got %d (minute %d) held by %v, want %d (minute %d) by %v", got, got/eventtime.Minute, holder, tc.want, tc.want/eventtime.Minute, tc.holder)
			}
		})
	}
}

// A topic that grows holds the watermark until its new partitions report; one
// that shrinks lets go of what it lost.
func TestWatermarkFollowsTopics(t *testing.T) {
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	w := stream.NewWatermark(10*eventtime.Minute, grid)
	report := func(p int32, m int64) {
		w.Advance(stream.Progress{Source: stream.Source{Topic: "a", Partition: p}, MaxTime: m * eventtime.Minute})
	}
	expect := func(when string, want int64) {
		t.Helper()
		if got, _ := w.Now(); got != want {
			t.Errorf("%s: got %d, want %d", when, got, want)
		}
	}
	w.SetTopics([]stream.Topic{{Name: "a", Partitions: 1}})
	report(0, 100)
	expect("one partition", 90*eventtime.Minute)
	w.SetTopics([]stream.Topic{{Name: "a", Partitions: 2}})
	expect("grown", eventtime.Never)
	report(1, 50)
	expect("the new one has reported", 40*eventtime.Minute)
	w.SetTopics([]stream.Topic{{Name: "a", Partitions: 1}})
	expect("shrunk", 90*eventtime.Minute)
	w.SetTopics([]stream.Topic{{Name: "a", Partitions: 2}})
	expect("grown again: what the old one had is forgotten", eventtime.Never)
}
