package stream

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors"
	"github.com/weirhq/weir/sketches"
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
func (f *factRegister) changes() (out []Change) {
	for _, key := range slices.Sorted(maps.Keys(f.changed)) {
		out = append(out, Change{[]byte(factsPrefix + key), f.encode(key[:1], key[1:])})
	}
	clear(f.changed)
	return out
}

// encode returns a record's value; nil if what it is about is gone.
func (f *factRegister) encode(kind, name string) []byte {
	switch kind {
	case accountRecord:
		if a, ok := f.accounts[name]; ok {
			b := appendVarints(nil, a.Joined, a.Left)
			return appendString(b, a.Maker)
		}
	case keyRecord:
		if k, ok := f.keys[name]; ok {
			return appendVarints(nil, k.Issued, k.Revoked, k.Retired)
		}
	case kindRecord:
		if since, ok := f.kinds[name]; ok {
			return appendVarints(nil, since)
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
		return appendVarints(nil, f.heard.staff, f.heard.keys, f.heard.tokens, f.heard.accesses, f.pruned)
	}
	return nil
}

// load takes over one record of the state; key is without the prefix.
func (f *factRegister) load(key string, value []byte) error {
	if key == "" {
		return fmt.Errorf("reading the facts: %w", ErrCorrupt)
	}
	kind, name := key[:1], key[1:]
	r := reader{b: value}
	switch kind {
	case accountRecord:
		f.accounts[name] = detectors.Account{Joined: r.varint(), Left: r.varint(), Maker: string(r.bytes())}
	case keyRecord:
		f.keys[name] = detectors.Key{Issued: r.varint(), Revoked: r.varint(), Retired: r.varint()}
	case kindRecord:
		f.kinds[name] = r.varint()
	case noticeRecord:
		for len(r.b) > 0 {
			f.notices[name] = append(f.notices[name], r.notice())
			f.noticed++
		}
	case missingRecord:
		f.missing[name] = r.missing()
	case voiceRecord:
		f.voices[name] = r.voice()
	case heardRecord:
		f.heard = factsHeard{r.varint(), r.varint(), r.varint(), r.varint()}
		f.pruned = r.varint()
	default:
		r.fail("unknown kind of record")
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("bytes too many")
	}
	if r.err != nil {
		return fmt.Errorf("reading the facts: %w", r.err)
	}
	return nil
}

func (n *notice) append(b []byte) []byte {
	b = appendString(b, string(n.fact))
	b = appendVarints(b, n.time, n.began, n.last)
	b = binary.AppendUvarint(b, uint64(len(n.detail)))
	for _, name := range slices.Sorted(maps.Keys(n.detail)) {
		b = appendString(b, name)
		b = appendString(b, n.detail[name])
	}
	return n.exposure.append(b)
}

func (r *reader) notice() *notice {
	n := &notice{fact: alerting.Fact(r.bytes()), time: r.varint(), began: r.varint(), last: r.varint(), detail: map[string]string{}}
	for range r.count() {
		name := string(r.bytes())
		n.detail[name] = string(r.bytes())
	}
	n.exposure = *r.exposure()
	return n
}

func (m *missing) append(b []byte) []byte {
	b = appendVarints(b, m.Bin, m.Since, m.Began, m.Told)
	for i := range m.Tokens {
		b = appendFloat(appendFloat(b, m.Tokens[i]), m.Records[i])
	}
	for i := range m.Past {
		b = appendFloat(appendFloat(b, m.Past[i].Tokens), m.Past[i].Records)
	}
	b = m.seen.AppendBinary(b)
	return m.records.AppendBinary(b)
}

func (r *reader) missing() *missing {
	m := &missing{}
	m.Bin, m.Since, m.Began, m.Told = r.varint(), r.varint(), r.varint(), r.varint()
	for i := range m.Tokens {
		m.Tokens[i], m.Records[i] = r.float(), r.float()
	}
	for i := range m.Past {
		m.Past[i].Tokens, m.Past[i].Records = r.float(), r.float()
	}
	for _, w := range [...]*sketches.Window{&m.seen, &m.records} {
		if r.err != nil {
			return m
		}
		var err error
		if *w, r.b, err = sketches.DecodeWindow(r.b); err != nil {
			r.fail(err.Error())
		}
	}
	return m
}

func (v *voice) append(b []byte) []byte {
	b = appendVarints(b, v.last, v.told, v.hour, int64(v.active))
	b = appendFloat(appendFloat(b, v.surprise), v.longest)
	for i := range v.rhythm.Active {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v.rhythm.Active[i]))
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v.rhythm.Ticks[i]))
	}
	return b
}

func (r *reader) voice() *voice {
	v := &voice{last: r.varint(), told: r.varint(), hour: r.varint(), active: float32(r.varint())}
	v.surprise, v.longest = r.float(), r.float()
	for i := range v.rhythm.Active {
		both := r.uint64()
		v.rhythm.Active[i] = math.Float32frombits(uint32(both))
		v.rhythm.Ticks[i] = math.Float32frombits(uint32(both >> 32))
	}
	return v
}
