// Package schema makes JSON of records that name no fields of their own: Avro and
// Protobuf, by the schema under which they were written. It knows no registry; who has
// an id of a schema fetches the schema, and what the schema refers to, and compiles it
// once.
//
// What comes out is written from the bytes as they are walked: no tree is built, and a
// hostile record costs no more than the largest envelope.
package schema

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"strconv"

	"github.com/weirhq/weir/event"
)

// Kind is the language in which a schema is written.
type Kind uint8

// The kinds.
const (
	Avro Kind = iota
	JSON
	Protobuf
)

// Text is a schema as it was registered.
type Text struct {
	Kind Kind
	Text string
	// References are the schemas that this one refers to, and those that they refer
	// to, each before those that need it.
	References []Reference
}

// Reference is a schema to which another one refers by a name: a type of Avro, or the
// path of a Protobuf import.
type Reference struct{ Name, Text string }

// Schema makes JSON of the records of one schema. It is safe for concurrent use.
type Schema struct {
	appendJSON func(dst, record []byte) ([]byte, bool)
}

// Compile compiles a schema.
func Compile(t Text) (*Schema, error) {
	switch t.Kind {
	case Avro:
		return compileAvro(t)
	case Protobuf:
		return compileProtobuf(t)
	case JSON:
		return &Schema{appendJSON: appendAsItIs}, nil
	}
	return nil, fmt.Errorf("compiling a schema: its kind %d is unknown", t.Kind)
}

// AppendJSON appends a record as JSON to dst; false if the record does not follow the
// schema, or would be more than event.MaxEnvelope bytes.
func (s *Schema) AppendJSON(dst, record []byte) ([]byte, bool) {
	return s.appendJSON(dst, record)
}

// appendAsItIs is for records that are JSON; the decoder of events checks them.
func appendAsItIs(dst, record []byte) ([]byte, bool) {
	return append(dst, bytes.TrimSpace(record)...), true
}

// most is how many bytes the JSON of one record may have.
const most = event.MaxEnvelope

// appendFloat appends a number; what JSON has no number for becomes null.
func appendFloat(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	form := byte('f')
	if size := math.Abs(f); size >= 1e21 || size > 0 && size < 1e-9 {
		form = 'e'
	}
	return strconv.AppendFloat(dst, f, form, -1, bits)
}

// appendBase64 appends bytes as a text in base64.
func appendBase64(dst, b []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"')
}
