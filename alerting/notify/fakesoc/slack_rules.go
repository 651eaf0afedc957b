package fakesoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf16"
)

// The limits of Slack, in characters or in numbers of parts, as
// https://docs.slack.dev/reference/block-kit/blocks states them.
const (
	maxBlocks     = 50
	maxMessage    = 40_000 // characters of text
	maxHeader     = 150
	maxSection    = 3_000
	maxFields     = 10
	maxField      = 2_000
	maxElements   = 10 // of a context
	maxActions    = 25
	maxButton     = 75
	maxValue      = 2_000
	maxIdentifier = 255
	maxAllBlocks  = 12_000 // of all blocks together; not documented, found by trying
)

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// slackBlock is one block of a message.
type slackBlock struct {
	Type     string            `json:"type"`
	BlockID  string            `json:"block_id"`
	Text     *slackText        `json:"text"`
	Fields   []slackText       `json:"fields"`
	Elements []json.RawMessage `json:"elements"`
	Label    *slackText        `json:"label"`
	Element  *slackInput       `json:"element"`
}

// slackInput is what an input takes.
type slackInput struct {
	Type     string `json:"type"`
	ActionID string `json:"action_id"`
	Max      int    `json:"max_length"`
}

// checkMessage holds a message against Slack's rules.
func checkMessage(q *slackRequest) *slackError {
	switch {
	case q.Text == "" && len(q.Blocks) == 0:
		return &slackError{"no_text", ""}
	case characters(q.Text) > maxMessage:
		return &slackError{"msg_too_long", ""}
	case len(q.Blocks) == 0:
		return nil
	}
	var blocks []slackBlock
	if err := json.Unmarshal(q.Blocks, &blocks); err != nil {
		return &slackError{"invalid_blocks_format", err.Error()}
	}
	if len(blocks) > maxBlocks {
		return &slackError{"invalid_blocks", "no more than 50 items allowed"}
	}
	total := 0
	for i := range blocks {
		if err := blocks[i].check(); err != nil {
			return &slackError{"invalid_blocks", fmt.Sprintf("%v [json-pointer:/blocks/%d]", err, i)}
		}
		total += blocks[i].characters()
	}
	if total > maxAllBlocks {
		return &slackError{"msg_blocks_too_long", ""}
	}
	return nil
}

// check returns what Slack says against a block, or nil.
func (b *slackBlock) check() error {
	if characters(b.BlockID) > maxIdentifier {
		return errors.New("block_id is too long")
	}
	switch b.Type {
	case "header":
		return checkText(b.Text, maxHeader, "plain_text")
	case "section":
		return b.checkSection()
	case "context":
		if n := len(b.Elements); n == 0 || n > maxElements {
			return errors.New("1 to 10 elements allowed")
		}
		for _, raw := range b.Elements {
			var t slackText
			if err := json.Unmarshal(raw, &t); err != nil {
				return err
			}
			if err := checkText(&t, maxSection, "plain_text", "mrkdwn"); err != nil {
				return err
			}
		}
		return nil
	case "actions":
		if n := len(b.Elements); n == 0 || n > maxActions {
			return errors.New("1 to 25 elements allowed")
		}
		return checkButtons(b.Elements)
	case "input":
		if e := b.Element; e == nil || e.Type != "plain_text_input" || e.ActionID == "" || e.Max < 1 || e.Max > maxSection {
			return errors.New("an input takes a plain_text_input with an action_id and a max_length of 1 to 3000")
		}
		return checkText(b.Label, maxField, "plain_text")
	case "divider":
		return nil
	}
	return fmt.Errorf("unsupported type: %s", b.Type)
}

func (b *slackBlock) checkSection() error {
	if b.Text == nil && len(b.Fields) == 0 {
		return errors.New("must have text or fields")
	}
	if len(b.Fields) > maxFields {
		return errors.New("no more than 10 fields allowed")
	}
	if b.Text != nil {
		if err := checkText(b.Text, maxSection, "plain_text", "mrkdwn"); err != nil {
			return err
		}
	}
	for i := range b.Fields {
		if err := checkText(&b.Fields[i], maxField, "plain_text", "mrkdwn"); err != nil {
			return err
		}
	}
	return nil
}

// characters counts what a block that passed check shows, but for buttons.
func (b *slackBlock) characters() (total int) {
	if b.Text != nil {
		total += characters(b.Text.Text)
	}
	for i := range b.Fields {
		total += characters(b.Fields[i].Text)
	}
	if b.Type != "context" {
		return total
	}
	for _, raw := range b.Elements {
		var t slackText
		if json.Unmarshal(raw, &t) == nil { // check has read it before
			total += characters(t.Text)
		}
	}
	return total
}

// checkText returns what is wrong with a text that must be of one of the kinds.
func checkText(t *slackText, limit int, kinds ...string) error {
	if t == nil {
		return fmt.Errorf("missing required field: text")
	}
	fits := false
	for _, k := range kinds {
		fits = fits || t.Type == k
	}
	switch {
	case !fits:
		return fmt.Errorf("text of type %q", t.Type)
	case t.Text == "":
		return fmt.Errorf("must be more than 0 characters")
	case characters(t.Text) > limit:
		return fmt.Errorf("must be less than %d characters", limit+1)
	}
	return nil
}

// checkButtons returns what is wrong with the elements of an actions block.
func checkButtons(elements []json.RawMessage) error {
	seen := map[string]bool{}
	for _, raw := range elements {
		var b struct {
			Type     string     `json:"type"`
			Text     *slackText `json:"text"`
			ActionID string     `json:"action_id"`
			Value    string     `json:"value"`
			Style    string     `json:"style"`
		}
		if err := json.Unmarshal(raw, &b); err != nil {
			return err
		}
		if err := checkText(b.Text, maxButton, "plain_text"); err != nil {
			return err
		}
		switch {
		case b.Type != "button":
			return fmt.Errorf("unsupported element: %s", b.Type)
		case b.ActionID == "" || characters(b.ActionID) > maxIdentifier || seen[b.ActionID]:
			return fmt.Errorf("action_id must be unique and at most 255 characters")
		case characters(b.Value) > maxValue:
			return fmt.Errorf("value is too long")
		case b.Style != "" && b.Style != "primary" && b.Style != "danger":
			return fmt.Errorf("unknown style %s", b.Style)
		}
		seen[b.ActionID] = true
	}
	return nil
}

// characters counts the characters of a text in UTF-16, the strictest way to read
// the limits.
func characters(s string) int { return len(utf16.Encode([]rune(s))) }
