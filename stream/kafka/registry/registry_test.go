package registry

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"github.com/weirhq/weir/event"
)

// framed returns a value with the id of its schema.
func framed(id int, record string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(id)), record...)
}

// fake returns a registry on a small one of the test, and what is logged.
func fake(t *testing.T, options ...sr.ClientOpt) (*srfake.Registry, *Registry, *bytes.Buffer) {
	t.Helper()
	server := srfake.New(srfake.WithAuth("Basic d2VpcjpzZWNyZXQ=")) // weir:secret
	t.Cleanup(server.Close)
	var log bytes.Buffer
	r, err := New(slog.New(slog.NewTextHandler(&log, nil)), append([]sr.ClientOpt{sr.URLs(server.URL()), sr.BasicAuth("weir", "secret")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return server, r, &log
}

// read returns a value as JSON, or the reason why it cannot be read.
func read(t *testing.T, r *Registry, value []byte) string {
	t.Helper()
	out, reason, ok, err := r.AppendJSON(context.Background(), nil, value)
	switch {
	case err != nil:
		return "error: " + err.Error()
	case !ok:
		return reason.String()
	}
	return string(out)
}

// TestRegistry: values of each kind of schema are read, with what the schemas refer to;
// what has no frame is left as it is, and what cannot be read is told by reason.
func TestRegistry(t *testing.T) {
	server, r, log := fake(t)
	server.SeedSchema("person", 1, 1, sr.Schema{Type: sr.TypeAvro, Schema: `{"type":"record","name":"Person","fields":[{"name":"name","type":"string"}]}`})
	server.SeedSchema("person.proto", 1, 2, sr.Schema{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; message Person { string name = 1; }`})
	server.SeedSchema("avro", 1, 11, sr.Schema{
		Type: sr.TypeAvro, Schema: `{"type":"record","name":"A","fields":[{"name":"who","type":"Person"},{"name":"id","type":"long"}]}`,
		References: []sr.SchemaReference{{Name: "Person", Subject: "person", Version: 1}},
	})
	server.SeedSchema("proto", 1, 12, sr.Schema{
		Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; import "p.proto"; message A { Person who = 1; int64 id = 2; }`,
		References: []sr.SchemaReference{{Name: "p.proto", Subject: "person.proto", Version: 1}},
	})
	server.SeedSchema("json", 1, 13, sr.Schema{Type: sr.TypeJSON, Schema: `{"type":"object"}`})
	server.SeedSchema("broken", 1, 14, sr.Schema{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; import "none.proto"; message A {}`})
	for _, c := range []struct {
		name, want string
		value      []byte
	}{
		{"Avro", `{"who":{"name":"kim"},"id":4711}`, framed(11, "\x06kim\xce\x49")},
		{"Protobuf", `{"who":{"name":"kim"},"id":4711}`, framed(12, "\x00\x0a\x05\x0a\x03kim\x10\xe7\x24")},
		{"JSON Schema", `{"id":1}`, framed(13, ` {"id":1}`)},
		{"no frame", `{"id":1}`, []byte(`{"id":1}`)},
		{"nothing", "", nil},
		{"not of its schema", "not_of_schema", framed(11, "\x06ki")},
		{"half a frame", "not_of_schema", []byte{0, 0, 0, 11}},
		{"unknown", "schema_unknown", framed(99, "\x06kim\x00")},
		{"needs what is not there", "schema_unknown", framed(14, "\x00")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := read(t, r, c.value); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	for _, part := range []string{"schema=99", "none.proto"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log does not say %s: %s", part, log)
		}
	}
}

// TestRegistryIsAskedOnce: one request for a schema and each that it needs, also of one
// that is not there.
func TestRegistryIsAskedOnce(t *testing.T) {
	server, r, _ := fake(t)
	server.SeedSchema("avro", 1, 1, sr.Schema{Type: sr.TypeAvro, Schema: `"string"`})
	asked := 0
	server.Intercept(func(http.ResponseWriter, *http.Request) bool { asked++; return false })
	for range 3 {
		read(t, r, framed(1, "\x06kim"))
		read(t, r, framed(2, "\x06kim"))
	}
	if asked != 2 {
		t.Errorf("the registry was asked %d times for two schemas", asked)
	}
}

// TestRegistryDoesNotAnswer: while a registry is down, refuses, or is none, values are
// neither read nor rejected.
func TestRegistryDoesNotAnswer(t *testing.T) {
	server, r, _ := fake(t)
	server.SeedSchema("avro", 1, 1, sr.Schema{Type: sr.TypeAvro, Schema: `"string"`})
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusNotFound, http.StatusUnauthorized} {
		server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(status); return true })
		if got := read(t, r, framed(1, "\x06kim")); !strings.Contains(got, "error: asking the schema registry for the schema 1") {
			t.Errorf("at status %d: got %s", status, got)
		}
		server.ClearInterceptors()
	}
	if got := read(t, r, framed(1, "\x06kim")); got != `"kim"` {
		t.Errorf("once it answers: got %s", got)
	}
	down := httptest.NewServer(nil)
	down.Close()
	gone, err := New(slog.New(slog.DiscardHandler), sr.URLs(down.URL))
	if err != nil {
		t.Fatal(err)
	}
	if _, reason, ok, err := gone.AppendJSON(context.Background(), nil, framed(1, "x")); err == nil || ok || reason != event.Empty {
		t.Errorf("a registry that is down: %v %v %v", reason, ok, err)
	}
}
