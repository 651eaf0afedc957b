package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting/notify/internal/post"
)

const (
	// replyBlock is the id of the block that says what became of a click, or of a verdict
	// that came in by another way.
	replyBlock = "weir_reply"
	// replyLimit is how long Slack may take to change a message.
	replyLimit = 10 * time.Second
	maxBlocks  = 50 // Slack takes no more in one message
)

// clicked is the message that a click was on, as Slack sends it along, and the address
// under which Slack takes a change of it for half an hour.
type clicked struct {
	ResponseURL string `json:"response_url"`
	Message     struct {
		Text   string            `json:"text"`
		Blocks []json.RawMessage `json:"blocks"`
	} `json:"message"`
}

// reply adds a line to the message, in the place of that of an earlier click, or of the
// buttons of a question. The message stays as it was otherwise, until an alert changes it.
// One of which Slack sent no blocks is left alone.
func (c *clicked) reply(ctx context.Context, api, line string) error {
	if line == "" || c.ResponseURL == "" || len(c.Message.Blocks) == 0 || !c.ofSlack(api) {
		return nil
	}
	var blocks []json.RawMessage
	for _, raw := range c.Message.Blocks {
		var b block
		if json.Unmarshal(raw, &b) == nil && (b.BlockID == replyBlock || strings.HasPrefix(b.BlockID, questionBlock)) {
			continue
		}
		blocks = append(blocks, raw)
	}
	own, err := json.Marshal(lineBlock(line))
	if err != nil || len(blocks) >= maxBlocks {
		return err
	}
	body, err := json.Marshal(struct {
		Replace bool              `json:"replace_original"`
		Text    string            `json:"text"`
		Blocks  []json.RawMessage `json:"blocks"`
	}{true, c.Message.Text, append(blocks, own)})
	if err != nil {
		return err
	}
	client, err := post.New(c.ResponseURL, post.Options{Timeout: replyLimit})
	if err != nil {
		return fmt.Errorf("answering a click: %w", err)
	}
	if _, err := client.Post(ctx, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body); err != nil {
		return fmt.Errorf("answering a click: %w", err)
	}
	return nil
}

// lineBlock shows a line of replyBlock.
func lineBlock(line string) block {
	return block{Type: "context", BlockID: replyBlock, Elements: []element{{Type: "mrkdwn", Text: escape(line, maxField)}}}
}

// ofSlack reports whether the address is one of Slack's, or of what stands in for it
// at api.
func (c *clicked) ofSlack(api string) bool {
	u, err := url.Parse(c.ResponseURL)
	if err != nil {
		return false
	}
	if a, err := url.Parse(api); err == nil && api != "" && a.Scheme == u.Scheme && a.Host == u.Host {
		return true
	}
	host := u.Hostname()
	return u.Scheme == "https" && (strings.HasSuffix(host, ".slack.com") || strings.HasSuffix(host, ".slack-gov.com"))
}
