// Package verification holds a ledger against all that says the same, and says in words
// what it found.
package verification

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/ndjson"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Report is what was found.
type Report struct {
	Ledger      string `json:"ledger"`
	Whole       bool   `json:"whole"`
	Checkpoints int    `json:"checkpoints"`
	ledger.Result
	Faults []ledger.Fault `json:"faults"`

	Verifier ledger.Verifier `json:"-"`
	Proof    ledger.Proof    `json:"-"` // whose cuts count; nil: nobody's
}

// ReadFile verifies a copy of a ledger, one record a line. It keeps what it reads until it
// knows where the ledger begins.
func (r *Report) ReadFile(path string) error {
	type record struct {
		where string
		text  []byte
	}
	var held []record
	b, begun := ledger.Beginning{Proof: r.Proof}, false
	begin := func() {
		r.Verifier.Cut, r.Verifier.Uncut = b.Cut()
		for _, h := range held {
			r.Verifier.Add(h.where, h.text)
		}
		held, begun = nil, true
	}
	if err := ndjson.EachLine(path, func(line int, text []byte) {
		where := fmt.Sprint("line ", line)
		if begun {
			r.Verifier.Add(where, text)
			return
		}
		if held = append(held, record{where, text}); !b.Add(text) {
			begin()
		}
	}); err != nil {
		return err
	}
	if !begun {
		begin()
	}
	if r.Result = r.Verifier.End(ledger.Head{}); r.Fault != nil {
		r.Faults = append(r.Faults, *r.Fault)
	}
	return nil
}

// ReadTopic verifies the ledger of a deployment; see topics.VerifyLedger.
func (r *Report) ReadTopic(ctx context.Context, conn *cluster.Connection, names topics.Names, atHand []byte, each func()) (err error) {
	r.Ledger = names.Ledger
	r.Result, r.Faults, err = topics.VerifyLedger(ctx, conn, names, &r.Verifier, r.Proof, atHand, each)
	return err
}

// End says whether the ledger is whole.
func (r *Report) End() bool {
	r.Checkpoints = len(r.Verifier.Checkpoints)
	if r.Faults == nil {
		r.Faults = []ledger.Fault{}
	}
	r.Whole = len(r.Faults) == 0
	return r.Whole
}

// Print says what was found.
func (r *Report) Print(w io.Writer) {
	if r.Whole {
		fmt.Fprintf(w, "The ledger %s is whole: %s records%s.\n", r.Ledger, alerting.Group(r.Records), counts(r.Kinds))
		r.printCut(w)
		if r.Head.Seq > 0 {
			fmt.Fprintf(w, "The last one is number %d, with the hash %s.\n", r.Head.Seq, r.Head.Hash)
		}
	}
	for i := range r.Faults {
		fmt.Fprintln(w, r.sentence(&r.Faults[i]))
	}
	r.printSince(w)
}

// printCut says who deleted what stood before the first record.
func (r *Report) printCut(w io.Writer) {
	if c := r.Cut; c != nil {
		at := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
		fmt.Fprintf(w, "Records 1 to %d were deleted by %s on %s: %s. The signature is good. The first that is left is of %s.\n",
			c.Head.Seq, alerting.Printable(c.Author, 200), at(c.Time), alerting.Printable(c.Reason, 500), at(c.Left))
	}
}

// printSince says what checkpoints know of the ledger.
func (r *Report) printSince(w io.Writer) {
	newest, old := ledger.Newest(r.Verifier.Checkpoints), 0
	for i := range r.Verifier.Checkpoints {
		if r.Cut != nil && r.Verifier.Checkpoints[i].Size < r.Cut.Head.Seq {
			old++
		}
	}
	if old > 0 {
		fmt.Fprintf(w, "%d of the checkpoints are of fewer records than were deleted: they say nothing of what is there.\n", old)
	}
	switch left := r.Checkpoints - old; {
	case left == 0:
		fmt.Fprintln(w, "It was held against no checkpoint: that it was not written anew is known from Kafka only.")
		return
	case r.Fault == nil && left == 1:
		fmt.Fprintln(w, "It agrees with the checkpoint.")
	case r.Fault == nil:
		fmt.Fprintf(w, "It agrees with all %d checkpoints.\n", left)
	}
	n := int64(0)
	for _, of := range r.Since {
		n += of
	}
	fmt.Fprintf(w, "Since the newest checkpoint, of %s records, came %s%s.\n", alerting.Group(newest.Size), alerting.Group(n), counts(r.Since))
	for _, name := range newest.Witnesses {
		fmt.Fprintf(w, "The witness %s has signed it.\n", name)
	}
}

// sentence says what is wrong.
func (r *Report) sentence(f *ledger.Fault) string {
	if f.Seq == 0 {
		return fmt.Sprintf("The ledger %s and %s do not agree: %s: %s.", r.Ledger, f.Where, f.Kind, f.Text)
	}
	where := ""
	if f.Where != "" {
		where = " (" + f.Where + ")"
	}
	return fmt.Sprintf("The ledger %s is not whole: %s at record %d%s: %s.", r.Ledger, f.Kind, f.Seq, where, f.Text)
}

// counts lists how many records of each kind there are.
func counts(of map[ledger.Kind]int64) string {
	if len(of) == 0 {
		return ""
	}
	text := " ("
	for i, kind := range slices.Sorted(maps.Keys(of)) {
		if i > 0 {
			text += ", "
		}
		text += alerting.Group(of[kind]) + " " + string(kind)
	}
	return text + ")"
}
