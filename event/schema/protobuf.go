package schema

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/weirhq/weir/event"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// mainFile is the path of a schema that is not imported.
const mainFile = "schema.proto"

// compileProtobuf compiles a file of Protobuf.
func compileProtobuf(t Text) (*Schema, error) {
	sources := map[string]string{mainFile: t.Text}
	for _, r := range t.References {
		sources[r.Name] = r.Text
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(sources)}),
		MaxParallelism: 1,
	}
	files, err := compiler.Compile(context.Background(), mainFile)
	if err != nil {
		return nil, fmt.Errorf("reading the Protobuf schema: %w", err)
	}
	p := &protobuf{file: files[0], types: files.AsResolver()}
	return &Schema{appendJSON: p.appendJSON}, nil
}

// protobuf makes JSON of the messages of a file.
type protobuf struct {
	file  protoreflect.FileDescriptor
	types linker.Resolver
}

// appendJSON appends a record as JSON. A record says first which message of the file
// it is.
func (p *protobuf) appendJSON(dst, record []byte) ([]byte, bool) {
	of, record := p.message(record)
	if of == nil {
		return dst, false
	}
	m := dynamicpb.NewMessage(of)
	options := proto.UnmarshalOptions{DiscardUnknown: true, AllowPartial: true, RecursionLimit: event.MaxDepth, Resolver: p.types}
	if options.Unmarshal(record, m) != nil {
		return dst, false
	}
	w := protoWriter{out: dst, most: len(dst) + most, types: p.types}
	ok := w.message(m)
	return w.out, ok
}

// message returns which message of the file a record is, and the rest of the record:
// the number of indexes, and of each level of messages the index. No index is the
// first message. nil if there is no such message.
func (p *protobuf) message(record []byte) (protoreflect.MessageDescriptor, []byte) {
	levels, size := binary.Varint(record)
	if size <= 0 || levels < 0 || levels > event.MaxDepth {
		return nil, nil
	}
	record = record[size:]
	if levels == 0 && p.file.Messages().Len() > 0 {
		return p.file.Messages().Get(0), record
	}
	var of protoreflect.MessageDescriptor
	for all := p.file.Messages(); levels > 0; levels-- {
		i, size := binary.Varint(record)
		if size <= 0 || i < 0 || i >= int64(all.Len()) {
			return nil, nil
		}
		record = record[size:]
		of = all.Get(int(i))
		all = of.Messages()
	}
	return of, record
}

// protoWriter writes messages as JSON, by the names of their fields as the schema has
// them. Its methods return false once too much is written.
type protoWriter struct {
	out   []byte
	most  int // of out, in bytes
	types linker.Resolver
}

// message writes a message as an object.
func (w *protoWriter) message(m protoreflect.Message) bool {
	if m.Descriptor().ParentFile().Package() == "google.protobuf" {
		return w.wellKnown(m)
	}
	w.out = append(w.out, '{')
	fields, some := m.Descriptor().Fields(), false
	for i := range fields.Len() {
		f := fields.Get(i)
		if !stands(m, f) {
			continue
		}
		if some {
			w.out = append(w.out, ',')
		}
		some = true
		w.out = append(event.AppendText(w.out, f.TextName()), ':')
		if !w.field(f, m.Get(f)) {
			return false
		}
	}
	w.out = append(w.out, '}')
	return true
}

// stands reports whether a field is written. Where nothing tells a zero from a field
// that was not set, a number or text of zero is taken as not set, and the first value of
// an enum, or false, as set.
func stands(m protoreflect.Message, f protoreflect.FieldDescriptor) bool {
	if m.Has(f) {
		return true
	}
	return !f.HasPresence() && f.Cardinality() != protoreflect.Repeated &&
		(f.Kind() == protoreflect.EnumKind || f.Kind() == protoreflect.BoolKind)
}

// field writes the value of a field.
func (w *protoWriter) field(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
	switch {
	case f.IsList():
		w.out = append(w.out, '[')
		for i := range v.List().Len() {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			if !w.single(f, v.List().Get(i)) {
				return false
			}
		}
		w.out = append(w.out, ']')
		return true
	case f.IsMap():
		return w.entries(f, v.Map())
	}
	return w.single(f, v)
}

// entries writes a map as an object, sorted by its keys.
func (w *protoWriter) entries(f protoreflect.FieldDescriptor, m protoreflect.Map) bool {
	var keys []protoreflect.MapKey
	m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, k)
		return true
	})
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return strings.Compare(a.String(), b.String()) })
	w.out = append(w.out, '{')
	for i, k := range keys {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.out = append(event.AppendText(w.out, k.String()), ':')
		if !w.single(f.MapValue(), m.Get(k)) {
			return false
		}
	}
	w.out = append(w.out, '}')
	return true
}

// single writes one value of a field.
func (w *protoWriter) single(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return w.message(v.Message())
	case protoreflect.BoolKind:
		w.out = strconv.AppendBool(w.out, v.Bool())
	case protoreflect.EnumKind:
		if value := f.Enum().Values().ByNumber(v.Enum()); value != nil {
			w.out = event.AppendText(w.out, string(value.Name()))
		} else {
			w.out = strconv.AppendInt(w.out, int64(v.Enum()), 10)
		}
	case protoreflect.StringKind:
		w.out = event.AppendText(w.out, v.String())
	case protoreflect.BytesKind:
		w.out = appendBase64(w.out, v.Bytes())
	case protoreflect.FloatKind:
		w.out = appendFloat(w.out, v.Float(), 32)
	case protoreflect.DoubleKind:
		w.out = appendFloat(w.out, v.Float(), 64)
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		w.out = strconv.AppendUint(w.out, v.Uint(), 10)
	default:
		w.out = strconv.AppendInt(w.out, v.Int(), 10)
	}
	return len(w.out) <= w.most
}

// wellKnown writes a message of Protobuf's own as its JSON: a Timestamp as a text of
// RFC 3339, a wrapper as what it wraps. One that has no JSON is null.
func (w *protoWriter) wellKnown(m protoreflect.Message) bool {
	text, err := protojson.MarshalOptions{Resolver: w.types, AllowPartial: true, UseProtoNames: true}.Marshal(m.Interface())
	if err != nil {
		text = []byte("null")
	}
	w.out = append(w.out, text...)
	return len(w.out) <= w.most
}
