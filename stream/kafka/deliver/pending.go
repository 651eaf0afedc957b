package deliver

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

const (
	// maxSeen is how many ids of verdicts are remembered, so that a record that is copied
	// changes no message again.
	maxSeen = 10_000
	// settleAfter is how long a line stays that an alert may take away: both come from one
	// transaction, and either may be read first.
	settleAfter = 2 * time.Second
	// drawnAnew is how long after the link of a verdict an alert must have been delivered
	// to be sure that it took the line away.
	drawnAnew = time.Minute
	// readAlertLimit bounds the reading of the alert that a message shows.
	readAlertLimit = 10 * time.Second
)

// pending is what people said of episodes that the destination shows, and what does not
// count yet: the message of each has a line that says so, by whatever way it came in. The
// ledger tells when it counts. Nothing of it is kept: after a restart the last day is
// read again, and all since the last delivery. Whose line may still stand from before is
// drawn without it once more.
type pending struct {
	lines map[string]*line // by dedup key
	seen  []string         // ids of verdicts that were taken or settled, the latest at the end
}

// line is the line under the message of one episode.
type line struct {
	verdict  string    // id of the latest
	want     string    // the line that is to stand there; empty: none
	settled  bool      // want is the last word on the verdict
	shown    bool      // there is a line
	due      time.Time // when the message is to be changed; zero: it shows what it should
	attempts int       // that have failed
}

// isNew reports whether a verdict's id was not seen before, and keeps it.
func (p *pending) isNew(id string) bool {
	if slices.Contains(p.seen, id) {
		return false
	}
	if p.seen = append(p.seen, id); len(p.seen) > maxSeen {
		p.seen = slices.Delete(p.seen, 0, maxSeen/10)
	}
	return true
}

// said has the message of an episode show a verdict from the given time on.
func (p *pending) said(key, id, text string, due time.Time) {
	l := p.lines[key]
	if l == nil {
		l = &line{}
		p.lines[key] = l
	}
	*l = line{verdict: id, want: text, shown: l.shown, due: due}
}

// settle ends the line of a verdict, or has it say why the verdict does not count. The
// line may stand from before a restart, unless the message was drawn anew since.
func (p *pending) settle(key, id, refusal string, now time.Time, anew bool) {
	l := p.lines[key]
	switch {
	case l == nil || l.settled && l.verdict != id:
		l = &line{verdict: id, shown: l != nil && l.shown}
		p.lines[key] = l
	case l.verdict != id:
		return // what was said later waits
	}
	if anew && !l.shown {
		delete(p.lines, key)
		return
	}
	l.want, l.settled, l.shown, l.due, l.attempts = refusal, true, true, now, 0
	if refusal == "" {
		l.due = now.Add(settleAfter)
	}
}

// redrawn notes that an alert has redrawn the message of an episode: it has no line now.
func (p *pending) redrawn(key string, now time.Time) {
	if l := p.lines[key]; l != nil {
		l.shown, l.due = false, now
	}
}

// changed notes that a message shows the line that it should.
func (p *pending) changed(key string) {
	l := p.lines[key]
	l.shown, l.due, l.attempts = l.want != "", time.Time{}, 0
	if l.settled {
		delete(p.lines, key)
	}
}

// next returns the episode whose message is to be changed now; empty: none is.
func (p *pending) next(now time.Time) (key string) {
	for k, l := range p.lines {
		if l.want == "" && !l.shown {
			delete(p.lines, k) // an alert has taken the line away
			continue
		}
		if l.due.IsZero() || l.due.After(now) {
			continue
		}
		if key == "" || cmp.Or(l.due.Compare(p.lines[key].due), cmp.Compare(k, key)) < 0 {
			key = k
		}
	}
	return key
}

// Confirming says that a verdict has come in, whose it is and when it will count; a tick
// is what is judged at once.
func Confirming(v *correlate.Verdict, tick time.Duration) string {
	return fmt.Sprintf("⏳ Confirming: %s. It counts with the next %g minutes of the log that are judged.", describe(v), tick.Minutes())
}

// describe says in short what a verdict says, whose it is, when it was given and why.
func describe(v *correlate.Verdict) string {
	what := map[correlate.VerdictKind]string{
		correlate.Acknowledged: "acknowledged", correlate.Expected: "expected until " + v.Expires.Std().UTC().Format("2 Jan 15:04 UTC"),
		correlate.Confirmed: "true positive", correlate.Reopened: "reopened",
		correlate.Assigned: "held by " + alerting.Printable(v.Holder(""), 100), correlate.Released: "held by nobody",
		correlate.Asked: "was it meant?", correlate.Affirmed: "it was meant", correlate.Denied: "it was not meant",
	}[v.Kind]
	out := fmt.Sprintf("“%s”, said by %s at %s", what, alerting.Printable(v.Author, 100), v.Time.Std().UTC().Format("15:04:05 UTC"))
	if v.Reason != "" {
		out += " (" + alerting.Printable(v.Reason, 100) + ")"
	}
	return out
}

// takeVerdict has the message of an episode show what somebody said of it. What is not
// proven is not shown: whoever can write to the topic is nobody by that.
func (r *run) takeVerdict(rec *kgo.Record, now time.Time) {
	v, err := correlate.DecodeVerdict(rec.Value)
	if err != nil || v.Kind == correlate.Extracted || rec.Timestamp.Sub(v.Time.Std()) > newDestination {
		return
	}
	known := r.outbox.episodes[v.DedupKey]
	if known == nil || known.Offset < 0 || r.Authority != nil && r.Authority(v) != nil || !r.pending.isNew(v.ID) {
		return
	}
	due := now
	if now.Sub(rec.Timestamp) > time.Minute {
		due = now.Add(settleAfter) // the ledger may tell that it counts already
	}
	r.pending.said(v.DedupKey, v.ID, Confirming(v, r.Tick), due)
}

// takeLink reads in the ledger what became of a verdict.
func (r *run) takeLink(rec *kgo.Record, now time.Time) {
	link, err := ledger.Parse(rec.Value)
	if err != nil || link.Kind != ledger.Verdict && link.Kind != ledger.Refusal {
		return
	}
	var settled correlate.Refusal // an effect has the same verdict, and no reason
	if err := json.Unmarshal(link.Body, &settled); err != nil || settled.IsRepetition() {
		return
	}
	v, refusal := &settled.Verdict, ""
	known := r.outbox.episodes[v.DedupKey]
	if known == nil || known.Offset < 0 || v.Kind == correlate.Extracted || r.Authority != nil && r.Authority(v) != nil {
		return
	}
	if settled.Refused != "" {
		refusal = fmt.Sprintf("⛔ %s does not count: %s.", describe(v), settled.Refused)
	}
	r.pending.isNew(v.ID) // if the ledger is read first, the verdict is not shown
	r.pending.settle(v.DedupKey, v.ID, refusal, now, known.At > rec.Timestamp.Add(drawnAnew).UnixMilli())
}

// annotate makes one attempt to have the message of an episode show its line, or none any
// more. Nothing is recorded.
func (r *run) annotate(ctx context.Context, key string) error {
	l, known := r.pending.lines[key], r.outbox.episodes[key]
	if known == nil {
		delete(r.pending.lines, key)
		return nil
	}
	a, err := r.shownAlert(ctx, known.Offset)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.Log.Warn("a message does not show what was said of its episode", "destination", r.Dest.Name(), "dedup_key", key, "error", err)
		delete(r.pending.lines, key)
		return nil
	}
	if err := r.deliverer.WaitForLimit(ctx); err != nil {
		return err
	}
	trying, cancel := lasting(ctx)
	defer cancel()
	again, wait, err := r.deliverer.Annotate(trying, a, notify.Annotation{Reference: known.Reference, Line: l.want, Failed: l.attempts})
	switch {
	case err == nil:
		r.pending.changed(key)
	case ctx.Err() != nil:
		return ctx.Err()
	case !again:
		r.Log.Warn("a message does not show what was said of its episode", "destination", r.Dest.Name(), "dedup_key", key, "error", err)
		delete(r.pending.lines, key)
	default:
		l.attempts++
		l.due = time.Now().Add(wait)
	}
	return nil
}

// shownAlert reads the alert that stands at an offset of weir.alerts.
func (r *run) shownAlert(ctx context.Context, offset int64) (a *alerting.Alert, err error) {
	ctx, cancel := context.WithTimeout(ctx, readAlertLimit)
	defer cancel()
	span := []cluster.Span{{Topic: r.Topics.Alerts, Next: offset, End: offset + 1}}
	err = cluster.ReadSpans(ctx, r.Conn, span, func(rec *kgo.Record) (err error) {
		a, err = alerting.ParseAlert(rec.Value)
		return err
	})
	if err == nil && a == nil {
		err = fmt.Errorf("%s has no alert at offset %d any more", r.Topics.Alerts, offset)
	}
	return a, err
}
