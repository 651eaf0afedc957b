package checkpoint

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/ledger"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// chain returns a ledger of n records and the tree over them.
func chain(t *testing.T, n int) (records [][]byte, tree *ledger.Tree) {
	t.Helper()
	var head ledger.Head
	tree = &ledger.Tree{}
	for range n {
		b, next, err := ledger.Append(head, ledger.Alert, time.Unix(1_772_550_000, 0), []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		tree.Add(b)
		records, head = append(records, b), next
	}
	return records, tree
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
	dir := t.TempDir()
	private, public, err := ledger.NewKey("bank.example/weir")
	if err != nil {
		t.Fatal(err)
	}
	keyFile, file := filepath.Join(dir, "ledger.key"), filepath.Join(dir, "checkpoints")
	if err := os.WriteFile(keyFile, []byte(private), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := ledger.ParsePublicKeys([]byte(public))
	if err != nil {
		t.Fatal(err)
	}
	c.Ledger.KeyFile = keyFile
	c.Ledger.CheckpointFile, c.Ledger.URL, c.Ledger.Secret = file, config.NewSecret(server.URL), config.NewSecret(secret)
	k, err := FromConfig(c)
	if err != nil || k.To != "file, webhook" {
		t.Fatalf("%+v, %v", k, err)
	}
	_, tree := chain(t, 3)
	want, err := ledger.Sign(tree, k.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Send(t.Context(), &want); err == nil {
		t.Error("a webhook that fails is no error")
	}
	if got, err := Read([]string{file}, keys); err == nil {
		t.Errorf("the file holds %v", got)
	}
	status = http.StatusOK
	for range 2 {
		if err := k.Send(t.Context(), &want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read([]string{file}, keys)
	if err != nil || len(got) != 2 || got[1].Root != want.Root {
		t.Errorf("the file holds %+v, %v", got, err)
	}
}
