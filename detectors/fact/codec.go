package fact

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/weirhq/weir/detectors/exposure"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
)

// The binary form of a register is one record for each entry. Its key is a letter
// for what kind of entry it is, and the name of what it is about.
const (
	accountRecord  = "a"
	keyRecord      = "k"
	kindRecord     = "i"
	noticeRecord   = "n" // all notices of one identity
	unissuedRecord = "m"
	sourceRecord   = "v"
	inputsRecord   = "h" // the only one; it has no name
)

// Changes emits the records that have changed since the last call, sorted by key; a
// nil value says that the entry is gone.
func (r *Register) Changes(emit func(key string, value []byte)) {
	for _, key := range slices.Sorted(maps.Keys(r.changed)) {
		emit(key, r.encode(key[:1], key[1:]))
	}
	clear(r.changed)
}

// encode returns a record's value; nil if what it is about is gone.
func (r *Register) encode(kind, name string) []byte {
	switch kind {
	case accountRecord:
		if a, ok := r.accounts[name]; ok {
			return wire.AppendText(wire.AppendVarints(nil, a.Joined, a.Left), a.Maker)
		}
	case keyRecord:
		if k, ok := r.keys[name]; ok {
			return wire.AppendVarints(nil, k.Issued, k.Revoked, k.Retired)
		}
	case kindRecord:
		if since, ok := r.kinds[name]; ok {
			return wire.AppendVarints(nil, since)
		}
	case noticeRecord:
		var b []byte
		for _, n := range r.notices.byKey[name] {
			b = n.append(b)
		}
		return b
	case unissuedRecord:
		if u := r.unissued[name]; u != nil {
			return u.append(nil)
		}
	case sourceRecord:
		if s := r.sources[name]; s != nil {
			return s.append(nil)
		}
	case inputsRecord:
		return wire.AppendVarints(nil, r.inputs.staff, r.inputs.keys, r.inputs.tokens, r.inputs.accesses, r.pruned)
	}
	return nil
}

// Load takes over one record that Changes has emitted.
func (r *Register) Load(key string, value []byte) error {
	if key == "" {
		return fmt.Errorf("reading the facts: %w", wire.ErrCorrupt)
	}
	kind, name := key[:1], key[1:]
	in := wire.NewReader(value)
	switch kind {
	case accountRecord:
		r.accounts[name] = Account{Joined: in.Varint(), Left: in.Varint(), Maker: in.Text()}
	case keyRecord:
		r.keys[name] = Key{Issued: in.Varint(), Revoked: in.Varint(), Retired: in.Varint()}
	case kindRecord:
		r.kinds[name] = in.Varint()
	case noticeRecord:
		for in.Len() > 0 {
			r.notices.byKey[name] = append(r.notices.byKey[name], readNotice(&in))
			r.notices.count++
		}
	case unissuedRecord:
		r.unissued[name] = readUnissued(&in)
	case sourceRecord:
		r.sources[name] = readSource(&in)
	case inputsRecord:
		r.inputs = inputsSince{in.Varint(), in.Varint(), in.Varint(), in.Varint()}
		r.pruned = in.Varint()
	default:
		in.Fail("unknown kind of record")
	}
	if err := in.End(); err != nil {
		return fmt.Errorf("reading the facts: %w", err)
	}
	return nil
}

func (n *notice) append(b []byte) []byte {
	b = wire.AppendText(b, string(n.fact))
	b = wire.AppendVarints(b, n.time, n.began, n.last)
	b = binary.AppendUvarint(b, uint64(len(n.detail)))
	for _, name := range slices.Sorted(maps.Keys(n.detail)) {
		b = wire.AppendText(b, name)
		b = wire.AppendText(b, n.detail[name])
	}
	return n.AppendBinary(b)
}

func readNotice(r *wire.Reader) *notice {
	n := &notice{fact: Name(r.Bytes()), time: r.Varint(), began: r.Varint(), last: r.Varint(), detail: map[string]string{}}
	for range r.Count() {
		name := r.Text()
		n.detail[name] = r.Text()
	}
	n.Exposure = exposure.Read(r)
	return n
}

func (u *unissuedReads) append(b []byte) []byte {
	b = wire.AppendVarints(b, u.Bin, u.Since, u.Began, u.Reported)
	for i := range u.Tokens {
		b = wire.AppendFloat64(wire.AppendFloat64(b, u.Tokens[i]), u.Records[i])
	}
	for i := range u.Past {
		b = wire.AppendFloat64(wire.AppendFloat64(b, u.Past[i].Tokens), u.Past[i].Records)
	}
	b = u.tokens.AppendBinary(b)
	return u.records.AppendBinary(b)
}

func readUnissued(r *wire.Reader) *unissuedReads {
	u := &unissuedReads{}
	u.Bin, u.Since, u.Began, u.Reported = r.Varint(), r.Varint(), r.Varint(), r.Varint()
	for i := range u.Tokens {
		u.Tokens[i], u.Records[i] = r.Float64(), r.Float64()
	}
	for i := range u.Past {
		u.Past[i].Tokens, u.Past[i].Records = r.Float64(), r.Float64()
	}
	u.tokens = wire.Decode(r, sketches.DecodeWindow)
	u.records = wire.Decode(r, sketches.DecodeWindow)
	return u
}

func (s *sourceActivity) append(b []byte) []byte {
	b = wire.AppendVarints(b, s.last, s.reported, s.hour, int64(s.active))
	b = wire.AppendFloat64(wire.AppendFloat64(b, s.surprise), s.longest)
	for i := range s.rhythm.Active {
		b = wire.AppendFloat32(wire.AppendFloat32(b, s.rhythm.Active[i]), s.rhythm.Ticks[i])
	}
	return b
}

func readSource(r *wire.Reader) *sourceActivity {
	s := &sourceActivity{last: r.Varint(), reported: r.Varint(), hour: r.Varint(), active: float32(r.Varint())}
	s.surprise, s.longest = r.Float64(), r.Float64()
	for i := range s.rhythm.Active {
		s.rhythm.Active[i], s.rhythm.Ticks[i] = r.Float32(), r.Float32()
	}
	return s
}
