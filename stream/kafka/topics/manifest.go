package topics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// Manifest is what a deployment's state was made with. It stands in the fleet
// topic, and a process whose configuration says otherwise does not start.
type Manifest struct {
	State      int                 `json:"state_version"`
	Hash       int                 `json:"hash_version"`
	RecordKey  string              `json:"record_key"` // fingerprint
	Partitions int32               `json:"partitions"`
	Tick       int64               `json:"tick_ms"`
	Bin        int64               `json:"bin_ms"`
	Dimensions map[string][]string `json:"dimensions"`
	Order      []string            `json:"dimension_order"`
	// Created is when the deployment began, Unix ms. A source that starts at
	// the latest record starts there: partitions added later are read whole.
	Created int64 `json:"created_ms"`
}

// NewManifest describes a configuration.
func NewManifest(h event.Hasher, partitions int32, grid eventtime.Grid, dims []event.Dimension) Manifest {
	m := Manifest{
		State: stream.StateVersion, Hash: event.HashVersion, RecordKey: h.Fingerprint(),
		Partitions: partitions, Tick: grid.Tick, Bin: grid.Bin, Dimensions: map[string][]string{},
	}
	for _, d := range dims {
		m.Dimensions[d.Name] = d.Fields
		m.Order = append(m.Order, d.Name)
	}
	return m
}

const manifestKey = "manifest"

// ErrMismatch is wrapped by the refusal of a state that was made otherwise.
var ErrMismatch = errors.New("the state in Kafka was made with another configuration")

// Check compares with the manifest in Kafka and writes it where there is none.
// It returns when the deployment began, and whether anything has been judged.
func (m Manifest) Check(ctx context.Context, conn *cluster.Connection, topic string) (created int64, judged bool, err error) {
	var have *Manifest
	_, err = conn.ReadAll(ctx, topic, 0, func(r *kgo.Record) error {
		judged = judged || string(r.Key) == correlate.FleetKey
		if string(r.Key) != manifestKey {
			return nil
		}
		have = &Manifest{}
		return json.Unmarshal(r.Value, have)
	})
	if err != nil {
		return 0, false, fmt.Errorf("reading the manifest: %w", err)
	}
	if have != nil {
		return have.Created, judged, m.compare(*have)
	}
	m.Created = time.Now().UnixMilli()
	value, err := json.Marshal(m)
	if err != nil {
		return 0, false, fmt.Errorf("writing the manifest: %w", err)
	}
	cl, err := conn.Client(ctx)
	if err != nil {
		return 0, false, err
	}
	defer cl.Close()
	out := cluster.NewWriter(cl)
	out.Write(ctx, &kgo.Record{Topic: topic, Key: []byte(manifestKey), Value: value})
	if err := out.Flush(ctx); err != nil {
		return 0, false, fmt.Errorf("writing the manifest: %w", cluster.Explain(err))
	}
	return m.Created, false, nil
}

func (m Manifest) compare(have Manifest) error {
	var faults []error
	differs := func(what string, is, was any, way string) {
		if !reflect.DeepEqual(is, was) {
			faults = append(faults, fmt.Errorf("%s: now %v, the state has %v; %s", what, is, was, way))
		}
	}
	over := "or start over with `weir reset --from TIME`, which reads the events again from there"
	differs("state version", m.State, have.State, "run the version of weir that wrote it, "+over)
	differs("hash version", m.Hash, have.Hash, "run the version of weir that wrote it, "+over)
	differs("record key (fingerprint)", m.RecordKey, have.RecordKey, "with another key no record is recognised, so every read would look new: use the old key file, "+over)
	differs("partitions", m.Partitions, have.Partitions, "the count decides where an identity's state lives: set it back, "+over)
	differs("time.tick (ms)", m.Tick, have.Tick, "set it back, "+over)
	differs("time.bin (ms)", m.Bin, have.Bin, "baselines are per bin: set it back, "+over)
	differs("dimensions", m.Dimensions, have.Dimensions, "identities of a changed dimension have no history: set them back, "+over)
	if len(faults) == 0 {
		differs("order of dimensions", m.Order, have.Order, "set it back, "+over)
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w:\n%w", ErrMismatch, errors.Join(faults...))
}

// CheckKey refuses a record key that is not the one that the deployment's state
// was made with.
func CheckKey(ctx context.Context, conn *cluster.Connection, names Names, h event.Hasher) error {
	var m Manifest
	_, err := conn.ReadAll(ctx, names.Fleet, 0, func(r *kgo.Record) error {
		if string(r.Key) != manifestKey {
			return nil
		}
		return json.Unmarshal(r.Value, &m)
	})
	if err != nil {
		return fmt.Errorf("reading the manifest: %w", err)
	}
	if m.RecordKey != "" && m.RecordKey != h.Fingerprint() {
		return fmt.Errorf("the record key has the fingerprint %s, but the deployment's is %s: use the key file that weir run uses", h.Fingerprint(), m.RecordKey)
	}
	return nil
}
