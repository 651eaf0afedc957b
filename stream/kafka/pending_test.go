package kafka_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/alerting/notify/slack"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/internal/destinations"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/deliver"
)

// bench is a process of nothing but notify, which shows episodes in the look-alike of
// Slack; the test plays the people and correlate.
type bench struct {
	*testing.T
	*deployment
	soc  *fakesoc.Server
	o    *kafka.Options
	who  *authority.Authority
	head ledger.Head
}

func newBench(t *testing.T) *bench {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	b := &bench{T: t, deployment: newDeploymentOn(t, 1, broker.ListenAddrs()), soc: fakesoc.New(fakesoc.Options{}), who: authority.New([32]byte{1}, nil)}
	b.prepare(t)
	server := httptest.NewServer(b.soc)
	t.Cleanup(server.Close)
	chat, err := slack.New(slack.Options{Name: "chat", Token: "xoxb-1", Channel: "C1", API: server.URL + "/api", Buttons: true})
	if err != nil {
		t.Fatal(err)
	}
	b.o = b.notifying(t)
	b.o.Correlate.Authority = b.who.Check
	b.o.Destinations = []deliver.Destination{{Destination: chat, Policy: notify.Policy{PerMinute: -1}}}
	return b
}

// judge writes a verdict under a proof.
func (b *bench) judge(kind correlate.VerdictKind, key string, proof authority.Proof) correlate.Verdict {
	b.Helper()
	v := correlate.Verdict{Kind: kind, DedupKey: key, Reason: "call with <Kim>"}
	v, err := authority.Submit(b.Context(), destinations.VerdictWriter(&b.conn, "weir.verdicts"), v, authority.By{Author: "kim", Proof: proof})
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// copy writes a verdict again, as whoever may read and write the topic can.
func (b *bench) copy(v correlate.Verdict) {
	b.Helper()
	value, err := v.Encode()
	if err == nil {
		err = destinations.VerdictWriter(&b.conn, "weir.verdicts")(b.Context(), nil, value)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// chain writes to the ledger what became of a verdict.
func (b *bench) chain(kind ledger.Kind, body any) {
	b.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		b.Fatal(err)
	}
	var rec []byte
	if rec, b.head, err = ledger.Append(b.head, kind, time.Now(), raw); err == nil {
		err = destinations.VerdictWriter(&b.conn, "weir.ledger")(b.Context(), nil, rec)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// wait waits until the only message holds a text, or no more holds it.
func (b *bench) wait(text string, holds bool) fakesoc.Message {
	b.Helper()
	var m fakesoc.Message
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if list := b.soc.State().Messages; len(list) == 1 {
			if m = list[0]; strings.Contains(string(m.Blocks), text) == holds {
				return m
			}
		}
	}
	b.Fatalf("the message does not show, or still shows, %q:\n%s", text, m.Blocks)
	return m
}

// A verdict of the console changes the message in Slack before its tick has come. One
// that is forged, or copied, asks nothing of Slack. The line goes when the verdict counts,
// though there is nothing to tell and though nobody notified then, and says why one does not
// count. An alert in between takes nothing away, nor does a restart.
func TestVerdictShowsAtOnce(t *testing.T) {
	b := newBench(t)
	stop := start(t, b.o).stop
	b.tell(t, story("weir-a", 0, alerting.Open, episode.High))
	b.wait("weir-a", true)
	ours := b.who.Vouch("console")
	ack := b.judge(correlate.Acknowledged, "weir-a", ours)
	const said = "Confirming: “acknowledged”, said by console:kim at "
	m := b.wait(said, true)
	if s := string(m.Blocks); !strings.Contains(s, "call with \\u0026lt;Kim") && !strings.Contains(s, "call with &lt;Kim") || !strings.Contains(s, "It counts with the next 5 minutes of the log") || m.Edited != 1 || len(m.Thread) != 0 {
		t.Errorf("edited %d times, %d in the thread:\n%s", m.Edited, len(m.Thread), s)
	}

	b.judge(correlate.Confirmed, "weir-a", authority.Unproven("console"))
	b.judge(correlate.Confirmed, "weir-elsewhere", ours)
	claim := b.judge(correlate.Assigned, "weir-a", ours)
	b.wait("“held by console:kim”", true)
	b.copy(ack)
	b.judge(correlate.Extracted, "weir-a", ours)
	back := b.judge(correlate.Reopened, "weir-a", ours)
	if m = b.wait("“reopened”", true); m.Edited != 3 {
		t.Errorf("after forged, foreign and copied verdicts the message was changed %d times, want 3", m.Edited)
	}
	b.tell(t, story("weir-a", 1, alerting.Update, episode.High))
	for b.wait("“reopened”", true).Edited < 5 { // by the alert, and by the line
		time.Sleep(10 * time.Millisecond)
	}
	for _, v := range []correlate.Verdict{ack, claim, back} {
		b.chain(ledger.Verdict, correlate.Effect{Verdict: v})
	}
	b.wait("Confirming", false)

	release := b.judge(correlate.Released, "weir-a", ours)
	b.wait("Confirming: “held by nobody”", true)
	stop()
	b.chain(ledger.Verdict, correlate.Effect{Verdict: release})
	stop = start(t, b.o).stop
	b.wait("Confirming", false) // it was settled without a message while nobody notified

	stop()
	late := b.judge(correlate.Confirmed, "weir-a", ours)
	stop = start(t, b.o).stop
	defer stop()
	b.wait("Confirming: “true positive”", true)
	b.chain(ledger.Refusal, correlate.Refusal{Verdict: late, Refused: "it is too late"})
	b.wait(fmt.Sprintf("⛔ “true positive”, said by console:kim at %s", late.Time.Std().Format("15:04:05")), true)
}
