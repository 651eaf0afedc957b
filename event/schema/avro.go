package schema

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/avro"
	"github.com/twmb/avro/atype"
	"github.com/weirhq/weir/event"
)

// avroType is a type of an Avro schema, ready to be walked.
type avroType struct {
	kind     string
	logical  string
	fields   []avroField // of a record
	of       *avroType   // of an array's elements or a map's values
	branches []*avroType // of a union
	symbols  []string    // of an enum
	size     int         // of a fixed, in bytes
	scale    int         // of a decimal
}

type avroField struct {
	key string // as JSON, with its colon
	of  *avroType
}

// compileAvro compiles a schema of Avro.
func compileAvro(t Text) (*Schema, error) {
	var cache avro.SchemaCache
	for _, r := range t.References {
		if _, err := cache.Parse(r.Text); err != nil {
			return nil, fmt.Errorf("reading the Avro schema of %s: %w", r.Name, err)
		}
	}
	parsed, err := cache.Parse(t.Text)
	if err != nil {
		return nil, fmt.Errorf("reading the Avro schema: %w", err)
	}
	c := avroCompiler{named: map[string]*avroType{}}
	root, err := c.typeOf(parsed.Root(), "")
	if err != nil {
		return nil, err
	}
	return &Schema{appendJSON: func(dst, record []byte) ([]byte, bool) {
		r := avroReader{rest: record, out: dst, most: len(dst) + most}
		ok := r.value(root, 0) && len(r.rest) == 0
		return r.out, ok
	}}, nil
}

// avroCompiler resolves the names of types.
type avroCompiler struct{ named map[string]*avroType }

// typeOf compiles a type that stands in a namespace.
func (c *avroCompiler) typeOf(n *avro.SchemaNode, namespace string) (*avroType, error) {
	t := &avroType{kind: n.Type, logical: n.LogicalType, symbols: n.Symbols, size: n.Size, scale: n.Scale}
	if n.Name != "" && (n.Type == atype.Record || n.Type == atype.Error || n.Type == atype.Enum || n.Type == atype.Fixed) {
		namespace = n.Namespace
		c.named[fullName(n.Name, namespace)] = t // before its fields, which may be of this type
	}
	var err error
	switch n.Type {
	case atype.Record, atype.Error:
		t.kind = atype.Record
		for i := range n.Fields {
			f := avroField{key: string(append(event.AppendText(nil, n.Fields[i].Name), ':'))}
			if f.of, err = c.typeOf(&n.Fields[i].Type, namespace); err != nil {
				return nil, err
			}
			t.fields = append(t.fields, f)
		}
	case atype.Array:
		t.of, err = c.typeOf(n.Items, namespace)
	case atype.Map:
		t.of, err = c.typeOf(n.Values, namespace)
	case atype.Union:
		for i := range n.Branches {
			b, err := c.typeOf(&n.Branches[i], namespace)
			if err != nil {
				return nil, err
			}
			t.branches = append(t.branches, b)
		}
	case atype.Null, atype.Boolean, atype.Int, atype.Long, atype.Float, atype.Double, atype.String, atype.Bytes, atype.Enum, atype.Fixed:
	default:
		for _, name := range []string{fullName(n.Type, namespace), n.Type} {
			if of, ok := c.named[name]; ok {
				return of, nil
			}
		}
		return nil, fmt.Errorf("reading the Avro schema: no type is called %s", n.Type)
	}
	return t, err
}

// fullName returns a name with its namespace.
func fullName(name, namespace string) string {
	if namespace == "" || strings.Contains(name, ".") {
		return name
	}
	return namespace + "." + name
}

// avroReader walks a record and writes it as JSON. Its methods return false where the
// record does not follow the schema.
type avroReader struct {
	rest  []byte
	out   []byte
	most  int // of out, in bytes
	empty int // items of no byte
}

// mostEmpty is how many items of no byte a record may have, such as nulls: any number
// of them takes a few bytes only.
const mostEmpty = 10_000

// maxAvroDepth bounds the nesting of types: a union is a level of its own, and a type
// that holds itself costs no byte.
const maxAvroDepth = 4 * event.MaxDepth

// value writes one value.
func (r *avroReader) value(t *avroType, depth int) bool {
	if depth > maxAvroDepth || len(r.out) > r.most {
		return false
	}
	switch t.kind {
	case atype.Null:
		r.out = append(r.out, "null"...)
	case atype.Boolean:
		b, ok := r.bytes(1)
		if !ok || b[0] > 1 {
			return false
		}
		r.out = strconv.AppendBool(r.out, b[0] == 1)
	case atype.Int, atype.Long:
		n, ok := r.long()
		if !ok || t.kind == atype.Int && n != int64(int32(n)) {
			return false
		}
		r.number(t.logical, n)
	case atype.Float:
		b, ok := r.bytes(4)
		if !ok {
			return false
		}
		r.out = appendFloat(r.out, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), 32)
	case atype.Double:
		b, ok := r.bytes(8)
		if !ok {
			return false
		}
		r.out = appendFloat(r.out, math.Float64frombits(binary.LittleEndian.Uint64(b)), 64)
	case atype.String:
		b, ok := r.sized()
		if !ok {
			return false
		}
		r.out = event.AppendText(r.out, string(b))
	case atype.Bytes:
		b, ok := r.sized()
		if !ok {
			return false
		}
		r.octets(t, b)
	case atype.Fixed:
		b, ok := r.bytes(int64(t.size))
		if !ok {
			return false
		}
		r.octets(t, b)
	case atype.Enum:
		n, ok := r.long()
		if !ok || n < 0 || n >= int64(len(t.symbols)) {
			return false
		}
		r.out = event.AppendText(r.out, t.symbols[n])
	case atype.Union:
		n, ok := r.long()
		return ok && n >= 0 && n < int64(len(t.branches)) && r.value(t.branches[n], depth+1)
	case atype.Record:
		return r.record(t, depth)
	default:
		return r.blocks(t, depth)
	}
	return true
}

// record writes a record as an object.
func (r *avroReader) record(t *avroType, depth int) bool {
	r.out = append(r.out, '{')
	for i := range t.fields {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		r.out = append(r.out, t.fields[i].key...)
		if !r.value(t.fields[i].of, depth+1) {
			return false
		}
	}
	r.out = append(r.out, '}')
	return true
}

// blocks writes an array, or a map as an object. They come in blocks of items, of
// which an empty one is the last.
func (r *avroReader) blocks(t *avroType, depth int) bool {
	open, shut := byte('['), byte(']')
	if t.kind == atype.Map {
		open, shut = '{', '}'
	}
	r.out = append(r.out, open)
	for some := false; ; {
		n, ok := r.long()
		if ok && n < 0 { // the block's size in bytes follows
			_, ok = r.long()
			n = -n
		}
		switch {
		case !ok || n < 0:
			return false
		case n == 0:
			r.out = append(r.out, shut)
			return true
		}
		for ; n > 0; n-- {
			if some {
				r.out = append(r.out, ',')
			}
			some = true
			if t.kind == atype.Map {
				key, ok := r.sized()
				if !ok {
					return false
				}
				r.out = append(event.AppendText(r.out, string(key)), ':')
			}
			left := len(r.rest)
			if !r.value(t.of, depth+1) {
				return false
			}
			if t.kind == atype.Array && len(r.rest) == left {
				if r.empty++; r.empty > mostEmpty {
					return false
				}
			}
		}
	}
}

// long takes a number of variable length.
func (r *avroReader) long() (int64, bool) {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		return 0, false
	}
	r.rest = r.rest[size:]
	return n, true
}

// bytes takes so many bytes.
func (r *avroReader) bytes(n int64) ([]byte, bool) {
	if n < 0 || n > int64(len(r.rest)) {
		return nil, false
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b, true
}

// sized takes bytes whose number stands before them.
func (r *avroReader) sized() ([]byte, bool) {
	n, ok := r.long()
	if !ok {
		return nil, false
	}
	return r.bytes(n)
}

// number writes an int or long. A time is its number, whose unit a field map can name;
// one without a zone, and a date, are texts, since their numbers would be taken for UTC.
func (r *avroReader) number(logical string, n int64) {
	const local = `"2006-01-02T15:04:05.999999999"`
	switch logical {
	case atype.LocalTimestampMillis:
		r.out = time.UnixMilli(n).UTC().AppendFormat(r.out, local)
	case atype.LocalTimestampMicros:
		r.out = time.UnixMicro(n).UTC().AppendFormat(r.out, local)
	case atype.LocalTimestampNanos:
		r.out = time.Unix(0, n).UTC().AppendFormat(r.out, local)
	case atype.Date:
		r.out = time.Unix(n*24*60*60, 0).UTC().AppendFormat(r.out, `"2006-01-02"`)
	default:
		r.out = strconv.AppendInt(r.out, n, 10)
	}
}

// maxDecimal is the longest decimal in bytes that is written as a number: some 150
// digits.
const maxDecimal = 64

// octets writes bytes: a decimal as a number, a UUID as it is usually written, and
// all others in base64.
func (r *avroReader) octets(t *avroType, b []byte) {
	switch {
	case t.logical == atype.Decimal && len(b) > 0 && len(b) <= maxDecimal:
		n := new(big.Int).SetBytes(b)
		if b[0] >= 0x80 { // two's complement
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		if t.scale == 0 {
			r.out = n.Append(r.out, 10)
			return
		}
		unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.scale)), nil)
		r.out = append(r.out, new(big.Rat).SetFrac(n, unit).FloatString(t.scale)...)
	case t.logical == atype.UUID && len(b) == 16:
		h := hex.EncodeToString(b)
		r.out = event.AppendText(r.out, h[:8]+"-"+h[8:12]+"-"+h[12:16]+"-"+h[16:20]+"-"+h[20:])
	default:
		r.out = appendBase64(r.out, b)
	}
}
