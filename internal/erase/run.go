package erase

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// Run does what a plan says.
func (c *Cutting) Run(ctx context.Context, p *Plan) error {
	cl, err := c.Follower.Connection.Client(ctx)
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	for _, topic := range order(c.Follower.Topics) { // who may not is told before anything is written
		if err := deleteBelow(ctx, adm, topic, 0); err != nil {
			return err
		}
	}
	if !p.Finishes {
		write := func(ctx context.Context, key, value []byte) error {
			rec := &kgo.Record{Topic: c.Follower.Topics.Verdicts, Key: key, Value: value}
			return cluster.Explain(cl.ProduceSync(ctx, rec).FirstErr())
		}
		if err := c.chain(ctx, p, write); err != nil {
			return err
		}
	}
	for _, topic := range order(c.Follower.Topics) {
		if err := deleteBelow(ctx, adm, topic, p.Cut.Below[topic]); err != nil {
			return fmt.Errorf("%w; run the command again to finish", err)
		}
	}
	p.Deleted = true
	return nil
}

// deleteBelow deletes the records of a topic below an offset.
func deleteBelow(ctx context.Context, adm *kadm.Client, topic string, offset int64) error {
	starts, err := adm.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if err == nil {
		start, _ := starts.Lookup(topic, 0)
		at := kadm.Offsets{}
		at.Add(kadm.Offset{Topic: topic, At: max(offset, start.Offset)})
		var answer kadm.DeleteRecordsResponses
		if answer, err = adm.DeleteRecords(ctx, at); err == nil {
			err = answer.Error()
		}
	}
	if err != nil {
		return fmt.Errorf("deleting records of %s, which takes the right Delete on it, beyond those of weir run: %w", topic, err)
	}
	return nil
}

// chain writes the verdict of the cut, and those that are written anew, and waits until
// correlate has chained the cut.
func (c *Cutting) chain(ctx context.Context, p *Plan, write authority.Writer) error {
	for _, v := range p.renewed {
		if _, err := authority.Submit(ctx, write, *v, authority.By{Proof: c.Author}); err != nil {
			return err
		}
	}
	if !p.given {
		v := correlate.Verdict{Kind: correlate.Cut, DedupKey: p.Cut.String(), Reason: c.Reason}
		v, err := authority.Submit(ctx, write, v, authority.By{Proof: c.Author})
		if err != nil {
			return err
		}
		p.Cut.ID, p.Cut.Author, p.Cut.Reason, p.Cut.Time = v.ID, v.Author, v.Reason, v.Time.Std()
	}
	waiting, cancel := context.WithTimeout(ctx, chainedWithin)
	defer cancel()
	for from := p.end; ; {
		_, end, err := c.Follower.Connection.Bounds(waiting, c.Follower.Topics.Ledger, 0)
		done, refused := false, ""
		if err == nil && end > from {
			span := []cluster.Span{{Topic: c.Follower.Topics.Ledger, Next: from, End: end}}
			err = cluster.ReadSpans(waiting, c.Follower.Connection, span, func(rec *kgo.Record) error {
				if r, err := ledger.Parse(rec.Value); err == nil { // what is no record says nothing of the cut
					if of, why := verdictIn(r); of.ID == p.Cut.ID {
						done, refused = done || r.Kind == ledger.Verdict, cmp.Or(why, refused)
					}
				}
				return nil
			})
			from = end
		}
		if err == nil && !done && refused == "" {
			err = cluster.Sleep(waiting, time.Second)
		}
		switch {
		case refused != "":
			return fmt.Errorf("weir run refuses the cut: %s", refused)
		case done:
			return nil
		case waiting.Err() != nil && ctx.Err() == nil:
			return fmt.Errorf("the cut is signed and written, and weir run has not chained it within %s, which it does with the next events that it judges; nothing is deleted yet: run the command again", chainedWithin)
		case err != nil:
			return err
		}
	}
}
