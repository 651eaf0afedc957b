package checkpoint

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/ledger"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// sample is an unsigned checkpoint of a chain of one record.
func sample(t *testing.T) *ledger.Checkpoint {
	t.Helper()
	_, head, err := ledger.Append(ledger.Head{}, ledger.Alert, time.Unix(1_772_550_000, 0), []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	c, err := ledger.NewCheckpoint("weir.ledger", head, time.Unix(1_772_550_100, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &c
}

// What a configuration sends goes to the webhook and then to the file: while the
// webhook fails the file gets nothing, so that it holds no checkpoint twice.
func TestFromConfig(t *testing.T) {
	status := http.StatusInternalServerError
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer server.Close()
	c := config.Default()
	if none, err := FromConfig(c); none != nil || err != nil {
		t.Errorf("by default it sends %v, %v", none, err)
	}
	file := filepath.Join(t.TempDir(), "checkpoints")
	c.Ledger.CheckpointFile, c.Ledger.URL, c.Ledger.Secret = file, config.NewSecret(server.URL), config.NewSecret(secret)
	k, err := FromConfig(c)
	if err != nil || k.To != "file, webhook" {
		t.Fatalf("%+v, %v", k, err)
	}
	want := sample(t)
	if err := k.Send(t.Context(), want); err == nil {
		t.Error("a webhook that fails is no error")
	}
	if got, err := Read([]string{file}, nil); err == nil {
		t.Errorf("the file holds %v", got)
	}
	status = http.StatusOK
	for range 2 {
		if err := k.Send(t.Context(), want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read([]string{file}, nil)
	if err != nil || len(got) != 2 || got[1].Hash != want.Hash || !got[1].At.Equal(want.At) {
		t.Errorf("the file holds %+v, %v", got, err)
	}
}
