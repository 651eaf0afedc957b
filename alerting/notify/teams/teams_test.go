package teams

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/alerting/notify/notifytest"
)

var rewrite = flag.Bool("rewrite", false, "write what is found to testdata")

func build(t *testing.T, s notifytest.Setup) notify.Destination {
	t.Helper()
	c, err := New(Options{Name: "channel", URL: s.URL, TLS: &tls.Config{RootCAs: s.Roots}, Timeout: s.Timeout, Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBehaviour(t *testing.T) {
	notifytest.Suite{Taken: notifytest.Answer(202)}.Run(t, build)
}

// Every alert that there can be is a card that Teams shows.
func TestLookAlikeAcceptsAll(t *testing.T) {
	soc := fakesoc.New(fakesoc.Options{})
	server := httptest.NewServer(soc)
	defer server.Close()
	channel := build(t, notifytest.Setup{URL: server.URL + "/workflows/1/triggers/manual/paths/invoke?sig=x", Timeout: time.Minute, Now: time.Now})
	for name, a := range alertingtest.Alerts() {
		if _, err := channel.Notify(t.Context(), a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, want := len(soc.State().Cards), len(alertingtest.Alerts()); got != want {
		t.Errorf("%d cards, want %d", got, want)
	}
}

// fitted returns the message of an alert as it is posted.
func fitted(a *alerting.Alert) []byte {
	m := alerting.Compose(a, time.UTC)
	return fit(func(limit int) *message { return newMessage(a, m, limit) })
}

// A card says all there is to say while there is room, and is cut to what Teams
// takes where there is none.
func TestSize(t *testing.T) {
	for name, a := range alertingtest.Alerts() {
		m := alerting.Compose(a, nil)
		body := fitted(a)
		if n := size(body); n > maxMessage {
			t.Errorf("%s: %d bytes", name, n)
		}
		if whole := encode(newMessage(a, m, maxText)); size(whole) <= maxMessage && !bytes.Equal(body, whole) {
			t.Errorf("%s: cut without need", name)
		}
		if size(body) < maxMessage/2 && bytes.Contains(body, []byte("…")) {
			t.Errorf("%s: cut to %d bytes, where %d are allowed", name, size(body), maxMessage)
		}
	}
	if n := size([]byte("a가𐐷")); n != 8 {
		t.Errorf("size is %d, want 8: of UTF-8 and UTF-16 the larger", n)
	}
}

// A refusal says what to do about it, and never the URL.
func TestRefusals(t *testing.T) {
	for code, want := range map[int]string{401: "copy it again", 403: "copy it again", 404: "switched off"} {
		r := notifytest.NewReceiver(t, false, notifytest.Answer(code))
		retry, err := build(t, notifytest.Setup{URL: r.URL + "/" + notifytest.Secret, Now: time.Now}).Notify(t.Context(), alertingtest.Full())
		if retry || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), notifytest.Secret) {
			t.Errorf("%d: retry %v, %v", code, retry, err)
		}
	}
	if _, err := New(Options{Name: "channel", URL: "x.example/" + notifytest.Secret}); err == nil || strings.Contains(err.Error(), notifytest.Secret) {
		t.Errorf("a URL without scheme: %v", err)
	}
}

func TestGolden(t *testing.T) {
	for name, a := range alertingtest.Alerts() {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := json.Indent(&out, fitted(a), "", "  "); err != nil {
				t.Fatal(err)
			}
			alertingtest.Golden(t, *rewrite, "testdata/"+name+".json", out.Bytes())
		})
	}
}
