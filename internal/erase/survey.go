package erase

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// survey is what the ledger says of what is to be deleted.
type survey struct {
	begins      int64                  // number of the record before the first
	cut         *ledger.Cut            // after the last record that is old enough; its Head.Seq is begins if none is
	kinds       map[ledger.Kind]int64  // records that are old enough, by kind
	older       map[name]bool          // verdicts of which those records tell
	younger     map[name]bool          // verdicts of which the others tell
	given       map[string]*ledger.Cut // cuts on weir.verdicts that are not chained and were not refused, by their texts
	unfinished  *ledger.Cut            // that is chained, and whose records are still there
	checkpoints bool                   // some were sent outside
	end         int64                  // offset at which the ledger ended
}

// name names a verdict.
type name struct {
	ID        string `json:"id"`
	Signature string `json:"signature"`
}

// nameOf returns the name of a record of weir.verdicts, the zero value of one that is no
// verdict.
func nameOf(value []byte) (out name) {
	if json.Unmarshal(value, &out) != nil {
		return name{}
	}
	return out
}

// survey reads the ledger.
func (c *Cutting) survey(ctx context.Context) (*survey, error) {
	conn, names := c.Follower.Connection, c.Follower.Topics
	begins, why, err := topics.LedgerCut(ctx, conn, names, c.Proof)
	if err != nil {
		return nil, err
	}
	if why != nil {
		return nil, fmt.Errorf("the ledger lacks its first records: %w", why)
	}
	s := &survey{cut: &ledger.Cut{Below: map[string]int64{}}, kinds: map[ledger.Kind]int64{}, older: map[name]bool{}, younger: map[name]bool{}, given: map[string]*ledger.Cut{}}
	if begins != nil {
		s.cut.Head, s.cut.Tree, s.begins = begins.Head, begins.Tree, begins.Head.Seq
	}
	past, chained := false, []*ledger.Cut{}
	if s.end, err = conn.ReadAll(ctx, names.Ledger, 0, func(rec *kgo.Record) error {
		r, err := ledger.Parse(rec.Value)
		if err != nil {
			return err
		}
		past = past || !rec.Timestamp.Before(c.Before)
		s.take(rec, r, past)
		if cut := ledger.CutOf(r); cut != nil && c.Proof(cut.Verdict) == nil {
			chained = append(chained, cut)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for _, cut := range chained {
		if cut.Head == s.cut.Head && slices.Equal(cut.Tree.Edge, s.cut.Tree.Edge) && cut.Head.Seq > s.begins {
			s.unfinished = cut
		}
	}
	_, err = conn.ReadAll(ctx, names.Verdicts, 0, func(rec *kgo.Record) error {
		n := nameOf(rec.Value)
		if cut := ledger.CutOfVerdict(rec.Value); cut != nil && c.Proof(rec.Value) == nil && !s.older[n] && !s.younger[n] {
			s.given[cut.String()] = cut
		}
		return nil
	})
	return s, err
}

// verdictIn returns which verdict a record of the ledger is about, the zero value if none,
// and why weir refused it, empty if it did not.
func verdictIn(r *ledger.Record) (of name, refused string) {
	var body struct {
		Verdict name   `json:"verdict"`
		Refused string `json:"refused"`
	}
	if r.Kind == ledger.Verdict || r.Kind == ledger.Refusal {
		_ = json.Unmarshal(r.Body, &body) // what was never a verdict has no name
	}
	return body.Verdict, body.Refused
}

// take takes in a record of the ledger. young says that it stays.
func (s *survey) take(rec *kgo.Record, r *ledger.Record, young bool) {
	verdict, _ := verdictIn(r)
	s.checkpoints = s.checkpoints || r.Kind == ledger.Check
	known := s.older
	if young {
		known = s.younger
	}
	if verdict.ID != "" {
		known[verdict] = true
	}
	if young {
		return
	}
	s.kinds[r.Kind]++
	s.cut.Head = ledger.Head{Seq: r.Seq, Hash: r.Hash}
	s.cut.Tree.Add(rec.Value)
	s.cut.Below[rec.Topic] = rec.Offset + 1
}
