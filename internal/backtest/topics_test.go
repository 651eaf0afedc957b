package backtest

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/stream"
)

// taken is a Reader that keeps events and rejects as texts.
type taken struct{ events []string }

func (k *taken) Event(_ stream.Source, ev *event.Event) int64 {
	k.events = append(k.events, string(event.AppendNative(nil, ev)))
	return ev.Time
}
func (k *taken) Reject(rej *event.Reject)    { k.events = append(k.events, rej.Reason.String()) }
func (*taken) Progress(stream.Source, int64) {}
func (*taken) End(stream.Source)             {}
func (*taken) Warn(string)                   {}
func (*taken) Flush(bool) error              { return nil }

// TestSchemaRegistry: the topic of a configuration that names a schema registry is read
// through it: Avro, Protobuf and JSON Schema beside plain JSON, and what cannot be read is
// rejected by reason. While the registry does not answer, nothing is rejected: the
// reading ends with an error.
func TestSchemaRegistry(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "access"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	schemas := srfake.New(srfake.WithAuth("Bearer letmein"))
	defer schemas.Close()
	schemas.SeedSchema("avro", 1, 1, sr.Schema{Type: sr.TypeAvro, Schema: `{"type":"record","name":"A","fields":[
		{"name":"time","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"actor","type":["null","string"]},{"name":"records","type":{"type":"array","items":"long"}}]}`})
	schemas.SeedSchema("proto", 1, 2, sr.Schema{Type: sr.TypeProtobuf, Schema: `syntax = "proto3";
		message A { int64 time = 1; string key_id = 2; repeated int64 records = 3; }`})
	schemas.SeedSchema("json", 1, 3, sr.Schema{Type: sr.TypeJSON, Schema: `{"type":"object"}`})

	millis := binary.AppendVarint(nil, 1772442927123)
	plain := binary.AppendUvarint(nil, 1772442927123)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic("access"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, value := range []string{
		"\x00\x00\x00\x00\x01" + string(millis) + "\x02\x06kim\x02\xce\x49\x00",
		"\x00\x00\x00\x00\x02\x00\x08" + string(plain) + "\x12\x02k1\x1a\x02\xe7\x24",
		"\x00\x00\x00\x00\x03" + `{"time":1772442927123,"actor":"ann"}`,
		`{"time":1772442927123,"actor":"bob"}`,
		"\x00\x00\x00\x00\x09\x06kim",
		"\x00\x00\x00\x00\x01\x06kim",
		"\x06kim",
	} {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	read := func(source string) ([]string, error) {
		t.Helper()
		c, err := config.Parse("weir.yaml", fmt.Appendf(nil, "kafka: {brokers: [%q]}\nsources:\n  - topic: access\n%s", cluster.ListenAddrs()[0], source), nil)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := deployment.Connect(c, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if err != nil {
			t.Fatal(err)
		}
		log, err := OpenTopics(t.Context(), conn, c)
		if err != nil {
			t.Fatal(err)
		}
		var k taken
		err = log.Read(t.Context(), &k)
		return k.events, err
	}
	const at = `{"time":"2026-03-02T09:15:27.123Z","action":"read",`
	behind := fmt.Sprintf("    schema_registry: {urls: [%q], token: letmein}\n", schemas.URL())
	got, err := read(behind)
	want := []string{at + `"actor":"kim","records":["4711"]}`, at + `"key_id":"k1","records":["4711"]}`, at + `"actor":"ann"}`, at + `"actor":"bob"}`,
		"schema_unknown", "not_of_schema", "not_json"}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %v\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	got, err = read("")
	want = []string{"schema_unknown", "schema_unknown", want[2], want[3], "schema_unknown", "schema_unknown", "not_json"}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("without a registry: got %v\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := read("    format: gcp\n"); err == nil || !strings.Contains(err.Error(), "no event could be read (") {
		t.Errorf("a format under which nothing is read: %v", err)
	}
	schemas.Close()
	if got, err := read(behind); err == nil || !strings.Contains(err.Error(), "offset 0: asking the schema registry") || len(got) > 0 {
		t.Errorf("without an answer: got %v, error %v", got, err)
	}
}
