package erase

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/console/follow"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/deliver"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Youngest is how old the records must be that are deleted: until then a verdict may be in
// force, and weir remembers which ones it has had.
const Youngest = time.Duration(correlate.ExpectedAtMost+eventtime.Day) * time.Millisecond

// chainedWithin is how long a cut is waited for to be chained.
const chainedWithin = 10 * time.Minute

// Cutting deletes what was written before a time: the older records of the ledger, and of
// the topics that say the same. A signed [ledger.Cut] goes into the ledger first, by which
// the ledger can be verified without them. Stopped at any moment, it is finished by the
// next.
type Cutting struct {
	Follower     *follow.Follower // of the deployment
	Author       authority.Proof  // of who does it
	Proof        ledger.Proof     // whose cuts count
	Before, Now  time.Time
	Reason       string
	Destinations []string            // that must have got what is deleted
	Checkpoints  []ledger.Checkpoint // that the ledger is held against first
	Witnesses    []string            // names of those who must have signed one of them
}

// NewCutting returns what a deployment is asked: to delete what was written before a day or
// a time. A day begins in the time zone of the configuration.
func NewCutting(f *follow.Follower, s *settings.Settings, before, reason string) (*Cutting, error) {
	at, err := time.ParseInLocation(time.DateOnly, before, s.Config.Time.Zone)
	if err != nil {
		if at, err = time.Parse(time.RFC3339, before); err != nil {
			return nil, usage.Errorf("--before %q: want a day such as 2026-01-01, or a time such as 2026-01-01T00:00:00Z", before)
		}
	}
	c := &Cutting{Follower: f, Proof: topics.ProofBy(settings.Authors(s.Config).Check), Before: at, Now: time.Now(), Reason: reason}
	for i := range s.Config.Alerts.Destinations {
		c.Destinations = append(c.Destinations, s.Config.Alerts.Destinations[i].Name)
	}
	return c, nil
}

// Plan is what is deleted.
type Plan struct {
	Before time.Time   `json:"before"`
	Cut    *ledger.Cut `json:"cut"` // nil: nothing is that old
	Topics []Share     `json:"topics"`
	// Finishes says that the cut is chained already, and was not carried out whole.
	Finishes bool `json:"finishes"`
	Deleted  bool `json:"deleted"`

	renewed []*correlate.Verdict // erasures of names that go with their topic, and are written anew
	given   bool                 // the verdict of the cut stands on its topic already
	end     int64                // offset from which it may be chained
}

// Share is what is deleted of one topic.
type Share struct {
	Topic   string `json:"topic"`
	Records int64  `json:"records"` // that are deleted
	Left    int64  `json:"left"`    // that stay
}

// Plan says what is to be deleted, or why that cannot be. It changes nothing.
func (c *Cutting) Plan(ctx context.Context) (*Plan, error) {
	switch {
	case c.Before.After(c.Now):
		return nil, usage.Errorf("--before %s is to come", c.Before.Format(time.RFC3339))
	case c.Now.Sub(c.Before) < Youngest:
		return nil, usage.Errorf("--before %s is less than %d days ago: until then verdicts may be in force, and weir must know which it has had", c.Before.Format(time.RFC3339), Youngest/(24*time.Hour))
	case c.Reason == "":
		return nil, usage.Errorf("erase needs --reason, without a name")
	}
	s, err := c.survey(ctx)
	if err != nil {
		return nil, err
	}
	p := &Plan{Before: c.Before, end: s.end}
	switch {
	case s.unfinished != nil:
		p.Cut, p.Finishes = s.unfinished, true
	case s.cut.Head.Seq == s.begins:
		return p, nil
	default:
		if err := c.complete(ctx, s, p); err != nil {
			return nil, err
		}
	}
	return p, c.share(ctx, p)
}

// complete completes the cut of a survey with the offsets of the other topics, unless
// something forbids it.
func (c *Cutting) complete(ctx context.Context, s *survey, p *Plan) error {
	if err := c.verify(ctx, s); err != nil {
		return err
	}
	p.Cut = s.cut
	for _, find := range []func(context.Context, *survey) error{c.alerts, c.suppressed, c.deadLetters, c.delivered} {
		if err := find(ctx, s); err != nil {
			return err
		}
	}
	return c.verdicts(ctx, s, p)
}

// verify holds the ledger against all that says the same: what is wrong with it must be
// known before its records are gone.
func (c *Cutting) verify(ctx context.Context, s *survey) error {
	v := ledger.Verifier{Checkpoints: c.Checkpoints}
	_, faults, err := topics.VerifyLedger(ctx, c.Follower.Connection, c.Follower.Topics, &v, c.Proof, nil, func() {})
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return fmt.Errorf("the ledger is not whole, so nothing is deleted; look with `weir ledger verify`, and finish what was interrupted with the same --before: %s", faults[0].Text)
	}
	newest := ledger.Newest(c.Checkpoints)
	switch through := s.cut.Head.Seq; {
	case newest == nil && s.checkpoints:
		return usage.Errorf("checkpoints of this ledger were sent outside: name them with --since-checkpoint and --public-key, so that what is deleted is held against them first")
	case newest != nil && newest.Size < through:
		return fmt.Errorf("the newest checkpoint is of %d records, and %d are to be deleted: make one first with `weir ledger checkpoint`", newest.Size, through)
	default:
		for _, w := range c.Witnesses {
			if !slices.ContainsFunc(c.Checkpoints, func(k ledger.Checkpoint) bool { return k.Size >= through && slices.Contains(k.Witnesses, w) }) {
				return fmt.Errorf("the witness %s has signed no checkpoint of %d records or more: it could never see again that the ledger goes on; make one first with `weir ledger checkpoint --witness`", w, through)
			}
		}
	}
	return nil
}

// alerts finds where the alerts begin that stay, and refuses to tear an episode that is
// open.
func (c *Cutting) alerts(ctx context.Context, s *survey) error {
	old, kept := map[string]bool{}, map[string]bool{} // by the key of an episode
	if err := c.first(ctx, c.Follower.Topics.Alerts, s, ledger.Alert, func(rec *kgo.Record, gone bool) {
		if key := string(rec.Key); gone {
			old[key] = true
		} else {
			kept[key] = true
		}
	}); err != nil {
		return err
	}
	snapshot, err := c.Follower.Once(ctx)
	if err != nil {
		return err
	}
	for _, e := range snapshot.Episodes() {
		if e.IsOpen() && old[e.Key()] && kept[e.Key()] {
			return fmt.Errorf("the episode %s is open, and was so before %s: --before must be no later than %s, when it was opened in event time", e.Key(), c.Before.Format(time.RFC3339), e.Opened())
		}
	}
	return nil
}

func (c *Cutting) suppressed(ctx context.Context, s *survey) error {
	return c.first(ctx, c.Follower.Topics.Suppressed, s, ledger.Suppression, func(*kgo.Record, bool) {})
}

// first finds the end of what is deleted of a topic that has the same records as the
// ledger has of a kind.
func (c *Cutting) first(ctx context.Context, topic string, s *survey, kind ledger.Kind, each func(rec *kgo.Record, gone bool)) error {
	left := s.kinds[kind]
	_, err := c.Follower.Connection.ReadAll(ctx, topic, 0, func(rec *kgo.Record) error {
		if each(rec, left > 0); left > 0 {
			s.cut.Below[topic] = rec.Offset + 1
			left--
		}
		return nil
	})
	return err
}

// deadLetters finds the end of the dead letters that are deleted.
func (c *Cutting) deadLetters(ctx context.Context, s *survey) error {
	topic, past := c.Follower.Topics.DeadLetters, false
	_, err := c.Follower.Connection.ReadAll(ctx, topic, 0, func(rec *kgo.Record) error {
		if past = past || !rec.Timestamp.Before(c.Before); !past {
			s.cut.Below[topic] = rec.Offset + 1
		}
		return nil
	})
	return err
}

// delivered refuses to delete what a destination has not got.
func (c *Cutting) delivered(ctx context.Context, s *survey) error {
	names := c.Follower.Topics
	for _, topic := range []string{names.Alerts, names.DeadLetters} {
		reached, err := deliver.Reached(ctx, c.Follower.Connection, names, topic)
		if err != nil {
			return err
		}
		for _, d := range c.Destinations {
			if at, known := reached[d]; known && at < s.cut.Below[topic] {
				return fmt.Errorf("the destination %s has not got all of %s that was written before %s: look with `weir status`", d, topic, c.Before.Format(time.RFC3339))
			}
		}
	}
	return nil
}

// verdicts finds the end of the verdicts that are deleted: those before the first that is
// younger, that the rest of the ledger knows, or that has not taken effect. Names that
// were erased by one of them stay erased.
func (c *Cutting) verdicts(ctx context.Context, s *survey, p *Plan) error {
	topic, past := c.Follower.Topics.Verdicts, false
	erased, later := map[string]*correlate.Verdict{}, map[string]bool{}
	_, err := c.Follower.Connection.ReadAll(ctx, topic, 0, func(rec *kgo.Record) error {
		name := nameOf(rec.Value)
		young := !rec.Timestamp.Before(c.Before) || s.younger[name]
		if past = past || young || name.ID != "" && !s.older[name]; !past {
			s.cut.Below[topic] = rec.Offset + 1
		}
		v, err := correlate.DecodeVerdict(rec.Value)
		switch counts := err == nil && c.Follower.Check(v) == nil && v.Kind == correlate.Erased; {
		case counts && past:
			later[v.DedupKey] = true
		case counts:
			erased[v.DedupKey] = v
		}
		return nil
	})
	if err != nil {
		return err
	}
	for pseudonym, v := range erased {
		if !later[pseudonym] {
			p.renewed = append(p.renewed, &correlate.Verdict{Kind: v.Kind, DedupKey: v.DedupKey, Reason: v.Reason})
		}
	}
	slices.SortFunc(p.renewed, func(a, b *correlate.Verdict) int { return strings.Compare(a.DedupKey, b.DedupKey) })
	if given := s.given[s.cut.String()]; given != nil {
		p.Cut, p.given = given, true
	}
	return nil
}

// order is the order in which topics are deleted from: the ledger last, so that a cut that
// was not carried out whole is found in it.
func order(n topics.Names) []string {
	return []string{n.Alerts, n.Suppressed, n.Verdicts, n.DeadLetters, n.Ledger}
}

// sameCommit is how far apart the brokers may stamp records of one transaction.
const sameCommit = time.Minute

// share counts what is deleted, and refuses a cut, which was signed before and may be
// somebody else's, that goes beyond the time.
func (c *Cutting) share(ctx context.Context, p *Plan) error {
	for _, topic := range order(c.Follower.Topics) {
		s := Share{Topic: topic}
		if _, err := c.Follower.Connection.ReadAll(ctx, topic, 0, func(rec *kgo.Record) error {
			if rec.Offset >= p.Cut.Below[topic] {
				s.Left++
				return nil
			}
			if s.Records++; rec.Timestamp.After(c.Before.Add(sameCommit)) {
				return fmt.Errorf("the cut of %s deletes what is younger than %s", p.Cut.Author, c.Before.Format(time.RFC3339))
			}
			return nil
		}); err != nil {
			return err
		}
		p.Topics = append(p.Topics, s)
	}
	return nil
}
