package correlate

import (
	"strings"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/eventtime"
)

// Proposed is what an alert says of a verdict that something is expected, while a second
// person has to say so too. No verdict is of this kind.
const Proposed VerdictKind = "proposed"

// proposedFor is how long the word of a first person waits for that of a second, in
// milliseconds of event time.
const proposedFor = eventtime.Day

// proposal is the word of a first person.
type proposal struct {
	verdict Verdict
	until   int64 // event time, Unix ms
}

// second returns the verdict that counts: that of one person or, of what is graver than
// medium, that of two if the deployment asks for it. Where the second is missing it keeps
// the first, has people be told, and reports false.
func (v *verdicts) second(id episode.ID, verdict *Verdict, acts *tickActions) (*Verdict, bool) {
	ep, _ := v.store.episodes.Get(id)
	if !v.secondPerson || ep.Severity <= episode.Medium {
		return verdict, true
	}
	v.changed = true
	first, ok := v.proposed[id]
	if ok && first.until > acts.end && !isSamePerson(first.verdict.Author, verdict.Author) {
		delete(v.proposed, id)
		both := *verdict
		both.Author = first.verdict.Author + " and " + verdict.Author
		both.Expires = min(both.Expires, first.verdict.Expires)
		if first.verdict.Reason != verdict.Reason {
			both.Reason = first.verdict.Reason + "; " + verdict.Reason
		}
		return &both, true
	}
	v.proposed[id] = proposal{*verdict, acts.end + proposedFor}
	if ep.Closed == 0 {
		said := *verdict
		said.Kind = Proposed
		acts.say(id, &said)
		acts.add(id, episode.Update)
	}
	return nil, false
}

// isSamePerson reports whether two authors may be one person: the same name, whatever the
// way in.
func isSamePerson(a, b string) bool {
	name := func(author string) string {
		if _, after, ok := strings.Cut(author, ":"); ok {
			author = after
		}
		return strings.ToLower(author)
	}
	return name(a) == name(b)
}

// liftProposed forgets what nobody else has said in time.
func (v *verdicts) liftProposed(end int64) {
	for id, p := range v.proposed {
		if end >= p.until {
			delete(v.proposed, id)
			v.changed = true
		}
	}
}

// tellsOfProposal reports whether people are to be told that a second person is asked for.
func (a *tickActions) tellsOfProposal(id episode.ID) bool {
	return a.said[id].Kind == string(Proposed)
}
