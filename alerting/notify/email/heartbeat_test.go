package email

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
)

func TestHeartbeatGolden(t *testing.T) {
	for name, h := range alertingtest.Heartbeats() {
		t.Run(name, func(t *testing.T) {
			m := mailed(t, func(d notify.Destination) (bool, error) { return d.Beat(t.Context(), h) })
			header, subject, plain, html := parts(t, m.Data)
			alertingtest.Golden(t, *rewrite, "testdata/"+name+".txt", []byte("Subject: "+subject+"\n\n"+strings.ReplaceAll(plain, "\r\n", "\n")))
			alertingtest.Golden(t, *rewrite, "testdata/"+name+".html", []byte(strings.ReplaceAll(html, "\r\n", "\n")))
			if got := header.Get("X-Weir-Status") + " " + header.Get("References") + header.Get("Bcc"); got != "heartbeat <heartbeat-weir@example.com>" {
				t.Errorf("the header says %q", got)
			}
			if strings.Contains(html, "<script") {
				t.Error("a text has become markup")
			}
		})
	}
}
