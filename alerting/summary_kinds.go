package alerting

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/detectors/fact"
)

// factPhrase says what a fact means, in words that follow the name of the
// identity.
func factPhrase(f fact.Name) string {
	switch f {
	case fact.UnissuedToken:
		return "read with a token that nobody issued"
	case fact.UnknownKey:
		return "signs tokens that are accepted, though the key register does not know it"
	case fact.RetiredKey:
		return "is still in use past its rotation"
	case fact.RevokedKey:
		return "is in use though it was revoked"
	case fact.OverageKey:
		return "is older than keys may be, and in use"
	case fact.KeyBackFromSleep:
		return "is in use again after a long silence"
	case fact.ActedAfterLeave:
		return "acted after its owner had left"
	case fact.DormantWoke:
		return "is in use again after a long silence"
	case fact.OrphanAccountUsed:
		return "is in use, and belongs to nobody known"
	case fact.Disowned:
		return "was disowned: who was asked says that this was not meant"
	case fact.RefusedVerdict:
		return "gave a verdict that does not count"
	case fact.SettingsChanged:
		return "are not what they were"
	case Undelivered:
		return "did not take an alert"
	case fact.SourceSilent:
		return "has gone silent: what happens there is not seen"
	}
	return "shows " + Printable(strings.ReplaceAll(string(f), "_", " "), maxIdentity)
}

// fact writes the summary of a fact, such as "Signing key kid-7 is still in use
// past its rotation (retired at: 2026-01-02), seen Tue 3 Mar 2026 15:00 (UTC).
// Since Mon 2 Mar 2026 09:00 it has been used to read about 40 distinct customers
// in all."
func (s *sentence) fact() {
	a := s.a
	subject := s.who.noun + " " + Printable(a.Identity, maxIdentity) + " " + factPhrase(a.Fact)
	switch a.Status {
	case Close:
		s.write("Over: that ", subject, s.detail(), " is no longer seen.")
	default:
		dated := s.begin("Not seen again since", "Still so", subject)
		s.write(s.detail())
		if !dated {
			s.write(", seen ", s.day(a.shownAt()), " (", s.loc.String(), ")")
		}
		s.write(".")
	}
	for _, f := range a.AlsoKnown {
		s.write(" It also ", factPhrase(f), ".")
	}
	if x := a.Through.exposed(a.ThroughSince); a.Fact == fact.UnissuedToken && x.Records > 0 {
		s.write(" Through such tokens it ", s.who.hasDone, " ", exposed(&x, false), " since ", s.day(x.Since), interval(&x), ", and ", exposed(&a.Exposed, false), " by all its tokens")
		if a.Exposed.Since != x.Since {
			s.write(" since ", s.day(a.Exposed.Since))
		}
		s.write(".")
	} else {
		s.total(s.who.hasDone, "it")
	}
	s.dated()
}

// exposed returns the records of bounds as those that are exposed since a time.
func (x *Bounds) exposed(since Time) Exposed {
	return Exposed{Records: x.Records, Low: x.Low, High: x.High, Since: since}
}

// campaign writes the summary of a campaign, such as "12 identities began to
// carry customer records away together; what they share: key kid-7. It began
// about … Since … they have read … in all."
func (s *sentence) campaign() {
	a := s.a
	count := int64(0)
	if a.Members != nil {
		count = a.Members.Count
	}
	shared := "what they share: " + Printable(a.Identity, maxIdentity)
	who := plural(count, "identity", "identities")
	if a.Status == Close {
		s.write("Over: ", who, " that carried customer records away together are back to normal; ", shared, ".")
	} else {
		did := " began to carry"
		if a.Status == Update {
			did = " are carrying"
		}
		s.begin("Nothing more since", "Still going on", who+did)
		s.write(" customer records away together; ", shared, ". It began about ", s.day(a.Onset), " (", s.loc.String(), ").")
	}
	s.together()
	if x := a.Excess.exposed(0); x.Records > 0 && x.Records < a.Exposed.Records+a.Exposed.Rows {
		beyond := "about " + Group(x.Records)
		if x.Low != x.High {
			beyond = within(x.Low, x.High)
		}
		s.write(" Beyond what is usual are ", beyond, a.ofWhat(), ".")
	}
	s.dated()
}

// together writes what the members of a campaign have read: of many of them only bounds
// are known, since they may have read the same.
func (s *sentence) together() {
	e := &s.a.Exposed
	if e.Records == 0 || e.Low == e.High {
		s.total("have read", "they")
		return
	}
	rows := ""
	if e.Rows > 0 {
		rows = " and " + plural(e.Rows, "row", "rows") + " without customer ids"
	}
	s.write(" Since ", s.day(e.Since), " they have read ", within(e.Low, e.High), " distinct customers", rows, " in all, at 95 % confidence.")
}

// within says between what a number lies, such as "between 37 and 121".
func within(low, high int64) string {
	if low <= 0 {
		return "up to " + Group(high)
	}
	return "between " + Group(low) + " and " + Group(high)
}

// detail returns the details of the fact in brackets, such as " (retired at:
// 2026-01-02; successor: kid-8)"; nothing where there are none.
func (s *sentence) detail() string {
	if len(s.a.Detail) == 0 {
		return ""
	}
	limit := maxIdentity
	if s.a.Fact == fact.SettingsChanged {
		limit = maxChanged
	}
	return " (" + strings.Join(details(s.a, limit, s.loc), "; ") + ")"
}

// said writes what a person has said, such as "Declared as expected by kim until Tue 10
// Mar 2026 15:00 (UTC): yearly audit. What it does is held back until then. ".
func (s *sentence) said() {
	x := s.a.Said
	if x == nil {
		return
	}
	reason := ". "
	if x.Reason != "" {
		reason = ": " + Printable(x.Reason, maxReason) + ". "
	}
	author := Printable(x.Author, maxIdentity)
	switch x.Kind {
	case "expected":
		s.write("Declared as expected by ", author, " until ", s.day(x.Expires), " (", s.loc.String(), ")", reason, "What it does is held back until then. ")
	case "proposed":
		s.write(author, " says that it is expected until ", s.day(x.Expires), " (", s.loc.String(), ")", reason, "It counts once a second person says so too, within a day. Until then it goes on. ")
	case "confirmed":
		s.write("Confirmed as a leak by ", author, reason)
	case "acknowledge":
		s.write("Acknowledged by ", author, reason)
	case "assigned":
		if x.Assignee != "" {
			author = Printable(x.Assignee, maxIdentity) + " (assigned by " + author + ")"
		}
		s.write("Held by ", author, reason)
	case "affirmed":
		s.write(author, " was asked, and says that it was meant", reason, "That lowers nothing. ")
	case "denied":
		s.write(author, " was asked, and says that it was not meant", reason)
	case "released":
		s.write("Released by ", author, "; nobody holds it", reason)
	default:
		s.write("Said by ", author, " (", x.Kind, ")", reason)
	}
}

// maxReason bounds the reason of a verdict in a sentence, in bytes.
const maxReason = 300

// maxDetails bounds how many details a sentence names; the alert carries all.
const maxDetails = 6

// maxChanged bounds what a sentence says of a change of the settings, in bytes.
const maxChanged = 1400

// details lists the details of a fact, sorted by key, each of at most limit bytes.
func details(a *Alert, limit int, loc *time.Location) (list []string) {
	m := a.Detail
	if tokens, window := m["tokens"], m["window"]; a.Fact == fact.UnissuedToken && len(m) == 2 && tokens != "" && window != "" {
		return []string{grouped(Printable(tokens, limit)) + " such tokens", Printable(window, limit)}
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if len(list) == maxDetails {
			return append(list, strconv.Itoa(len(m)-maxDetails)+" more")
		}
		list = append(list, Printable(strings.ReplaceAll(key, "_", " "), maxIdentity)+": "+Printable(timely(m[key], loc), limit))
	}
	return list
}

// timely shows a time as messages show times, and any other text as it is.
func timely(text string, loc *time.Location) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return t.In(loc).Format(dayTimeLayout) + " (" + loc.String() + ")"
}

// grouped writes the number at the end of a text in groups of three digits.
func grouped(text string) string {
	head := strings.TrimRight(text, "0123456789")
	n, err := strconv.ParseInt(text[len(head):], 10, 64)
	if err != nil {
		return text
	}
	return head + Group(n)
}

// total writes how much is exposed in all, if anything, such as " Since … they
// have read 40 distinct customers in all.".
func (s *sentence) total(did, who string) {
	e := &s.a.Exposed
	if e.Records == 0 && e.Rows == 0 {
		return
	}
	s.write(" Since ", s.day(e.Since), " ", who, " ", did, " ", exposed(e, true), " in all.")
}
