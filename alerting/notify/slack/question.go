package slack

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
)

const (
	// questionBlock begins the ids of the blocks by which a question is answered.
	questionBlock = "weir_answer"
	reasonBlock   = questionBlock + "_reason"
	maxReason     = 500 // characters
)

// Ask sends a question. Handler takes the answer. It takes a bot's token.
func (s *Slack) Ask(ctx context.Context, q *alerting.Question) error {
	if s.webhook != nil {
		return errors.New("asking a person: an incoming webhook takes no answers; configure a bot's token")
	}
	if _, _, err := s.call(ctx, s.post, s.question(q)); err != nil {
		return fmt.Errorf("asking a person: %w", err)
	}
	return nil
}

func (s *Slack) question(q *alerting.Question) *message {
	no := "No, it was not meant"
	if q.Own {
		no = "No, it was not me"
	}
	value := strings.Join([]string{q.DedupKey, q.To, strconv.FormatInt(q.Until.Unix(), 10)}, " ")
	button := func(k Kind, label string) element {
		return element{Type: "button", Text: plain(label, 75), ActionID: actionPrefix + string(k), Value: value}
	}
	loc := s.loc
	if loc == nil {
		loc = time.UTC
	}
	footer := "Your security team asks. A yes is a note with its reason. Please answer until " + q.Until.In(loc).Format("Mon 2 Jan 15:04") + " (" + loc.String() + "). Only your own click counts. The answer is kept."
	return &message{
		Channel: q.To, Text: escape(q.Text, maxText), Unfurl: new(false), UnfurlMedia: new(false),
		Blocks: []block{
			{Type: "section", Text: plain(q.Text, maxSentence)},
			{Type: "input", BlockID: reasonBlock, Optional: true, Label: plain("For what, or what was it?", 75), Element: &element{Type: "plain_text_input", ActionID: reasonBlock, Max: maxReason}},
			{Type: "actions", BlockID: questionBlock, Elements: []element{button(Yes, "Yes, it was meant"), button(No, no)}},
			{Type: "context", Elements: []element{{Type: "mrkdwn", Text: escape(footer, maxField)}}},
		},
	}
}

// answer adds to a click what a question's button carries.
func (v *Verdict) answer(value string, state map[string]map[string]input) error {
	parts := strings.Fields(value)
	if len(parts) != 3 {
		return errors.New("the answer names no question")
	}
	until, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return errors.New("the answer names no time")
	}
	v.DedupKey, v.Addressee, v.Until = parts[0], parts[1], time.Unix(until, 0)
	v.Reason = alerting.Clip(state[reasonBlock][reasonBlock].Value, maxReason)
	return nil
}

// input is what somebody wrote beside a button.
type input struct {
	Value string `json:"value"`
}
