package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/correlate/ask"
)

// askBench has somebody who asks managers, and the key of an episode of a person.
func askBench(t *testing.T, role access.Role) (b *bench, sent *[]alerting.Question, key string) {
	t.Helper()
	b, sent = newBench(t, 60, role), new([]alerting.Question)
	b.Now = func() time.Time { return noon }
	b.Ask = &Asker{Whom: ask.Manager, Send: func(_ context.Context, q *alerting.Question) error {
		*sent = append(*sent, *q)
		return nil
	}}
	for _, e := range b.Feed.current.Load().Episodes() {
		if e.Alert.Dimension == "user" && e.WasSent() && e.Alert.Severity < episode.Critical && e.Alert.Fact == "" {
			return b, sent, e.Key()
		}
	}
	t.Fatal("nobody can be asked")
	return nil, nil, ""
}

// A question from the page or the API is written first, goes to the manager once, and says
// who did how much, and when.
func TestAsk(t *testing.T) {
	b, sent, key := askBench(t, access.Analyst)
	a := b.Feed.current.Load().Episode(key).Alert
	if page := b.get("/episodes/" + key).Body.String(); !strings.Contains(page, "Ask the manager, "+a.Person.Manager) {
		t.Error("the page offers no question")
	}
	w := b.do(http.MethodPost, "/episodes/"+key+"/ask", "", "Content-Type", formType, "Sec-Fetch-Site", "same-origin")
	if w.Code != http.StatusSeeOther || len(b.verdicts) != 1 || len(*sent) != 1 {
		t.Fatalf("%d %s, %d written, %d sent", w.Code, w.Body, len(b.verdicts), len(*sent))
	}
	if v := b.verdicts[0]; v.Kind != correlate.Asked || v.Author != "ana" || v.Assignee != "slack:"+a.Person.ManagerSlack || v.DedupKey != key || v.Validate() != nil {
		t.Errorf("written: %+v", v)
	}
	q := (*sent)[0]
	if q.To != a.Person.ManagerSlack || q.Own || q.Until != noon.Add(72*time.Hour) || !strings.HasPrefix(q.Text, "Did the account "+a.Identity+" access about ") || !strings.HasSuffix(q.Text, " (UTC), as part of its owner's work?") {
		t.Errorf("sent: %+v", q)
	}
	api := "/api/v1/episodes/" + key + "/questions"
	if w = b.do(http.MethodPost, api, "{}", "Content-Type", "application/json"); w.Code != http.StatusCreated || len(b.verdicts) != 1 || len(*sent) != 1 {
		t.Errorf("again within the second: %d, %d written, %d sent", w.Code, len(b.verdicts), len(*sent))
	}
	b.Now = func() time.Time { return noon.Add(time.Minute) }
	b.Ask.Whom = ask.Owner
	if w = b.do(http.MethodPost, api, "{}", "Content-Type", "application/json"); w.Code != http.StatusConflict || len(*sent) != 1 {
		t.Errorf("an owner without Slack id: %d %s", w.Code, w.Body)
	}
}

// Nobody is asked by a viewer, from another site, or where it is off; and nothing is sent
// that could not be written. What Slack refuses can be tried again.
func TestAskFaults(t *testing.T) {
	post := func(b *bench, key string, header ...string) int {
		return b.do(http.MethodPost, "/api/v1/episodes/"+key+"/questions", "{}", append([]string{"Content-Type", "application/json"}, header...)...).Code
	}
	for _, c := range []struct {
		what   string
		role   access.Role
		change func(b *bench)
		want   int
	}{
		{"a viewer", access.Viewer, func(*bench) {}, 403},
		{"where it is off", access.Admin, func(b *bench) { b.Ask = nil }, 403},
		{"where nobody judges", access.Admin, func(b *bench) { b.Judge = nil }, 403},
		{"when it cannot be written", access.Analyst, func(b *bench) { b.failing = errors.New("kafka is away") }, 503},
		{"when Slack is away", access.Analyst, func(b *bench) {
			b.Ask.Send = func(context.Context, *alerting.Question) error { return errors.New("xoxb-secret") }
		}, 502},
	} {
		b, sent, key := askBench(t, c.role)
		c.change(b)
		if code := post(b, key); code != c.want || len(*sent) != 0 {
			t.Errorf("%s: %d, %d sent", c.what, code, len(*sent))
		}
	}
	b, sent, key := askBench(t, access.Admin)
	for code, got := range map[int]int{
		403: post(b, key, "Sec-Fetch-Site", "cross-site"),
		404: post(b, "weir-none"),
	} {
		if got != code || len(*sent) != 0 || len(b.verdicts) != 0 {
			t.Errorf("%d, want %d", got, code)
		}
	}
	refuse := true
	b.Ask.Send = func(context.Context, *alerting.Question) error {
		if refuse {
			return errors.New("ratelimited")
		}
		return nil
	}
	if code := post(b, key); code != 502 {
		t.Errorf("refused by Slack: %d", code)
	}
	if refuse = false; post(b, key) != 201 {
		t.Error("it cannot be tried again")
	}
	for _, e := range b.Feed.current.Load().Episodes() {
		if e.IsCampaign() && e.WasSent() {
			if code := post(b, e.Key()); code != 409 {
				t.Errorf("of a campaign: %d", code)
			}
		}
	}
}
