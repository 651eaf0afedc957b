package integration_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/integration/kafkatest"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// Somebody with all rights on Kafka, and no key, tries each row of the table in
// docs/ledger.md; each cell says what is found then.
func TestRightsOnKafka(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	b := kafkatest.Shared(t)
	d := deploy(t, b, b.Topic(t, 2))
	kim := author(t, d)
	cut := tickBoundary(c.events) / 5 * 9 // late on the last day
	feed := producer(t, b)
	produce(t, feed, d.sources[0], interleaved(2), 0, c.events[:cut])
	p := d.start(t, "one")
	alerts := d.complete(t, 1)
	config := d.config(t, "ledger")

	// The thief writes verdicts while weir runs.
	thief := &thief{deployment: d, client: b.Client(t), admin: d.admin(t)}
	var first struct {
		DedupKey string `json:"dedup_key"`
	}
	if err := json.Unmarshal([]byte(alerts[0]), &first); err != nil {
		t.Fatal(err)
	}
	given := []byte(strings.TrimSpace(must(t, "confirm", first.DedupKey, "-c", config, "--key", kim, "--reason", "seen", "-o", "json")))
	var forged map[string]any
	if err := json.Unmarshal(given, &forged); err != nil {
		t.Fatal(err)
	}
	forged["id"], forged["author"], forged["kind"] = "forged", "ciso", "expected"
	lie, err := json.Marshal(forged)
	if err != nil {
		t.Fatal(err)
	}
	thief.add(t, "verdicts", string(lie), string(given))
	produce(t, feed, d.sources[0], interleaved(2), cut, c.events[cut:])
	chain := d.read(t, "ledger")
	count := func(text string) (n int) {
		for _, v := range chain.values {
			n += strings.Count(v, text)
		}
		return n
	}
	eventually(t, longLimit, "both verdicts of the thief are refused, and kim's counts", func() bool {
		d.alive(t)
		chain.poll(200 * time.Millisecond)
		return count(`"kind":"refusal"`) == 2 && count(`"kind":"verdict"`) == 1 && count(`"fact":"refused_verdict"`) > 0
	})
	d.complete(t, len(alerts))
	p.stop(t)

	key, public, kept := filepath.Join(d.dir, "ledger.key"), filepath.Join(d.dir, "ledger.pub"), filepath.Join(d.dir, "checkpoints")
	write(t, public, must(t, "ledger", "key", "bank.example/weir", "--out", key))
	must(t, "ledger", "checkpoint", "-c", config, "--key", key, "--out", kept)
	outside := []string{"--since-checkpoint", kept, "--public-key", public}
	thief.found(t, config, nil, "")
	thief.found(t, config, outside, "")

	thief.remember(t, "ledger", "alerts", "suppressed", "verdicts")
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			row.do(t, thief)
			thief.found(t, config, nil, row.without)
			thief.found(t, config, outside, row.with)
			thief.restore(t)
		})
	}
	thief.found(t, config, outside, "") // all is as it was
	t.Run("the end cut off, at the next start", func(t *testing.T) {
		thief.rewrite(t, "ledger", thief.was["ledger"][:len(thief.was["ledger"])-1])
		p := d.start(t, "two")
		p.ready(t)
		if p.metric(t, "weir_ledger_broken") != 1 {
			t.Error("weir_ledger_broken is not 1")
		}
		p.stop(t)
		thief.found(t, config, nil, "truncated at record")
	})
}

// rows are what is done to the topics of a deployment that rests, and what is found
// then; empty for nothing.
var rows = []struct {
	name          string
	do            func(t *testing.T, k *thief)
	without, with string // a checkpoint outside
}{
	{"a record of the ledger changed", func(t *testing.T, k *thief) {
		records := k.copied("ledger")
		records[2] = strings.Replace(records[2], `"time":"20`, `"time":"21`, 1)
		k.rewrite(t, "ledger", records)
	}, "altered at record 3", "altered at record 3"},
	{"one dropped", func(t *testing.T, k *thief) {
		k.rewrite(t, "ledger", slices.Delete(k.copied("ledger"), 2, 3))
	}, "missing at record 3", "missing at record 3"},
	{"two swapped", func(t *testing.T, k *thief) {
		records := k.copied("ledger")
		records[1], records[2] = records[2], records[1]
		k.rewrite(t, "ledger", records)
	}, "moved at record 2", "moved at record 2"},
	{"one added", func(t *testing.T, k *thief) {
		k.rewrite(t, "ledger", slices.Insert(k.copied("ledger"), 2, k.was["ledger"][0]))
	}, "inserted at record 1", "inserted at record 1"},
	{"the end cut off", func(t *testing.T, k *thief) {
		k.rewrite(t, "ledger", k.was["ledger"][:len(k.was["ledger"])-2])
	}, "truncated at record", "truncated at record"},
	{"the oldest deleted, by a forged cut", func(t *testing.T, k *thief) { k.forgeCut(t, 2) }, "a cut of kim says that they were deleted, which does not count: its signature is not that", "a cut of kim says that they were deleted, which does not count: its signature is not that"},
	{"all ends cut off, and the state forged", func(t *testing.T, k *thief) {
		k.withoutEnd(t, 3)
	}, "", "a checkpoint knows of record"},
	{"written anew without an alert, and the state forged", func(t *testing.T, k *thief) {
		k.without(t, ledger.Alert)
	}, "alerts do not agree: ", "alerts do not agree: "},
	{"and weir.alerts too", func(t *testing.T, k *thief) {
		k.without(t, ledger.Alert)
		k.rewrite(t, "alerts", k.was["alerts"][1:])
	}, "", "a checkpoint knows of record"},
	{"written anew with another alert in its place", func(t *testing.T, k *thief) {
		k.instead(t)
	}, "", "are not those of the checkpoint that was made of them"},
	{"weir.alerts emptied", func(t *testing.T, k *thief) { k.rewrite(t, "alerts", nil) }, "alerts do not agree: missing", "alerts do not agree: missing"},
	{"weir.suppressed emptied", func(t *testing.T, k *thief) { k.rewrite(t, "suppressed", nil) }, "suppressed do not agree: missing", "suppressed do not agree: missing"},
	{"a verdict deleted, and its copy", func(t *testing.T, k *thief) { k.rewrite(t, "verdicts", k.was["verdicts"][1:2]) }, "verdicts do not agree: missing", "verdicts do not agree: missing"},
	{"the settings in force written anew", func(t *testing.T, k *thief) {
		k.relink(t, k.copied("ledger"), func(r *ledger.Record) bool {
			r.Body = bytes.Replace(r.Body, []byte(`"Budget":200`), []byte(`"Budget":1`), 1)
			return true
		}, false)
	}, "the settings do not agree: rewritten", "the settings do not agree: rewritten"},
	{"events deleted", func(t *testing.T, k *thief) { k.empty(t, k.deployment.sources[0]) }, "", ""},
}

// thief may do everything on Kafka.
type thief struct {
	deployment *deployment
	client     *kgo.Client
	admin      *kadm.Client
	was        map[string][]string // values of the topics, as they were
	end        []byte              // what the state knew of the ledger's end
	touched    map[string]bool
}

// add appends records to a topic of the deployment.
func (k *thief) add(t testing.TB, topic string, values ...string) {
	t.Helper()
	k.addUnder(t, "k", topic, values...)
}

// addUnder appends records with a key.
func (k *thief) addUnder(t testing.TB, key, topic string, values ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), shortLimit)
	defer cancel()
	var records []*kgo.Record
	for _, v := range values {
		records = append(records, &kgo.Record{Topic: k.deployment.topic(topic), Key: []byte(key), Value: []byte(v)})
	}
	if err := k.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// empty deletes all records of a topic.
func (k *thief) empty(t testing.TB, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), shortLimit)
	defer cancel()
	ends, err := k.admin.ListEndOffsets(ctx, topic)
	if err == nil {
		_, err = k.admin.DeleteRecords(ctx, ends.Offsets())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// rewrite has a topic hold other records than it does.
func (k *thief) rewrite(t testing.TB, topic string, values []string) {
	t.Helper()
	k.touched[topic] = true
	k.empty(t, k.deployment.topic(topic))
	k.add(t, topic, values...)
}

// remember keeps what the topics hold, to write it again.
func (k *thief) remember(t testing.TB, names ...string) {
	t.Helper()
	k.was, k.touched = map[string][]string{}, map[string]bool{}
	for _, name := range append(names, "fleet") {
		l := k.deployment.read(t, name)
		for l.poll(2 * time.Second) {
		}
		k.was[name] = l.values
		if name != "fleet" && len(l.values) < 2 {
			t.Fatalf("%s holds %d records: nothing can be shown with them", name, len(l.values))
		}
	}
	for _, value := range k.was["fleet"] {
		if strings.HasPrefix(value, `{"head":`) {
			k.end = []byte(value)
		}
	}
	if k.end == nil {
		t.Fatal("the state says nothing of the ledger's end")
	}
}

// copied is a copy of what a topic held.
func (k *thief) copied(topic string) []string { return slices.Clone(k.was[topic]) }

// restore puts everything back.
func (k *thief) restore(t testing.TB) {
	t.Helper()
	for topic := range k.touched {
		k.rewrite(t, topic, k.was[topic])
	}
	clear(k.touched)
	k.writeEnd(t, k.end)
}

// writeEnd writes into the state what it knows of the ledger's end.
func (k *thief) writeEnd(t testing.TB, value []byte) {
	t.Helper()
	k.addUnder(t, topics.LedgerEndKey, "fleet", string(value))
}

// relink writes the ledger anew, of the records that keep takes and may change, and
// forges the state if that is wanted.
func (k *thief) relink(t testing.TB, records []string, keep func(r *ledger.Record) bool, state bool) {
	t.Helper()
	var end topics.LedgerEnd
	if err := end.Load([]byte(topics.LedgerEndKey), k.end); err != nil {
		t.Fatal(err)
	}
	end.Head, end.Tree = ledger.Head{}, ledger.Tree{}
	var anew []string
	for _, value := range records {
		r, err := ledger.Parse([]byte(value))
		if err != nil {
			t.Fatal(err)
		}
		if !keep(r) {
			continue
		}
		b, head, err := ledger.Append(end.Head, r.Kind, r.Time, r.Body)
		if err != nil {
			t.Fatal(err)
		}
		end.Head = head
		end.Tree.Add(b)
		anew = append(anew, string(b))
	}
	k.rewrite(t, "ledger", anew)
	if !state {
		return
	}
	value, err := json.Marshal(&end)
	if err != nil {
		t.Fatal(err)
	}
	k.writeEnd(t, value)
}

// without writes the ledger anew without its first record of a kind.
func (k *thief) without(t testing.TB, kind ledger.Kind) {
	gone := false
	k.relink(t, k.copied("ledger"), func(r *ledger.Record) bool {
		first := r.Kind == kind && !gone
		gone = gone || first
		return !first
	}, true)
}

// instead writes the ledger anew with another name in its first alert, and weir.alerts
// to match.
func (k *thief) instead(t testing.TB) {
	alerts, changed := k.copied("alerts"), false
	k.relink(t, k.copied("ledger"), func(r *ledger.Record) bool {
		if r.Kind == ledger.Alert && !changed {
			r.Body, changed = bytes.Replace(r.Body, []byte(`"severity":"`), []byte(`"severity":"low","was":"`), 1), true
			alerts[0] = string(r.Body)
		}
		return true
	}, true)
	k.rewrite(t, "alerts", alerts)
}

// withoutEnd cuts the last n records off the ledger, and off the topics that say the
// same.
func (k *thief) withoutEnd(t testing.TB, n int) {
	records := k.copied("ledger")
	cut := map[ledger.Kind]int{}
	for _, value := range records[len(records)-n:] {
		r, err := ledger.Parse([]byte(value))
		if err != nil {
			t.Fatal(err)
		}
		cut[r.Kind]++
	}
	k.relink(t, records[:len(records)-n], func(*ledger.Record) bool { return true }, true)
	k.rewrite(t, "alerts", k.was["alerts"][:len(k.was["alerts"])-cut[ledger.Alert]])
	k.rewrite(t, "suppressed", k.was["suppressed"][:len(k.was["suppressed"])-cut[ledger.Suppression]])
}

// found verifies the ledger: something that says the text is wrong, or nothing if the
// text is empty.
func (k *thief) found(t testing.TB, config string, outside []string, says string) {
	t.Helper()
	got := weir(t, append([]string{"ledger", "verify", "-c", config}, outside...)...)
	if code := map[bool]int{true: 0, false: 1}[says == ""]; got.code != code || !strings.Contains(got.stdout, says) {
		t.Errorf("verify %q: exit code %d, want %d and %q\n%s%s", outside, got.code, code, says, got.stdout, got.stderr)
	}
}

// author makes somebody who may judge episodes, and returns the file of his key.
func author(t testing.TB, d *deployment) (keyFile string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	open, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	d.alerts += fmt.Sprintf("verdicts:\n  authors: [{name: kim, public_key: %q}]\n", base64.StdEncoding.EncodeToString(open))
	return write(t, filepath.Join(d.dir, "kim.key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
}

// Where somebody with all rights on Kafka deletes the last events of one source, and
// another source goes on, an alert says that the source has fallen silent.
func TestDeletedEventsAreMissed(t *testing.T) {
	t.Parallel()
	b := kafkatest.Shared(t)
	access, facts := b.Topic(t, 1), b.Topic(t, 1)
	cl := producer(t, b)
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	var events, others [][]byte
	for at := time.Duration(0); at < 9*24*time.Hour; at += 2 * time.Minute {
		when := from.Add(at).Format(time.RFC3339)
		events = append(events, fmt.Appendf(nil, `{"time":%q,"actor":"kim","action":"read","records":["1"]}`, when))
		others = append(others, fmt.Appendf(nil, `{"time":%q,"actor":"kim","action":"logout"}`, when))
	}
	produce(t, cl, access, interleaved(1), 0, events)
	produce(t, cl, facts, interleaved(1), 0, others)
	// Kafka deletes no end of a topic: it has to be made again, without its end.
	adm := b.Admin(t)
	if _, err := adm.DeleteTopic(t.Context(), facts); err != nil {
		t.Fatal(err)
	}
	eventually(t, shortLimit, "the topic is made again", func() bool {
		_, err := adm.CreateTopic(t.Context(), 1, 1, nil, facts)
		return err == nil
	})
	produce(t, producer(t, b), facts, interleaved(1), 0, others[:8*len(others)/9])

	d := deploy(t, b, access, facts)
	p := d.start(t, "one")
	alerts := strings.Join(d.complete(t, 1), "\n")
	if !strings.Contains(alerts, `"fact":"source_silent"`) || !strings.Contains(alerts, facts) {
		t.Errorf("the alerts are\n%s", alerts)
	}
	must(t, "ledger", "verify", "-c", d.config(t, "ledger"))
	p.stop(t)
}
