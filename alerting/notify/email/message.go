package email

import (
	_ "embed"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// maxSubject is the longest subject, in characters.
const maxSubject = 200

//go:embed message.html
var page string

var htmlPart = template.Must(template.New("message").Parse(page))

// message returns the e-mail of an alert.
func (e *Email) message(a *alerting.Alert) *mail.Msg {
	c := alerting.Compose(a, e.o.Location)
	m := e.begin(a.MessageID(), a.DedupKey)
	m.Subject(subject(a, c))
	m.SetGenHeader("X-Weir-Dedup-Key", atom(a.DedupKey))
	m.SetGenHeader("X-Weir-Status", string(a.Status))
	m.SetGenHeader("X-Weir-Severity", a.Severity.String())
	if a.Severity >= episode.High && a.Status != alerting.Close {
		m.SetImportance(mail.ImportanceHigh)
	}
	m.SetBodyString(mail.TypeTextPlain, plain(a, c))
	m.AddAlternativeString(mail.TypeTextHTML, html(a, c))
	return m
}

// begin returns an e-mail that has all but its subject and text. Its id and thread
// follow from the texts.
func (e *Email) begin(id, thread string) *mail.Msg {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.FromMailAddress(e.from)
	m.ToMailAddress(e.to...)
	m.SetDateWithValue(e.o.Now())
	domain := e.from.Address[strings.LastIndexByte(e.from.Address, '@')+1:]
	m.SetMessageIDWithValue(atom(id) + "@" + domain)
	thread = "<" + atom(thread) + "@" + domain + ">"
	m.SetGenHeader(mail.HeaderReferences, thread)
	m.SetGenHeader(mail.HeaderInReplyTo, thread)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody is to answer that they are on holiday
	m.SetGenHeader("X-Auto-Response-Suppress", "All")  // the same for Exchange
	return m
}

// subject returns how grave it is and who did what.
func subject(a *alerting.Alert, c *alerting.Content) string {
	if a.Status == alerting.Close {
		return alerting.Clip("[weir] "+c.Title, maxSubject)
	}
	return alerting.Clip("[weir] "+strings.ToUpper(a.Severity.String())+": "+c.Title, maxSubject)
}

func sections(c *alerting.Content) (out []alerting.Section) {
	add := func(heading string, lines []string) {
		if len(lines) > 0 {
			out = append(out, alerting.Section{Heading: heading, Lines: lines})
		}
	}
	var through, checks []string
	for _, f := range c.Through {
		through = append(through, f.Name+": "+f.Value)
	}
	for i, l := range c.Checks {
		checks = append(checks, strconv.Itoa(i+1)+". "+l)
	}
	add("Through what", through)
	add(c.Heading, c.Members)
	add("New", c.New)
	add("Why it may be harmless", c.Benign)
	add("Check first", checks)
	return out
}

// plain returns the part in plain text.
func plain(a *alerting.Alert, c *alerting.Content) string {
	var b strings.Builder
	b.WriteString((&alerting.Report{Sentence: c.Sentence, Figures: c.Figures, Sections: sections(c)}).Lines())
	b.WriteString("\n")
	for _, l := range c.Links {
		fmt.Fprintf(&b, "%s: %s\n", l.Name, l.Value)
	}
	fmt.Fprintf(&b, "%s\n", key(a))
	return b.String()
}

// The colours of what is over, and of weir where something must be mended.
const over, faulty = "#1b7a3d", "#b4540a"

// colours are those of the line beside the message.
var colours = map[episode.Severity]string{
	episode.Critical: "#b3121d", episode.High: "#b4540a", episode.Medium: "#8a6a00", episode.Low: "#1a5fb4",
}

// html returns the part in HTML, which loads nothing.
func html(a *alerting.Alert, c *alerting.Content) string {
	colour := colours[a.Severity]
	if a.Status == alerting.Close {
		colour = over
	}
	var b strings.Builder
	err := htmlPart.Execute(&b, map[string]any{"Colour": colour, "Content": c, "Sections": sections(c), "Key": key(a)})
	if err != nil {
		panic(fmt.Sprintf("email: filling in the message: %v", err)) // plain fields always fit
	}
	return b.String()
}

// key returns the dedup key, and that of the campaign where there is one.
func key(a *alerting.Alert) string {
	if a.Campaign == "" {
		return a.DedupKey
	}
	return a.DedupKey + " in campaign " + a.Campaign
}

// atom returns s with all characters replaced by - that must not stand in the
// left part of a Message-ID.
func atom(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, s)
}
