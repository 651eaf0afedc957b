package slack

import (
	"context"
	"strings"

	"github.com/weirhq/weir/alerting"
)

// Beat posts the heartbeat as a message of its own, without buttons.
func (s *Slack) Beat(ctx context.Context, h *alerting.Heartbeat) (retry bool, err error) {
	m := s.heartbeat(h)
	if s.webhook != nil {
		return s.postToWebhook(ctx, m)
	}
	_, retry, err = s.call(ctx, s.post, m)
	return retry, err
}

func (s *Slack) heartbeat(h *alerting.Heartbeat) *message {
	r, sign := h.Report(s.loc), "🟢 "
	if !h.Sound() {
		sign = "🟠 "
	}
	m := &message{
		Channel: s.channel, Text: escape(sign+r.Title+". "+r.Sentence, maxText), Unfurl: new(false), UnfurlMedia: new(false),
		Blocks: []block{
			{Type: "header", Text: plain(sign+r.Title, maxHeader)},
			{Type: "section", Text: plain(r.Sentence, maxSentence)},
			{Type: "section", Fields: fields(r.Figures)},
		},
	}
	for _, x := range r.Sections {
		m.Blocks = append(m.Blocks, block{Type: "section", Text: markup("*" + x.Heading + "*\n" + escape(strings.Join(bullets(x.Lines), "\n"), maxList))})
	}
	m.Blocks = append(m.Blocks, block{Type: "context", Elements: []element{{Type: "mrkdwn", Text: escape("heartbeat of "+h.Group, maxField)}}})
	if s.webhook == nil { // incoming webhooks take no metadata
		m.Metadata = &metadata{Type: "weir_heartbeat", Payload: map[string]string{"group": h.Group, "next": h.Next.String()}}
	}
	return m
}
