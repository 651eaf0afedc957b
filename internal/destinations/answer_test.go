package destinations

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	slackchannel "github.com/weirhq/weir/alerting/notify/slack"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/stream/correlate"
)

// A question goes to the person alone, as the look-alike of Slack takes it. The person's
// click is an answer that the deployment vouches for, though he may not judge; anybody
// else's is not. The question then shows the answer, and no buttons.
func TestQuestionIsAnswered(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	c := config.Default()
	c.Ask = config.Ask{Through: "chat", Whom: "manager"}
	c.Alerts.Destinations = []config.Destination{
		{Name: "chat", Type: config.Slack, Token: config.NewSecret("xoxb-1"), Channel: "C1", SigningSecret: config.NewSecret(secret), Users: []string{"U1"}},
		{Name: "other", Type: config.Slack, Token: config.NewSecret("xoxb-1"), Channel: "C1", SigningSecret: config.NewSecret(secret), Users: []string{"U1"}},
	}
	who, mux := authority.New([32]byte{1}, nil), http.NewServeMux()
	var got []correlate.Verdict
	weir := httptest.NewServer(mux)
	defer weir.Close()
	fake := fakesoc.New(fakesoc.Options{Interactivity: weir.URL + "/slack/chat", SigningSecret: secret})
	soc := httptest.NewServer(fake)
	defer soc.Close()
	other := httptest.NewServer(fakesoc.New(fakesoc.Options{Interactivity: weir.URL + "/slack/other", SigningSecret: secret}))
	defer other.Close()
	c.Alerts.Destinations[0].API = soc.URL + "/api"
	err := HandleClicks(mux, c, slog.New(slog.DiscardHandler), who, func(_ context.Context, _, value []byte) error {
		v, err := correlate.DecodeVerdict(value)
		if err == nil {
			got = append(got, *v)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	app, err := Slack(c, &c.Alerts.Destinations[0])
	if err != nil {
		t.Fatal(err)
	}
	ask := func(until time.Time) fakesoc.Message {
		t.Helper()
		if err := app.Ask(t.Context(), &alerting.Question{To: "U0BO", DedupKey: "weir-0123456789abcdef", Text: "Did the account <eve> access 40 & more?", Until: until}); err != nil {
			t.Fatal(err)
		}
		all := fake.State().Messages
		return all[len(all)-1]
	}
	m := ask(time.Now().Add(time.Hour))
	var blocks []struct {
		Elements []struct {
			ActionID string `json:"action_id"`
			Value    string `json:"value"`
		} `json:"elements"`
	}
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil || m.Channel != "U0BO" || !strings.Contains(m.Text, "&lt;eve&gt;") {
		t.Fatalf("%v: asked in %s: %s", err, m.Channel, m.Text)
	}
	value := blocks[2].Elements[0].Value
	click := func(at, user, action, value string) correlate.Verdict {
		t.Helper()
		got = nil
		body, err := json.Marshal(map[string]any{"channel": "U0BO", "ts": m.TS, "action_id": "weir_" + action, "value": value, "user": user, "inputs": map[string]string{"weir_answer_reason": "the audit of March"}})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(at+"/click", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || len(got) != 1 {
			t.Fatalf("%s by %s: %d, written %+v", action, user, resp.StatusCode, got)
		}
		return got[0]
	}
	if v := click(soc.URL, "U0EVE", "yes", value); who.Check(&v) == nil || string(fake.State().Messages[0].Blocks) != string(m.Blocks) {
		t.Errorf("an answer of somebody else: %+v, and the question shows %s", v, fake.State().Messages[0].Blocks)
	}
	yes := click(soc.URL, "U0BO", "yes", value)
	if yes.Kind != correlate.Affirmed || yes.Author != "slack:U0BO" || yes.DedupKey != "weir-0123456789abcdef" || yes.Reason != "the audit of March, by bo" || who.Check(&yes) != nil {
		t.Errorf("a yes: %+v", yes)
	}
	shown := ""
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until) && !strings.Contains(shown, "recorded: yes"); time.Sleep(5 * time.Millisecond) {
		shown = string(fake.State().Messages[0].Blocks)
	}
	if !strings.Contains(shown, "recorded: yes") || strings.Contains(shown, "button") || strings.Contains(shown, "plain_text_input") {
		t.Errorf("the question shows %s", shown)
	}
	if no := click(soc.URL, "U0BO", "no", value); no.Kind != correlate.Denied || who.Check(&no) != nil {
		t.Errorf("a no: %+v", no)
	}
	for what, v := range map[string]correlate.Verdict{
		"who may judge": click(soc.URL, "U1", "yes", value),
		"another app":   click(other.URL, "U0BO", "no", value),
	} {
		if who.Check(&v) == nil {
			t.Errorf("an answer of %s counts: %+v", what, v)
		}
	}
	if v := click(soc.URL, "U0BO", "acknowledge", "weir-0123456789abcdef"); who.Check(&v) == nil {
		t.Errorf("who was asked judges: %+v", v)
	}
}

// What a question shows of an answer.
func TestAnswered(t *testing.T) {
	now := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		kind  slackchannel.Kind
		until time.Time
		says  string
	}{
		{slackchannel.Yes, now, "recorded: yes"}, {slackchannel.No, now, "recorded: no"}, {slackchannel.No, now.Add(-1), "time to answer is over"},
	} {
		if said := answered(&slackchannel.Verdict{Kind: c.kind, At: now, Until: c.until}); !strings.Contains(said, c.says) {
			t.Errorf("%+v: %q", c, said)
		}
	}
}
