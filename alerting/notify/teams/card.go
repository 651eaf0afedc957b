package teams

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

const (
	// maxMessage bounds a message, in bytes of UTF-8 and of UTF-16: Teams takes
	// about 28 KB and does not say of which.
	maxMessage = 27 << 10
	// maxText is the longest text of a card, in characters, where the message
	// does not ask for shorter ones.
	maxText = 2000
)

// message is what the workflow is posted.
type message struct {
	Type        string       `json:"type"`
	Attachments []attachment `json:"attachments"`
}

type attachment struct {
	ContentType string `json:"contentType"`
	Content     card   `json:"content"`
}

// card is an Adaptive Card (https://adaptivecards.io/explorer/).
type card struct {
	Schema  string            `json:"$schema"`
	Type    string            `json:"type"`
	Version string            `json:"version"`
	Teams   map[string]string `json:"msteams"`
	Body    []element         `json:"body"`
	Actions []action          `json:"actions,omitempty"`
}

// element is a Container of elements or a RichTextBlock of runs.
type element struct {
	Type    string    `json:"type"`
	Style   string    `json:"style,omitempty"`
	Bleed   bool      `json:"bleed,omitempty"`
	Items   []element `json:"items,omitempty"`
	Spacing string    `json:"spacing,omitempty"`
	Inlines []run     `json:"inlines,omitempty"`
}

// run is a TextRun. Unlike a TextBlock and a FactSet it knows no Markdown, so
// that an identity can make no link of itself.
type run struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Weight string `json:"weight,omitempty"`
	Size   string `json:"size,omitempty"`
	Subtle bool   `json:"isSubtle,omitempty"`
}

type action struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// fit returns a message with its texts as long as its size allows; of makes it of
// texts of at most limit characters each.
func fit(of func(limit int) *message) []byte {
	for limit := maxText; ; limit = limit * 3 / 4 {
		if body := encode(of(limit)); size(body) <= maxMessage || limit < 16 {
			return body
		}
	}
}

// size returns the larger of the sizes in UTF-8 and in UTF-16, in bytes.
func size(body []byte) int {
	units := 0
	for _, r := range string(body) {
		units += utf16.RuneLen(r)
	}
	return max(len(body), 2*units)
}

// newMessage returns the message of an alert whose texts have at most limit
// characters each.
func newMessage(a *alerting.Alert, m *alerting.Content, limit int) *message {
	head, style := mark(a)
	c := newCard(head+" "+m.Title, style, m.Sentence, limit)
	c.add(c.fields(m.Figures)...)
	c.section("Through what", c.fields(m.Through))
	c.section(m.Heading, c.list(bullet, m.Members))
	c.section("New", c.list(bullet, m.New))
	c.section("Why it may be harmless", c.list(bullet, m.Benign))
	c.section("Check first", c.list(number, m.Checks))
	c.foot(key(a))
	for _, l := range m.Links {
		c.Actions = append(c.Actions, action{Type: "Action.OpenUrl", Title: l.Name, URL: l.Value})
	}
	return c.message()
}

// newHeartbeat returns the message of a heartbeat, as newMessage that of an alert.
func newHeartbeat(h *alerting.Heartbeat, r *alerting.Report, limit int) *message {
	sign, style := "🟢 ", "good"
	if !h.Sound() {
		sign, style = "🟠 ", "warning"
	}
	c := newCard(sign+r.Title, style, r.Sentence, limit)
	c.add(c.fields(r.Figures)...)
	for _, s := range r.Sections {
		c.section(s.Heading, c.list(bullet, s.Lines))
	}
	c.foot("heartbeat of " + h.Group)
	return c.message()
}

// drawing is a card that is being made, of texts with at most limit characters each.
type drawing struct {
	card
	limit int
}

// newCard begins a card with its head, in a style, and a sentence.
func newCard(head, style, sentence string, limit int) *drawing {
	c := &drawing{limit: limit, card: card{
		Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4",
		Teams: map[string]string{"width": "Full"},
	}}
	c.add(element{Type: "Container", Style: style, Bleed: true, Items: []element{
		text("", run{Text: c.clip(head), Weight: "Bolder", Size: "Large"}),
	}}, text("", run{Text: c.clip(sentence)}))
	return c
}

func (c *drawing) clip(s string) string { return alerting.Clip(s, c.limit) }

func (c *drawing) add(e ...element) { c.Body = append(c.Body, e...) }

// section adds lines under a heading, if there are any.
func (c *drawing) section(heading string, lines []element) {
	if len(lines) > 0 {
		c.add(text("Medium", run{Text: heading, Weight: "Bolder"}))
		c.add(lines...)
	}
}

func (c *drawing) fields(list []alerting.Field) (out []element) {
	for _, f := range list {
		out = append(out, text("Small", run{Text: f.Name + ": ", Subtle: true}, run{Text: c.clip(f.Value)}))
	}
	return out
}

func bullet(int) string { return "• " }

func number(i int) string { return strconv.Itoa(i+1) + ". " }

// list returns a line for each text, after its mark: bullet or number.
func (c *drawing) list(mark func(i int) string, list []string) (out []element) {
	for i, l := range list {
		out = append(out, text("Small", run{Text: mark(i) + c.clip(l)}))
	}
	return out
}

// foot adds the last line.
func (c *drawing) foot(s string) {
	c.add(text("Medium", run{Text: c.clip(s), Size: "Small", Subtle: true}))
}

func (c *drawing) message() *message {
	return &message{Type: "message", Attachments: []attachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: c.card}}}
}

// text returns a paragraph.
func text(spacing string, runs ...run) element {
	for i := range runs {
		runs[i].Type = "TextRun"
	}
	return element{Type: "RichTextBlock", Spacing: spacing, Inlines: runs}
}

// mark returns a sign and the word for what the alert is, and the style of its
// head.
func mark(a *alerting.Alert) (sign, style string) {
	if a.Status == alerting.Close {
		return "🟢", "good"
	}
	word := strings.ToUpper(a.Severity.String())
	switch a.Severity {
	case episode.Critical:
		return "🔴 " + word, "attention"
	case episode.High:
		return "🟠 " + word, "warning"
	case episode.Medium:
		return "🟡 " + word, "accent"
	}
	return "🔵 " + word, "emphasis"
}

// key returns the dedup key, and that of the campaign where there is one.
func key(a *alerting.Alert) string {
	if a.Campaign == "" {
		return a.DedupKey
	}
	return a.DedupKey + " in campaign " + a.Campaign
}

// encode writes JSON with <, > and & as they are.
func encode(m *message) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		panic(fmt.Sprintf("teams: encoding a message: %v", err)) // plain fields always encode
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
