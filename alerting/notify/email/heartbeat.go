package email

import (
	"context"
	"fmt"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/weirhq/weir/alerting"
)

// Beat mails the heartbeat to all recipients.
func (e *Email) Beat(ctx context.Context, h *alerting.Heartbeat) (retry bool, err error) {
	return e.deliver(ctx, e.heartbeat(h))
}

// heartbeat returns the e-mail of a heartbeat. All of them are one thread.
func (e *Email) heartbeat(h *alerting.Heartbeat) *mail.Msg {
	r := h.Report(e.o.Location)
	m := e.begin(h.MessageID(), alerting.HeartbeatType+"-"+h.Group)
	m.Subject(alerting.Clip("[weir] "+r.Title, maxSubject))
	m.SetGenHeader("X-Weir-Status", alerting.HeartbeatType)
	m.SetBodyString(mail.TypeTextPlain, r.Lines()+"\nheartbeat of "+h.Group+"\n")
	m.AddAlternativeString(mail.TypeTextHTML, heartbeatHTML(h, r))
	return m
}

// heartbeatHTML returns the part in HTML.
func heartbeatHTML(h *alerting.Heartbeat, r *alerting.Report) string {
	colour := over
	if !h.Sound() {
		colour = faulty
	}
	c := &alerting.Content{Title: r.Title, Sentence: r.Sentence, Figures: r.Figures}
	var b strings.Builder
	err := htmlPart.Execute(&b, map[string]any{"Colour": colour, "Content": c, "Sections": r.Sections, "Key": "heartbeat of " + h.Group})
	if err != nil {
		panic(fmt.Sprintf("email: filling in a heartbeat: %v", err)) // plain fields always fit
	}
	return b.String()
}
