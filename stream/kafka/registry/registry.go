// Package registry reads values that carry the id of their schema, by a schema
// registry: a zero, four bytes of the id, and the record. It speaks the HTTP interface
// of Confluent's registry, which others speak too.
//
// While the registry does not answer, nothing can be said of a value, so reading ends
// with an error and is tried again later. A schema that the registry does not have, or
// that weir cannot read, costs the values of that schema, and no others.
package registry

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/schema"
)

// Registry is a schema registry, with the schemas that were asked for. It is safe for
// concurrent use.
type Registry struct {
	client *sr.Client
	log    *slog.Logger

	lock    sync.Mutex
	schemas map[uint32]known
}

// known is a schema, or that there is none that can be read.
type known struct {
	schema *schema.Schema
	why    error     // nil if there is a schema
	asked  time.Time // wall clock
}

const (
	// mostKnown is how many ids are remembered, so that values with ids at random
	// cannot fill the memory.
	mostKnown = 10_000
	// askAgain is how long a schema counts as missing before the registry is asked
	// once more: it may have been behind.
	askAgain = time.Minute
	// timeout bounds one request.
	timeout = 10 * time.Second
	// mostReferences bounds how many schemas one schema may need.
	mostReferences = 200
)

// New returns a registry under options of its client. It asks for nothing yet.
func New(log *slog.Logger, options ...sr.ClientOpt) (*Registry, error) {
	client, err := sr.NewClient(append([]sr.ClientOpt{sr.HTTPClient(&http.Client{Timeout: timeout}), sr.UserAgent("weir")}, options...)...)
	if err != nil {
		return nil, fmt.Errorf("making a client of the schema registry: %w", err)
	}
	return &Registry{client: client, log: log, schemas: map[uint32]known{}}, nil
}

// frame is what stands before a record: a zero, and the id of its schema.
const frame = 1 + 4

// AppendJSON appends the record in a value as JSON to dst. A value that begins with
// no frame is taken as it stands. The reason is event.SchemaUnknown or
// event.NotOfSchema where ok is false; the error is that the registry does not answer.
func (r *Registry) AppendJSON(ctx context.Context, dst, value []byte) (out []byte, reason event.Reason, ok bool, err error) {
	if len(value) == 0 || value[0] != 0 {
		return append(dst, value...), 0, true, nil
	}
	if len(value) < frame {
		return dst, event.NotOfSchema, false, nil
	}
	of, err := r.schema(ctx, binary.BigEndian.Uint32(value[1:]))
	switch {
	case err != nil:
		return dst, 0, false, err
	case of == nil:
		return dst, event.SchemaUnknown, false, nil
	}
	if out, ok = of.AppendJSON(dst, value[frame:]); !ok {
		return dst, event.NotOfSchema, false, nil
	}
	return out, 0, true, nil
}

// schema returns the schema of an id; nil if there is none that can be read.
func (r *Registry) schema(ctx context.Context, id uint32) (*schema.Schema, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if k, ok := r.schemas[id]; ok && (k.why == nil || time.Since(k.asked) < askAgain) {
		return k.schema, nil
	}
	k := known{asked: time.Now()}
	text, err := r.fetch(ctx, int(id))
	var answer *sr.ResponseError
	switch {
	case err == nil:
		k.schema, k.why = schema.Compile(text)
	case errors.As(err, &answer) && sr.IsNotFoundError(answer.ErrorCode):
		k.why = err
	default:
		return nil, fmt.Errorf("asking the schema registry for the schema %d: %w", id, err)
	}
	if k.why != nil {
		r.log.Warn("values of a schema cannot be read, and are rejected", "schema", id, "why", k.why)
	}
	if len(r.schemas) == mostKnown {
		clear(r.schemas)
	}
	r.schemas[id] = k
	return k.schema, nil
}

// fetch fetches a schema and what it refers to.
func (r *Registry) fetch(ctx context.Context, id int) (schema.Text, error) {
	s, err := r.client.SchemaByID(ctx, id)
	if err != nil {
		return schema.Text{}, err
	}
	kinds := map[sr.SchemaType]schema.Kind{sr.TypeAvro: schema.Avro, sr.TypeJSON: schema.JSON, sr.TypeProtobuf: schema.Protobuf}
	kind, ok := kinds[s.Type]
	if !ok {
		return schema.Text{}, fmt.Errorf("the schema %d is of the type %v, which is unknown", id, s.Type)
	}
	text := schema.Text{Kind: kind, Text: s.Schema}
	if kind != schema.JSON { // its records can be read without
		err = r.references(ctx, s.References, &text, map[string]bool{})
	}
	return text, err
}

// references adds the schemas that a schema refers to, each before those that need it.
func (r *Registry) references(ctx context.Context, refs []sr.SchemaReference, text *schema.Text, seen map[string]bool) error {
	for _, ref := range refs {
		if seen[ref.Name] {
			continue
		}
		if seen[ref.Name] = true; len(seen) > mostReferences {
			return fmt.Errorf("the schema refers to more than %d others", mostReferences)
		}
		s, err := r.client.SchemaByVersion(sr.WithParams(ctx, sr.ShowDeleted), ref.Subject, ref.Version)
		if err != nil {
			return fmt.Errorf("fetching %s, to which the schema refers: %w", ref.Name, err)
		}
		if err := r.references(ctx, s.References, text, seen); err != nil {
			return err
		}
		text.References = append(text.References, schema.Reference{Name: ref.Name, Text: s.Schema.Schema})
	}
	return nil
}
