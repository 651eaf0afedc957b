package webhook

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/notifytest"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func build(t *testing.T, s notifytest.Setup) notify.Destination {
	t.Helper()
	w, err := New(Options{Name: "hook", URL: s.URL, Secret: secret, TLS: &tls.Config{RootCAs: s.Roots}, Timeout: s.Timeout, Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestBehaviour(t *testing.T) { notifytest.HTTP(t, build) }

// The example of the Standard Webhooks specification.
func TestSignatureOfTheSpecification(t *testing.T) {
	key, err := ParseSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	got := sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A receiver that uses the reference library accepts what we send, knows a
// repeat by its id, and refuses a body that was changed on the way.
func TestReceiverVerifies(t *testing.T) {
	r := notifytest.NewReceiver(t, false, notifytest.Answer(500), notifytest.Answer(204))
	w := build(t, notifytest.Setup{URL: r.URL, Now: time.Now})
	a := alertingtest.Alert()
	for _, want := range []bool{true, false} { // failed, then taken
		if retry, err := w.Notify(t.Context(), a); retry != want || (err != nil) != want {
			t.Fatalf("retry %v, %v", retry, err)
		}
	}
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	seen := r.Seen()
	for _, q := range seen {
		if err := verifier.Verify(q.Body, q.Header); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(q.Body, a.AppendJSON(nil)) {
			t.Errorf("the body is %s", q.Body)
		}
		if got := q.Header.Get("Webhook-Id"); got != a.MessageID() {
			t.Errorf("webhook-id is %s, want %s", got, a.MessageID())
		}
		if got := q.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("content type is %s", got)
		}
		if verifier.Verify(append(q.Body, ' '), q.Header) == nil {
			t.Error("a changed body was accepted")
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct{ url, secret, want string }{
		"no prefix":     {"https://x.example/", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"},
		"not base64":    {"https://x.example/", "whsec_!!", "not base64"},
		"too short":     {"https://x.example/", "whsec_aGVsbG8=", "holds 5 bytes"},
		"too long":      {"https://x.example/", "whsec_" + strings.Repeat("AAAA", 22), "holds 66 bytes"},
		"no scheme":     {"x.example/T0PS3CR3T", secret, "does not begin with https://"},
		"no host":       {"https:///T0PS3CR3T", secret, "names no host"},
		"other scheme":  {"file:///T0PS3CR3T", secret, "does not begin with https://"},
		"malformed url": {"https://T0PS3CR3T:x/%zz", secret, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(Options{Name: "hook", URL: c.url, Secret: c.secret})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
			if strings.Contains(err.Error(), "T0PS3CR3T") || strings.Contains(err.Error(), "MfKQ") {
				t.Errorf("tells a secret: %v", err)
			}
		})
	}
}
