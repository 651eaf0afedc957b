package slack

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// The longest texts that weir sends, in characters. They stay well below Slack's
// own limits for each, since Slack also refuses a message whose blocks hold more
// than about 12,000 characters together (msg_blocks_too_long).
const (
	maxHeader   = 150
	maxText     = 3000 // of the text of a notification; Slack advises against more than 4,000
	maxSentence = 2000
	maxList     = 1500 // of each list in a section; Slack takes 3,000
	maxField    = 400  // Slack takes 2,000
	maxFields   = 10
	maxMember   = 280  // bytes of the line of one member
	namesRoom   = 1200 // bytes of further names in one message, escaped; maxList takes them with what stands between
)

// message is the body of chat.postMessage, chat.update and incoming webhooks.
type message struct {
	Channel     string    `json:"channel,omitempty"`
	TS          string    `json:"ts,omitempty"`
	ThreadTS    string    `json:"thread_ts,omitempty"`
	Broadcast   bool      `json:"reply_broadcast,omitempty"`
	Text        string    `json:"text"`
	Blocks      []block   `json:"blocks,omitempty"`
	Metadata    *metadata `json:"metadata,omitempty"`
	Unfurl      *bool     `json:"unfurl_links,omitempty"`
	UnfurlMedia *bool     `json:"unfurl_media,omitempty"`
}

// metadata lets a workflow in Slack read the episode without parsing the text.
type metadata struct {
	Type    string            `json:"event_type"`
	Payload map[string]string `json:"event_payload"` // encoding/json sorts it
}

type block struct {
	Type     string    `json:"type"`
	BlockID  string    `json:"block_id,omitempty"`
	Text     *text     `json:"text,omitempty"`
	Fields   []text    `json:"fields,omitempty"`
	Elements []element `json:"elements,omitempty"`
	// Label, Optional and Element are those of an input.
	Label    *text    `json:"label,omitempty"`
	Optional bool     `json:"optional,omitempty"`
	Element  *element `json:"element,omitempty"`
}

type text struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Emoji *bool  `json:"emoji,omitempty"`
	// Verbatim keeps Slack from making links of what looks like one.
	Verbatim bool `json:"verbatim,omitempty"`
}

// element is a button, a text of a context block, or what an input takes.
type element struct {
	Type     string `json:"type"`
	Text     any    `json:"text,omitempty"`
	ActionID string `json:"action_id,omitempty"`
	Value    string `json:"value,omitempty"`
	Style    string `json:"style,omitempty"`
	Max      int    `json:"max_length,omitempty"` // characters of an input
}

// plain returns text without markup, in which an identity can do nothing.
func plain(s string, limit int) *text {
	return &text{Type: "plain_text", Text: alerting.Clip(s, limit), Emoji: new(false)}
}

// markup returns text in Slack's markup; other people's words in s must have been
// escaped.
func markup(s string) *text { return &text{Type: "mrkdwn", Text: s, Verbatim: true} }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escape clips s and makes it inert in Slack's markup. The result has at most
// limit characters, and no cut falls into an entity. Marks such as * cannot be
// escaped; at worst they change how a word looks.
func escape(s string, limit int) string {
	for cut := limit; ; cut = cut * 3 / 4 {
		if out := escaper.Replace(alerting.Clip(s, cut)); utf8.RuneCountInString(out) <= limit || cut < 8 {
			return out
		}
	}
}

var marks = map[episode.Severity]string{
	episode.Critical: "🔴", episode.High: "🟠", episode.Medium: "🟡", episode.Low: "🔵",
}

// mark returns a coloured sign for the severity; it is green for a close.
func mark(a *alerting.Alert) string {
	if a.Status == alerting.Close {
		return "🟢"
	}
	return marks[a.Severity]
}

// message returns the message that shows an alert.
func (s *Slack) message(a *alerting.Alert, m *alerting.Content) *message {
	out := &message{
		Channel: s.channel, Text: escape(mark(a)+" "+strings.ToUpper(a.Severity.String())+": "+m.Sentence, maxText),
		Blocks: s.blocks(a, m), Unfurl: new(false), UnfurlMedia: new(false),
	}
	if s.webhook == nil { // incoming webhooks take no metadata
		out.Metadata = &metadata{Type: "weir_alert", Payload: map[string]string{
			"dedup_key": a.DedupKey, "status": string(a.Status), "severity": a.Severity.String(), "dimension": a.Dimension,
		}}
	}
	return out
}

func (s *Slack) blocks(a *alerting.Alert, m *alerting.Content) []block {
	out := []block{
		{Type: "header", Text: plain(mark(a)+" "+m.Title, maxHeader)},
		{Type: "section", Text: plain(m.Sentence, maxSentence)},
	}
	if f := fields(m.Figures); len(f) > 0 {
		out = append(out, block{Type: "section", Fields: f})
	}
	var through []string
	for _, f := range m.Through {
		through = append(through, f.Name+": "+f.Value)
	}
	out = slices.Concat(out, section("Through what", through), who(m),
		section("Why it may be harmless", bullets(m.Benign)), section("Check first", numbered(m.Checks)))
	out = append(out, block{Type: "context", Elements: []element{{Type: "mrkdwn", Text: footer(a, m)}}})
	if s.buttons && a.Status != alerting.Close {
		out = append(out, actions(a.DedupKey, a.Holder != ""))
	}
	return out
}

// section returns a section of lines under a heading, or nothing if there are none.
func section(heading string, lines []string) []block {
	if len(lines) == 0 {
		return nil
	}
	return []block{{Type: "section", Text: markup("*" + heading + "*\n" + escape(strings.Join(lines, "\n"), maxList))}}
}

// who returns the sections that name those for whom the message stands. Each name is cut
// by itself, so that no long one takes the room of another.
func who(m *alerting.Content) []block {
	var lines []string
	for _, l := range bullets(m.Members) {
		lines = append(lines, escape(l, maxMember))
	}
	out := section("New", bullets(m.New))
	if len(lines) > 0 {
		out = append([]block{{Type: "section", Text: markup("*" + m.Heading + "*\n" + strings.Join(lines, "\n"))}}, out...)
	}
	return out
}

func fields(list []alerting.Field) (out []text) {
	for _, f := range list[:min(len(list), maxFields)] {
		out = append(out, *markup("*" + f.Name + "*\n" + escape(f.Value, maxField)))
	}
	return out
}

func bullets(lines []string) (out []string) {
	for _, l := range lines {
		out = append(out, "• "+l)
	}
	return out
}

func numbered(lines []string) (out []string) {
	for i, l := range lines {
		out = append(out, strconv.Itoa(i+1)+". "+l)
	}
	return out
}

// footer returns the links and the key, such as "Console · Runbook · Query ·
// weir-0123456789abcdef".
func footer(a *alerting.Alert, m *alerting.Content) string {
	var parts []string
	for _, l := range m.Links {
		parts = append(parts, "<"+escaper.Replace(l.Value)+"|"+l.Name+">")
	}
	key := escape(a.DedupKey, maxField)
	if a.Campaign != "" {
		key += " in campaign " + escape(a.Campaign, maxField)
	}
	return strings.Join(append(parts, key), " · ")
}

// actions returns the buttons that Handler answers; held: somebody holds the episode.
func actions(key string, held bool) block {
	button := func(v Kind, label, style string) element {
		return element{Type: "button", Text: plain(label, 75), ActionID: actionPrefix + string(v), Value: key, Style: style}
	}
	claim := button(Take, "Take it", "")
	if held {
		claim = button(Release, "Release", "")
	}
	return block{Type: "actions", BlockID: "weir", Elements: []element{
		claim,
		button(Acknowledge, "Acknowledge", ""),
		button(Expected, "Expected for a day", ""),
		button(TruePositive, "True positive", "danger"),
	}}
}
