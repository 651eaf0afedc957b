package correlate

import (
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
)

// Expectation declares behaviour that is known and harmless: a batch account, a
// calendar window, a campaign day. What it covers is told to nobody and listed.
// All times are event times in Unix ms.
type Expectation struct {
	Name      string
	Dimension string
	Identity  string   // '*' stands for any text
	Measures  []string // empty: every measure
	Facts     []fact.Name
	From, To  int64 // 0: no bound
	Weekly    []Weekly
	AtMost    int64 // exposed records beyond which it is told all the same; 0: no bound
	Owner     string
	Reason    string
	Expires   int64
}

// Weekly is a window that comes back every week, in the configured time zone:
// it begins at Start on each of the days, in minutes after midnight, and lasts
// until End, on the next day if that is not later.
type Weekly struct {
	Days       [7]bool // by time.Weekday
	Start, End int     // minutes after midnight
}

func (x *Expectation) by() SuppressedBy {
	return SuppressedBy{Kind: ByConfig, Name: x.Name, Owner: x.Owner, Reason: x.Reason, Expires: alerting.Time(x.Expires)}
}

// names reports whether the rule is about an identity.
func (x *Expectation) names(id episode.ID) bool {
	return x.Dimension == id.Dimension && Matches(x.Identity, id.Identity)
}

// covers reports whether all that is known of an episode at a tick is expected of
// those whom the rule names: each measure that makes a case by itself, and each
// fact, must be declared.
func (x *Expectation) covers(ep *episode.Episode, r *episodeRecord, end int64, loc *time.Location) bool {
	at := end - 1 // the last moment of the tick
	switch {
	case x.Expires != 0 && at >= x.Expires || at < x.From || x.To != 0 && at >= x.To:
		return false
	case x.AtMost != 0 && max(r.exposed.Records, r.exposed.Rows) > x.AtMost:
		return false
	case !x.coversFacts(ep.Facts):
		return false
	case len(x.Weekly) > 0 && !slices.ContainsFunc(x.Weekly, func(w Weekly) bool { return w.Holds(at, loc) }):
		return false
	}
	return x.coversMeasures(&r.evidence)
}

func (x *Expectation) coversFacts(facts string) bool {
	for f := range strings.SplitSeq(facts, ",") {
		if f != "" && !slices.Contains(x.Facts, fact.Name(f)) {
			return false
		}
	}
	return true
}

// coversMeasures reports whether each measure that makes a case by itself is
// declared.
func (x *Expectation) coversMeasures(c *caseEvidence) bool {
	if len(x.Measures) == 0 {
		return true
	}
	for i := range c.measures {
		m := &c.measures[i]
		alone := i == 0 || m.Log >= c.threshold
		if alone && !slices.Contains(x.Measures, m.Measure) {
			return false
		}
	}
	return true
}

// Holds reports whether a moment, in Unix ms, lies in the window.
func (w *Weekly) Holds(ms int64, loc *time.Location) bool {
	t := time.UnixMilli(ms).In(loc)
	minute := t.Hour()*60 + t.Minute()
	today, yesterday := w.Days[t.Weekday()], w.Days[(t.Weekday()+6)%7]
	if w.Start < w.End {
		return today && minute >= w.Start && minute < w.End
	}
	return today && minute >= w.Start || yesterday && minute < w.End
}

// Matches reports whether a text is what a pattern says, in which '*' stands
// for any text, the empty one too.
func Matches(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(text, first) {
		return false
	}
	text = text[len(first):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(text, p)
		if i < 0 {
			return false
		}
		text = text[i+len(p):]
	}
	return strings.HasSuffix(text, last)
}
