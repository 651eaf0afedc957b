package alerting

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// Content is what a message says of an alert, in the order in which people need
// it: the sentence; how grave and how sure; since when; who holds it; what is exposed; what of
// it is new; first and last seen; through what; who; why it may be benign; what
// to check; where to go on. Destinations put it into their own form, so that all
// of them say the same.
//
// Every text is one printable line. Identities in it are other people's words:
// a destination escapes them as its own markup demands.
type Content struct {
	Title    string   // who did what, short
	Sentence string   // the alert's summary
	Figures  []Field  // severity, confidence, since when, how many, … in that order
	Through  []Field  // the largest endpoints, networks, … with their shares
	Members  []string // whom the message stands for: a line for each of the heaviest, and how many more
	Heading  string   // above Members: how they belong to the message
	New      []string // names of all others whom no message has named before, several in a line
	Benign   []string // why it may be harmless
	Checks   []string // what to look at first
	Links    []Field  // name and URL; the URL is ASCII and holds no character that RFC 3986 forbids
}

// Field is a name and its value.
type Field struct{ Name, Value string }

// Compose returns the content of an alert, with times in loc (nil: UTC).
func Compose(a *Alert, loc *time.Location) *Content {
	if loc == nil {
		loc = time.UTC
	}
	m := &Content{Title: Title(a), Sentence: Printable(a.Summary, maxSentence)}
	m.Figures = figures(a, loc)
	for _, l := range a.Top.lists() {
		if len(l.list) > 0 {
			m.Through = append(m.Through, Field{capital(l.name), shares(l.list)})
		}
	}
	if a.Members != nil {
		m.Members, m.New, m.Heading = members(a.Members), names(a.Members.Also), "The same events show at"
		if a.Kind == KindCampaign {
			m.Heading = "Who"
		}
	}
	m.Benign, m.Checks = lines(a.Benign), lines(a.Checks)
	for _, l := range [...]Field{{"Console", a.Links.Console}, {"Runbook", a.Links.Runbook}, {"Query", a.Links.Query}} {
		if u, ok := webURL(l.Value); ok {
			m.Links = append(m.Links, Field{l.Name, u})
		}
	}
	return m
}

// Bounds of the parts of a Content.
const (
	maxSentence = 2000 // bytes of the summary
	maxLine     = 400  // bytes of one reason, check or member
	maxLines    = 10   // reasons, and checks
	maxValue    = 120  // bytes of one value of a list
	maxURL      = 2000 // bytes; receivers refuse longer ones

	leastShare = 0.01 // least share of the accesses that messages show; the record of the alert has smaller ones too
)

// webURL percent-encodes what RFC 3986 does not allow in a URL. It reports false
// for what is no absolute http or https URL, and for a URL that is longer than
// maxURL: it is left out, since half a link leads astray.
func webURL(raw string) (string, bool) {
	const allowed = "-._~:/?#[]@!$&'()*+,;=%"
	var b strings.Builder
	for i := range len(raw) {
		c := raw[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(allowed, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	u, err := url.Parse(b.String())
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || b.Len() > maxURL {
		return "", false
	}
	return b.String(), true
}

func figures(a *Alert, loc *time.Location) []Field {
	at := func(t Time) string { return t.Std().In(loc).Format(dayTimeLayout) + " (" + loc.String() + ")" }
	f := []Field{{"Severity", capital(a.Severity.String())}}
	if a.Confidence != "" {
		f = append(f, Field{"Confidence", capital(strings.ReplaceAll(string(a.Confidence), "_", " "))})
	}
	since := at(a.Onset)
	if a.ThroughSince != 0 {
		since = at(a.ThroughSince) // the fact's; what is exposed may be older
	} else if from, to, vague := a.Began(); vague {
		since += "; it began " + between(from.Std().In(loc), to.Std().In(loc))
	}
	f = append(f, Field{"Since", since})
	if a.Holder != "" {
		f = append(f, Field{"Held by", Printable(a.Holder, maxValue)})
	}
	if p := a.Person; p != nil {
		f = append(f, Field{"Person", p.text()})
	}
	if !a.Excess.IsZero() {
		f = append(f, Field{"Beyond the usual", a.bounds(&a.Excess, a.ExcessUnit())})
	}
	if x := &a.Through; !x.IsZero() && *x != a.Excess {
		f = append(f, Field{"Through the fact", a.bounds(x, "customers")})
	}
	if e := &a.Exposed; e.Records > 0 || e.Rows > 0 {
		f = append(f, Field{"Exposed", a.exposedText() + ", since " + at(e.Since)})
	}
	if a.ShareNew != nil {
		f = append(f, Field{"New to it", percent(*a.ShareNew) + a.memory()})
	}
	if a.FirstSeen != 0 {
		f = append(f, Field{"First seen", at(a.FirstSeen)})
	}
	if a.LastSeen != 0 {
		f = append(f, Field{"Last seen", at(a.LastSeen)})
	}
	if a.Kind == KindFact && len(a.Detail) > 0 {
		f = append(f, Field{"Detail", strings.Join(details(a, maxValue, loc), "; ")})
	}
	return f
}

// text says what is known of a person, such as "criticality critical, group dba, manager bo".
func (p *Person) text() string {
	var parts []string
	for _, f := range [...]Field{{"criticality", p.Criticality}, {"group", p.Group}, {"manager", p.Manager}, {"Slack", p.Slack}} {
		if f.Value != "" {
			parts = append(parts, f.Name+" "+Printable(f.Value, maxValue))
		}
	}
	return strings.Join(parts, ", ")
}

// exposedText says how much is exposed, with its interval.
func (a *Alert) exposedText() string {
	e := &a.Exposed
	if a.Kind == KindCampaign && e.Records > 0 && e.Low != e.High {
		return within(e.Low, e.High) + " distinct customers"
	}
	text := exposed(e, false)
	if e.Records > 0 && e.Low != e.High {
		text += ", " + Group(e.Low) + "–" + Group(e.High)
	}
	return text
}

// ofWhat returns what the members of a campaign have taken: a campaign adds both up.
func (a *Alert) ofWhat() string {
	if a.Exposed.Rows > 0 {
		return " customers and rows"
	}
	return " customers"
}

// ExcessUnit returns what Excess counts: customers, rows or tokens.
func (a *Alert) ExcessUnit() string {
	switch {
	case !a.Through.IsZero() && a.Excess == a.Through:
	case CountsRows(a.Measure):
		return "rows"
	case a.Measure == "unissued":
		return "tokens"
	}
	return "customers"
}

// bounds says how many of a unit, in the plural, with their interval.
func (a *Alert) bounds(x *Bounds, unit string) string {
	text := plural(x.Records, strings.TrimSuffix(unit, "s"), unit)
	if a.Kind == KindCampaign && x.Low != x.High {
		return within(x.Low, x.High) + a.ofWhat()
	}
	if x.Low != x.High {
		text += ", " + Group(x.Low) + "–" + Group(x.High)
	}
	return text
}

// Title returns who did what, such as "Signing key kid-7: 1,240 distinct
// customers, where about 210 are usual in as much time".
func Title(a *Alert) string {
	who := actorOf(a.Dimension)
	name := capital(who.noun) + " " + Printable(a.Identity, maxValue)
	text := ""
	switch a.Kind {
	case KindFact:
		text = name + " " + factPhrase(a.Fact)
		if n := a.Through.Records; n > 0 {
			text += ": " + plural(n, "customer", "customers")
		}
	case KindCampaign:
		n := int64(0)
		if a.Members != nil {
			n = a.Members.Count
		}
		text = "Campaign of " + plural(n, "identity", "identities") + ": " + Printable(a.Identity, maxValue)
	default:
		u := unitOf(a.Measure, who)
		text = name + ": " + count(a.Observed, u) + u.suffix + ", " + usual(a, false)
	}
	if a.Status == Close {
		return "Over: " + text
	}
	return text
}

// shares lists values, such as "GET /customers/{id} 91 %, GET /orders/{id} 9 %".
func shares(list []Share) string {
	var parts []string
	for i := range list[:min(len(list), MaxTop)] {
		if list[i].Share >= leastShare {
			parts = append(parts, Printable(list[i].Value, maxValue)+" "+percent(list[i].Share))
		}
	}
	if len(parts) == 0 {
		return "many, each below 1 %"
	}
	return strings.Join(parts, ", ")
}

// lines makes each text one printable line.
func lines(list []string) (out []string) {
	for _, s := range list[:min(len(list), maxLines)] {
		out = append(out, Printable(s, maxLine))
	}
	return out
}

// percent shows a share in whole percent. It never rounds a part up to 100 % nor
// down to 0 %.
func percent(share float64) string {
	switch p := share * 100; {
	case !(p > 0):
		return "0 %"
	case p < 1:
		return "below 1 %"
	case p >= 100:
		return "100 %"
	default:
		return strconv.Itoa(min(int(p+0.5), 99)) + " %"
	}
}

// Clip returns s cut to at most limit characters, with a cut shown by "…".
// Characters are counted as UTF-16 does, as the strictest receivers do; that is
// never fewer than there are.
func Clip(s string, limit int) string {
	units, cut := 0, 0
	for i, r := range s {
		if units < limit {
			cut = i // up to here there is room for the "…"
		}
		if units += max(utf16.RuneLen(r), 1); units > limit {
			return s[:cut] + "…"
		}
	}
	return s
}
