package kafka_test

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/deliver"
)

// Options that do not fit together make no process, and every fault is told.
func TestNewRefuses(t *testing.T) {
	d := newDeploymentOn(t, 2, []string{"127.0.0.1:1"})
	if _, err := kafka.New(*d.options(t, "p")); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		wrong func(o *kafka.Options)
		want  []string
	}{
		{"nothing", func(o *kafka.Options) { *o = kafka.Options{} }, []string{"connection, log and metrics", "the group has no name", "the instance has no name", "the topics have no names", "no role", "0 partitions"}},
		{"a role that there is not", func(o *kafka.Options) { o.Roles = []kafka.Role{"judge"} }, []string{`there is no role "judge"`}},
		{"a role twice", func(o *kafka.Options) { o.Roles = []kafka.Role{kafka.RoleJoin, kafka.RoleJoin} }, []string{`role "join" is given twice`}},
		{"other partitions", func(o *kafka.Options) { o.Ingest.Partitions = 3 }, []string{"the state has 2 partitions, ingest 3 and correlate 2"}},
		{"no workers", func(o *kafka.Options) { o.Workers = 0 }, []string{"ingest has 0 workers"}},
		{"no source", func(o *kafka.Options) { o.Sources.Sources = nil }, []string{"ingest has no source"}},
		{"no format", func(o *kafka.Options) { o.Sources.Sources[0].Format = nil }, []string{`source "access" has no topic or no format`}},
		{"no interval", func(o *kafka.Options) { o.Sources.Interval = 0 }, []string{"ingest commits every 0s"}},
		{"no grace", func(o *kafka.Options) { o.StopGrace = 0 }, []string{"the grace of a stop is 0s"}},
		{"a destination twice", func(o *kafka.Options) {
			chat := deliver.Destination{Destination: &receiver{name: "chat"}}
			o.Destinations = []deliver.Destination{chat, chat}
		}, []string{`destination "chat" is given twice`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := d.options(t, "p")
			tc.wrong(o)
			_, err := kafka.New(*o)
			for _, part := range tc.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, want %q", err, part)
				}
			}
		})
	}
}
