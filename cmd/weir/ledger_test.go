package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/ledger"
)

// newCluster starts an embedded broker with weir's topics on it, and returns a
// client of it and the path of a configuration.
func newCluster(t *testing.T) (cl *kgo.Client, config string) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "record.key"), "00112233445566778899aabbccddeeff\n")
	config = writeFile(t, filepath.Join(dir, "weir.yaml"), fmt.Sprintf(
		"kafka: {brokers: [%q]}\npartitions: 2\nreplication_factor: 1\nsources: [{topic: access}]\nrecord_key_file: record.key\n", c.ListenAddrs()[0]))
	if code, _, stderr := weir(t, "topics", "-c", config, "--create"); code != 0 {
		t.Fatal(stderr)
	}
	cl, err = kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.AllowAutoTopicCreation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl, config
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func publish(t *testing.T, cl *kgo.Client, topic, key string, values ...[]byte) {
	t.Helper()
	for _, value := range values {
		if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte(key), Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// links returns a chain of n records.
func links(t *testing.T, n int) (out [][]byte) {
	t.Helper()
	var head ledger.Head
	for i := range n {
		b, next, err := ledger.Append(head, ledger.Alert, time.Unix(1_772_550_000, 0), fmt.Appendf(nil, `{"n":%d}`, i+1))
		if err != nil {
			t.Fatal(err)
		}
		out, head = append(out, b), next
	}
	return out
}

func TestLedgerCommands(t *testing.T) {
	cl, config := newCluster(t)
	records := links(t, 6)
	dir := t.TempDir()
	key, kept := filepath.Join(dir, "ledger.key"), filepath.Join(dir, "checkpoints")
	public := writeFile(t, filepath.Join(dir, "ledger.pub"), expect(t, 0, "bank.example/weir+", "ledger", "key", "bank.example/weir", "--out", key))
	expect(t, 1, "file exists", "ledger", "key", "bank.example/weir", "--out", key)

	if code, _, stderr := weir(t, "ledger", "checkpoint", "-c", config, "--key", key); code != 1 || !strings.Contains(stderr, "the ledger is empty") {
		t.Errorf("a checkpoint of nothing: exit code %d, %s", code, stderr)
	}
	publish(t, cl, "weir.ledger", "", records[:4]...)
	expect(t, 0, "Checkpoint of 4 records", "ledger", "checkpoint", "-c", config, "--key", key, "--out", kept)
	publish(t, cl, "weir.ledger", "", records[4:]...)
	expect(t, 1, "weir.ledger and weir.alerts do not agree: missing", "ledger", "verify", "-c", config)
	for i := range records {
		publish(t, cl, "weir.alerts", "", fmt.Appendf(nil, `{"n":%d}`, i+1))
	}
	expect(t, 0, "is whole", "ledger", "verify", "-c", config)
	expect(t, 0, "agrees with the checkpoint.\nSince the newest checkpoint, of 4 records, came 2 (2 alert).", "ledger", "verify", "-c", config, "--since-checkpoint", kept, "--public-key", public)
	expect(t, 0, "Checkpoint of 6 records", "ledger", "checkpoint", "-c", config, "--key", key, "--out", kept)
	expect(t, 0, "bank.example/weir\n6\n", "ledger", "checkpoint", "-c", config, "--key", key)
	expect(t, 0, "is whole: 6 records (6 alert)", "ledger", "verify", "-c", config)
	expect(t, 0, "agrees with all 2 checkpoints", "ledger", "verify", "-c", config, "--since-checkpoint", kept, "--public-key", public)
	expect(t, 0, `"whole":true`, "ledger", "verify", "-c", config, "-o", "json")

	whole := expect(t, 0, "", "ledger", "print", "-c", config)
	copied := func(text string) string { return writeFile(t, filepath.Join(dir, "copy.ndjson"), text) }
	lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n"), "\n")
	expect(t, 0, "is whole", "ledger", "verify", "--input", copied(whole))
	cut := copied(strings.Join(lines[:5], ""))
	expect(t, 0, "is whole", "ledger", "verify", "--input", cut)
	expect(t, 1, "truncated at record 6", "ledger", "verify", "--input", cut, "--since-checkpoint", kept, "--public-key", public)
	expect(t, 1, `"kind":"truncated"`, "ledger", "verify", "--input", cut, "--since-checkpoint", kept, "--public-key", public, "-o", "json")
	expect(t, 1, "altered at record 3 (line 3)", "ledger", "verify", "--input", copied(strings.Replace(whole, `{"n":3}`, `{"n":4}`, 1)))
	publish(t, cl, "weir.suppressed", "", []byte(`{}`))
	expect(t, 1, "weir.ledger and weir.suppressed do not agree: inserted", "ledger", "verify", "-c", config)
	publish(t, cl, "weir.ledger", "", records[5])
	expect(t, 1, "is not whole: inserted at record 6", "ledger", "verify", "-c", config)

	expect(t, 0, "is whole", "ledger", "verify", "--input", copied(whole))

	text, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	forged := writeFile(t, filepath.Join(dir, "forged"), strings.Replace(string(text), "weir\n6\n", "weir\n5\n", 1))
	expect(t, 1, "forged: number 2: checking a checkpoint: the signature of bank.example/weir does not hold", "ledger", "verify", "--input", cut, "--since-checkpoint", forged, "--public-key", public)
	expect(t, 0, "is whole", "ledger", "verify", "--input", cut, "-c", config) // for whose word counts
	expect(t, 1, "missing at record 1", "ledger", "verify", "--input", copied(strings.Join(lines[2:], "")), "-c", config)
	expect(t, 2, "go together", "ledger", "verify", "--input", cut, "--public-key", public)
	expect(t, 2, "name the key with --key", "ledger", "checkpoint", "-c", config)
	expect(t, 2, "go together", "ledger", "checkpoint", "-c", config, "--key", key, "--witness", "https://witness.example")
	expect(t, 2, `no command "nosuch"`, "ledger", "nosuch")
	expect(t, 2, "or --before and no name", "erase", "user", "-c", config)
	expect(t, 2, "or --before and no name", "erase", "user", "kim", "--before", "2020-01-01", "-c", config)
	expect(t, 2, "want a day such as", "erase", "--before", "soon", "--reason", "old", "--dry-run", "-c", config)
	expect(t, 2, "is to come", "erase", "--before", "2999-01-01", "--reason", "old", "--dry-run", "-c", config)
	expect(t, 2, "weir ledger verify --help", "ledger", "verify", "extra")
	expect(t, 1, "weir ledger key", "ledger", "checkpoint", "-c", config, "--key", public)
	expect(t, 1, "is not signed: two records have the number 6", "ledger", "checkpoint", "-c", config, "--key", key)
}

// expect runs a command that must end with the code and say something, on
// stdout or stderr. It returns stdout.
func expect(t *testing.T, code int, says string, args ...string) string {
	t.Helper()
	got, stdout, stderr := weir(t, args...)
	if got != code || !strings.Contains(stdout+stderr, says) {
		t.Errorf("weir %s: exit code %d, want %d and %q\n%s%s", strings.Join(args, " "), got, code, says, stdout, stderr)
	}
	return stdout
}

// A checkpoint is posted as it would be printed, and signed like an alert.
func TestCheckpointByWebhook(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Checkpoint string }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := verifier.Verify(body, r.Header); err != nil {
			t.Error(err)
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	cl, config := newCluster(t)
	publish(t, cl, "weir.ledger", "", links(t, 3)...)
	file := writeFile(t, filepath.Join(t.TempDir(), "secret"), secret+"\n")
	key := filepath.Join(t.TempDir(), "ledger.key")
	expect(t, 0, "bank.example/weir+", "ledger", "key", "bank.example/weir", "--out", key)
	args := []string{"ledger", "checkpoint", "-c", config, "--key", key, "--webhook", server.URL}
	expect(t, 0, "Checkpoint of 3 records", append(args, "--webhook-secret-file", file)...)
	if !strings.HasPrefix(got.Checkpoint, "bank.example/weir\n3\n") {
		t.Errorf("posted was %+v", got)
	}
	server.Close()
	expect(t, 1, "sending the checkpoint", append(args, "--webhook-secret-file", file)...)
	expect(t, 2, "go together", args...)
}
