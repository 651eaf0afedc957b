// Package erase has weir show the name of a person no more, says where the name still
// stands, and deletes what is old: with [Erasure] a name is hidden, with [Cutting] records
// go.
//
// To hide a name, a signed record of weir.verdicts has the person's pseudonym in the place
// of the name. Whoever folds weir's topics puts the pseudonym in the place of the name, but
// in episodes that are open: nobody can hide a warning by it.
package erase

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/console/follow"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/internal/destinations"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Erasure is what is to be done.
type Erasure struct {
	Follower        *follow.Follower // of the deployment, with its Eraser
	Proof           authority.Proof  // of the author
	Dimension, Name string
	Reason          string
}

// Result says what was written, and where the name still stands.
type Result struct {
	Verdict correlate.Verdict `json:"verdict"`
	Remains []Place           `json:"remains"`
}

// Place is a topic in which the name may stand.
type Place struct {
	Topic   string `json:"topic"`
	Records int64  `json:"records"` // that hold it; -1: they were not looked through
	Until   string `json:"until"`
}

// Run writes the erasure, and looks through the topics that are kept without end.
func (e *Erasure) Run(ctx context.Context) (*Result, error) {
	if personal := e.Follower.Eraser.Personal; !slices.Contains(personal, e.Dimension) {
		return nil, usage.Errorf("%s are not people, whose names can be erased; want one of %s", e.Dimension, strings.Join(personal, ", "))
	}
	if e.Reason == "" || strings.Contains(e.Reason, e.Name) {
		return nil, usage.Errorf("erase needs --reason, without the name")
	}
	snapshot, err := e.Follower.Once(ctx)
	if err != nil {
		return nil, err
	}
	for _, ep := range snapshot.OfIdentity(e.Dimension, e.Name) {
		if ep.IsOpen() {
			return nil, fmt.Errorf("%s %s has an open episode, %s, whose warning must have its name: erase it when that is over", e.Dimension, e.Name, ep.Key())
		}
	}
	conn, names := e.Follower.Connection, e.Follower.Topics
	r := &Result{}
	if r.Remains, err = remains(ctx, conn, names, e.Name); err != nil {
		return nil, err
	}
	v := correlate.Verdict{Kind: correlate.Erased, DedupKey: e.Follower.Eraser.Pseudonym(e.Dimension, e.Name), Reason: e.Reason}
	r.Verdict, err = authority.Submit(ctx, destinations.VerdictWriter(conn, names.Verdicts), v, authority.By{Proof: e.Proof})
	return r, err
}

// remains says where a name still stands. It looks through the topics that are kept
// without end; the others let go of it by themselves, or at a reset.
func remains(ctx context.Context, conn *cluster.Connection, names topics.Names, name string) (out []Place, err error) {
	text, err := json.Marshal(name)
	if err != nil {
		return nil, fmt.Errorf("looking for a name: %w", err)
	}
	text = bytes.Trim(text, `"`)
	const ever = "until weir erase --before deletes it"
	for _, p := range []Place{
		{names.Ledger, 0, ever + "; it chains what was said, so that no warning can be taken away"},
		{names.Alerts, 0, ever + "; the ledger is held against it"},
		{names.Suppressed, 0, ever + "; the ledger is held against it"},
		{names.Verdicts, 0, ever + "; as an author, or in a reason that somebody wrote"},
		{names.DeadLetters, 0, ever},
	} {
		if _, err := conn.ReadAll(ctx, p.Topic, 0, func(rec *kgo.Record) error {
			if bytes.Contains(rec.Value, text) || bytes.Contains(rec.Key, []byte(name)) {
				p.Records++
			}
			return nil
		}); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return append(out,
		Place{names.Outbox, -1, "until its episode has ended, for destinations that are told again and again"},
		Place{names.Fleet, -1, "60 days after its last episode has ended"},
		Place{names.State, -1, "180 days after it last did anything, or until weir reset, as counts and hashed records"},
		Place{names.Partials + ", " + names.Evidence, -1, "7 days after it last did anything"},
		Place{names.Aliases, -1, "until the source of aliases no longer names it"},
	), nil
}

// Print says in words what was done.
func (r *Result) Print(w io.Writer, dimension, name string) error {
	fmt.Fprintf(w, "Written: pages, API and reports of weir show %s %s as %s from now on, unless an episode of it opens.\nThe name still stands in:\n\n", dimension, name, r.Verdict.DedupKey)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TOPIC\tRECORDS\tUNTIL")
	for _, p := range r.Remains {
		n := "not counted"
		if p.Records >= 0 {
			n = fmt.Sprint(p.Records)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", p.Topic, n, p.Until)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nMessages that were sent, and weir's log, are kept by those who got them.")
	return err
}
