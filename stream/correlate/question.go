package correlate

import (
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate/ask"
)

// question is the latest that was asked of an episode. The zero value: none was.
type question struct {
	addressee string // an author
	at        alerting.Time
	answer    VerdictKind // empty: there is none yet
}

// Why questions and answers are refused, beside what Addressee says.
const (
	refusedAddressee = "it does not go to whom the directory names"
	refusedUnasked   = "nobody was asked of the episode"
	refusedStranger  = "who answers is not who was asked"
	refusedLate      = "the answer came more than three days after the question"
	refusedAnswered  = "the question was answered before"
)

// converse takes in a question or an answer, or returns why it does not count.
func (v *verdicts) converse(id episode.ID, record *episodeRecord, verdict *Verdict, acts *tickActions) (refusal string) {
	ep, _ := v.store.episodes.Get(id)
	q := &record.question
	if verdict.Kind == Asked {
		a := v.alerts.make(&ep, record, "", nil, episode.Update, acts.end)
		member, why := v.whom.Addressee(&a)
		if why == "" && ask.Author(member) != verdict.Assignee {
			why = refusedAddressee
		}
		if why == "" {
			*q = question{addressee: verdict.Assignee, at: verdict.Time}
		}
		return why
	}
	switch {
	case q.addressee == "":
		return refusedUnasked
	case q.addressee != verdict.Author:
		return refusedStranger
	case verdict.Time-q.at > alerting.Time(ask.Within):
		return refusedLate
	case q.answer == Denied || q.answer == verdict.Kind: // a no counts after a yes
		return refusedAnswered
	}
	q.answer = verdict.Kind
	if verdict.Kind == Denied {
		acts.denials = append(acts.denials, denial(id, record, verdict, acts.end))
	}
	if verdict.Kind == Denied || ep.Closed == 0 && record.announced {
		acts.say(id, verdict)
		acts.add(id, episode.Update)
	}
	return ""
}

// denial is the fact that an account was disowned. It covers what goes beyond the usual.
func denial(id episode.ID, record *episodeRecord, verdict *Verdict, end int64) tickInput {
	detail := map[string]string{"said_by": verdict.Author}
	if verdict.Reason != "" {
		detail["reason"] = verdict.Reason
	}
	exposed := record.exposed
	if exposed.Since == 0 {
		exposed.Since = end
	}
	return tickInput{id: id, facts: []stream.FactCandidate{{
		Identity: id.Identity, Fact: fact.Disowned, Time: record.onset, Detail: detail, Exposed: exposed, Through: record.beyond(),
		Context: stream.Context{Traits: record.traits, TraitsSince: record.traitsSince, FirstSeen: record.firstSeen, LastSeen: record.lastSeen},
	}}}
}
