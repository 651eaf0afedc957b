package detect

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// Keys of the facts' records in the state topic: factsPrefix, what kind of
// record it is, and the name of what it is about. No dimension has an empty
// name, so they stand apart from identities.
const (
	factsPrefix   = "\x00facts\x00"
	accountRecord = "a"
	keyRecord     = "k"
	kindRecord    = "i"
	noticeRecord  = "n"
	missingRecord = "m"
	voiceRecord   = "v"
	heardRecord   = "h"
)

// changes returns what has changed since the last call, sorted by key.
func (f *factRegister) changes() (out []stream.Change) {
	for _, key := range slices.Sorted(maps.Keys(f.changed)) {
		out = append(out, stream.Change{Key: []byte(factsPrefix + key), Value: f.encode(key[:1], key[1:])})
	}
	clear(f.changed)
	return out
}

// encode returns a record's value; nil if what it is about is gone.
func (f *factRegister) encode(kind, name string) []byte {
	switch kind {
	case accountRecord:
		if a, ok := f.accounts[name]; ok {
			b := wire.AppendVarints(nil, a.Joined, a.Left)
			return wire.AppendText(b, a.Maker)
		}
	case keyRecord:
		if k, ok := f.keys[name]; ok {
			return wire.AppendVarints(nil, k.Issued, k.Revoked, k.Retired)
		}
	case kindRecord:
		if since, ok := f.kinds[name]; ok {
			return wire.AppendVarints(nil, since)
		}
	case noticeRecord:
		if list := f.notices[name]; len(list) > 0 {
			var b []byte
			for _, n := range list {
				b = n.append(b)
			}
			return b
		}
	case missingRecord:
		if m := f.missing[name]; m != nil {
			return m.append(nil)
		}
	case voiceRecord:
		if v := f.voices[name]; v != nil {
			return v.append(nil)
		}
	case heardRecord:
		return wire.AppendVarints(nil, f.heard.staff, f.heard.keys, f.heard.tokens, f.heard.accesses, f.pruned)
	}
	return nil
}

// load takes over one record of the state; key is without the prefix.
func (f *factRegister) load(key string, value []byte) error {
	if key == "" {
		return fmt.Errorf("reading the facts: %w", wire.ErrCorrupt)
	}
	kind, name := key[:1], key[1:]
	r := wire.NewReader(value)
	switch kind {
	case accountRecord:
		f.accounts[name] = fact.Account{Joined: r.Varint(), Left: r.Varint(), Maker: r.Text()}
	case keyRecord:
		f.keys[name] = fact.Key{Issued: r.Varint(), Revoked: r.Varint(), Retired: r.Varint()}
	case kindRecord:
		f.kinds[name] = r.Varint()
	case noticeRecord:
		for r.Len() > 0 {
			f.notices[name] = append(f.notices[name], readNotice(&r))
			f.noticed++
		}
	case missingRecord:
		f.missing[name] = readMissing(&r)
	case voiceRecord:
		f.voices[name] = readVoice(&r)
	case heardRecord:
		f.heard = factsHeard{r.Varint(), r.Varint(), r.Varint(), r.Varint()}
		f.pruned = r.Varint()
	default:
		r.Fail("unknown kind of record")
	}
	if err := r.End(); err != nil {
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
	return n.exposure.append(b)
}

func readNotice(r *wire.Reader) *notice {
	n := &notice{fact: fact.Name(r.Bytes()), time: r.Varint(), began: r.Varint(), last: r.Varint(), detail: map[string]string{}}
	for range r.Count() {
		name := r.Text()
		n.detail[name] = r.Text()
	}
	n.exposure = *readExposure(r)
	return n
}

func (m *missing) append(b []byte) []byte {
	b = wire.AppendVarints(b, m.Bin, m.Since, m.Began, m.Told)
	for i := range m.Tokens {
		b = wire.AppendFloat64(wire.AppendFloat64(b, m.Tokens[i]), m.Records[i])
	}
	for i := range m.Past {
		b = wire.AppendFloat64(wire.AppendFloat64(b, m.Past[i].Tokens), m.Past[i].Records)
	}
	b = m.seen.AppendBinary(b)
	return m.records.AppendBinary(b)
}

func readMissing(r *wire.Reader) *missing {
	m := &missing{}
	m.Bin, m.Since, m.Began, m.Told = r.Varint(), r.Varint(), r.Varint(), r.Varint()
	for i := range m.Tokens {
		m.Tokens[i], m.Records[i] = r.Float64(), r.Float64()
	}
	for i := range m.Past {
		m.Past[i].Tokens, m.Past[i].Records = r.Float64(), r.Float64()
	}
	m.seen = wire.Decode(r, sketches.DecodeWindow)
	m.records = wire.Decode(r, sketches.DecodeWindow)
	return m
}

func (v *sourceActivity) append(b []byte) []byte {
	b = wire.AppendVarints(b, v.last, v.told, v.hour, int64(v.active))
	b = wire.AppendFloat64(wire.AppendFloat64(b, v.surprise), v.longest)
	for i := range v.rhythm.Active {
		b = wire.AppendFloat32(wire.AppendFloat32(b, v.rhythm.Active[i]), v.rhythm.Ticks[i])
	}
	return b
}

func readVoice(r *wire.Reader) *sourceActivity {
	v := &sourceActivity{last: r.Varint(), told: r.Varint(), hour: r.Varint(), active: float32(r.Varint())}
	v.surprise, v.longest = r.Float64(), r.Float64()
	for i := range v.rhythm.Active {
		v.rhythm.Active[i], v.rhythm.Ticks[i] = r.Float32(), r.Float32()
	}
	return v
}
