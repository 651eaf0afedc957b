package correlate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/wire"
)

// verdictStateVersion is the first byte of what is kept of verdicts.
const verdictStateVersion = 5

// appendBinary appends the canonical encoding.
func (s *verdictState) appendBinary(b []byte) []byte {
	b = wire.AppendVarints(append(b, verdictStateVersion), s.offset)
	b = wire.AppendList(b, s.due, func(b []byte, d *dueVerdict) []byte {
		return wire.AppendVarints(wire.AppendText(d.verdict.appendBinary(b), d.refusal), d.tick)
	})
	b = wire.AppendList(b, s.waiting, func(b []byte, v *Verdict) []byte { return v.appendBinary(b) })
	seen := slices.Sorted(maps.Keys(s.seen))
	b = wire.AppendList(b, seen, func(b []byte, id *string) []byte {
		g := s.seen[*id]
		return wire.AppendText(wire.AppendVarints(wire.AppendText(b, *id), int64(g.at)), g.author)
	})
	ids := slices.SortedFunc(maps.Keys(s.expected), episode.ID.Compare)
	b = wire.AppendList(b, ids, func(b []byte, id *episode.ID) []byte {
		x := s.expected[*id]
		b = x.verdict.appendBinary(wire.AppendText(wire.AppendText(b, id.Dimension), id.Identity))
		return wire.AppendText(append(b, byte(x.severity)), x.facts)
	})
	ids = slices.SortedFunc(maps.Keys(s.proposed), episode.ID.Compare)
	return wire.AppendList(b, ids, func(b []byte, id *episode.ID) []byte {
		p := s.proposed[*id]
		return wire.AppendVarints(p.verdict.appendBinary(wire.AppendText(wire.AppendText(b, id.Dimension), id.Identity)), p.until)
	})
}

// decodeVerdictState reads what appendBinary wrote.
func decodeVerdictState(value []byte) (s verdictState, err error) {
	r := wire.NewReader(value)
	r.Version(verdictStateVersion)
	s.offset = r.Varint()
	s.due = wire.List(&r, func() dueVerdict { return dueVerdict{readVerdict(&r), r.Text(), r.Varint()} })
	s.waiting = wire.List(&r, func() Verdict { return readVerdict(&r) })
	s.seen = map[string]given{}
	for range r.Count() {
		id := r.Text()
		s.seen[id] = given{alerting.Time(r.Varint()), r.Text()}
		if r.Err() != nil {
			break
		}
	}
	s.expected = map[episode.ID]expected{}
	for range r.Count() {
		id := episode.ID{Dimension: r.Text(), Identity: r.Text()}
		s.expected[id] = expected{readVerdict(&r), episode.Severity(r.Byte()), r.Text()}
		if r.Err() != nil {
			break
		}
	}
	s.proposed = map[episode.ID]proposal{}
	for range r.Count() {
		id := episode.ID{Dimension: r.Text(), Identity: r.Text()}
		s.proposed[id] = proposal{readVerdict(&r), r.Varint()}
		if r.Err() != nil {
			break
		}
	}
	if err := r.End(); err != nil {
		return verdictState{}, fmt.Errorf("reading the verdicts: %w", err)
	}
	return s, nil
}

// ExpectedIdentity is an identity that a verdict expects.
type ExpectedIdentity struct {
	ID      episode.ID
	Verdict Verdict
}

// ExpectedByVerdict lists whom verdicts expect, sorted, by the record that correlate keeps
// of the verdicts under VerdictsKey.
func ExpectedByVerdict(record []byte) (out []ExpectedIdentity, err error) {
	s, err := decodeVerdictState(record)
	for _, id := range slices.SortedFunc(maps.Keys(s.expected), episode.ID.Compare) {
		out = append(out, ExpectedIdentity{id, s.expected[id].verdict})
	}
	return out, err
}

// appendBinary appends the fields; the record on weir.verdicts, which people's
// own tools may write, is JSON.
func (v *Verdict) appendBinary(b []byte) []byte {
	for _, text := range []string{v.ID, string(v.Kind), v.DedupKey, v.Author, v.Reason, v.Assignee, v.Via, v.Signature} {
		b = wire.AppendText(b, text)
	}
	return wire.AppendVarints(b, int64(v.Time), int64(v.Expires))
}

func readVerdict(r *wire.Reader) Verdict {
	v := Verdict{ID: r.Text(), Kind: VerdictKind(r.Text()), DedupKey: r.Text(), Author: r.Text(), Reason: r.Text(), Assignee: r.Text(), Via: r.Text(), Signature: r.Text()}
	v.Time, v.Expires = alerting.Time(r.Varint()), alerting.Time(r.Varint())
	return v
}
