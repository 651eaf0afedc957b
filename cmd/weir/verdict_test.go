package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/stream/correlate"
)

// episodeAlert is one alert as it stands on weir.alerts.
func episodeAlert(key string) *alerting.Alert {
	return &alerting.Alert{
		Schema: alerting.Schema, DedupKey: key, Status: alerting.Open, Time: 1_772_550_000_000, Dimension: "user", Identity: "kim",
		Detector: "drift", Measure: "distinct", Severity: episode.Low, Summary: "User kim read 205 customers.",
	}
}

// records returns what a topic of one partition holds.
func records(t *testing.T, cl *kgo.Client, topic string, n int) (out []*kgo.Record) {
	t.Helper()
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(out) < n && ctx.Err() == nil {
		out = append(out, cl.PollFetches(ctx).Records()...)
	}
	if len(out) != n {
		t.Fatalf("%s holds %d records, want %d", topic, len(out), n)
	}
	return out
}

func TestVerdictCommands(t *testing.T) {
	cl, config := newCluster(t)
	publish(t, cl, "weir.alerts", "weir-1", episodeAlert("weir-1").AppendJSON(nil))
	publish(t, cl, "weir.suppressed", "weir-2", []byte(`{"suppressed_by":{"kind":"campaign","name":"weir-9"},"alert":`+string(episodeAlert("weir-2").AppendJSON(nil))+`}`))

	key, author := authorKey(t, config, "eve")
	expect(t, 0, "Received, and counts with the next tick of the log that is judged: acknowledged: weir-1 (user kim, by eve)\n    User kim read 205 customers.", "ack", "weir-1", "-c", config, "--key", key)
	expect(t, 0, "Received, and counts with the next tick of the log that is judged: expected, until ", "expect", "weir-1", "-c", config, "--reason", "audit", "--key", key)
	t.Setenv(keyVariable, key)
	expect(t, 0, `"kind":"confirmed"`, "confirm", "weir-1", "weir-2", "-c", config, "-o", "json")
	expect(t, 0, "reopened: weir-2", "reopen", "weir-2", "-c", config)
	expect(t, 0, `"assignee":"lee"`, "assign", "weir-1", "-c", config, "--to", "lee", "-o", "json")
	expect(t, 0, "released: weir-1", "release", "weir-1", "-c", config)

	var got []string
	ids := map[string]bool{}
	for _, rec := range records(t, cl, "weir.verdicts", 7) {
		v, err := correlate.DecodeVerdict(rec.Value)
		if err != nil || v.DedupKey != string(rec.Key) {
			t.Fatalf("%s: %s: %v", rec.Key, rec.Value, err)
		}
		if err := author.Check(v); err != nil || v.Author != "eve" {
			t.Errorf("%s by %s: %v", rec.Value, v.Author, err)
		}
		got, ids[v.ID] = append(got, string(v.Kind)+" "+v.DedupKey), true
	}
	if want := "acknowledge weir-1, expected weir-1, confirmed weir-1, confirmed weir-2, reopened weir-2, assigned weir-1, released weir-1"; strings.Join(got, ", ") != want || len(ids) != 7 {
		t.Errorf("written are %v, want %s; %d ids", got, want, len(ids))
	}

	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"ack weir-3", 1, "there is no episode weir-3 on weir.alerts or weir.suppressed"},
		{"ack", 2, "ack needs at least one DEDUP_KEY"},
		{"expect weir-1", 2, "expect needs --reason"},
		{"expect weir-1 --reason x --expires 91d", 2, "longer than 90d"},
		{"ack weir-1 --key ", 2, "needs --key"},
		{"ack weir-1 --key verdict_test.go", 1, "reading the signing key"},
		{"expect weir-1 --reason x --expires soon", 2, "14d, 12h"},
		{"expect weir-1 --reason x --expires 2001-01-01T00:00:00Z", 2, "is past"},
		{"ack weir-1 --expires 1d", 2, "unknown flag: --expires"},
		{"ack weir-1 -o xml", 2, "-o is table or json"},
	} {
		expect(t, c.code, c.says, append(strings.Split(c.args, " "), "-c", config)...)
	}
}

// authorKey writes a key, adds its author to a configuration, and returns the key's file and
// who judges by the configuration.
func authorKey(t *testing.T, config, name string) (file string, _ *authority.Authority) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "eve.key")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "\nverdicts: {authors: [{name: %s, public_key: %s}]}\n", name, base64.StdEncoding.EncodeToString(spki)); err != nil {
		t.Fatal(err)
	}
	return file, authority.New([32]byte{}, []authority.Author{{Name: name, PublicKey: public}})
}

func TestUntil(t *testing.T) {
	now := time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC)
	for in, want := range map[string]string{
		"14d": "2026-03-17T15:00:00Z", "90m": "2026-03-03T16:30:00Z", "2026-03-04T00:00:00+09:00": "error", // now is not later than now
		"2026-03-04T00:00:01+09:00": "2026-03-03T15:00:01Z", "": "",
		"-1d": "error", "0s": "error", "d": "error", "tomorrow": "error", "99999999999d": "error",
	} {
		got, err := until(in, now)
		text := ""
		switch {
		case err != nil:
			text = "error"
		case got != 0:
			text = got.Std().Format(time.RFC3339)
		}
		if text != want {
			t.Errorf("%q: %s, %v; want %s", in, text, err, want)
		}
	}
}
