package checkpoint

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/weirhq/weir/ledger"
)

// witness serves the protocol of C2SP tlog-witness for one log.
type witness struct {
	t      *testing.T
	log    *ledger.PublicKeys
	signer note.Signer
	seen   ledger.Checkpoint
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.URL.Path != "/log/add-checkpoint" {
		w.t.Error(r.URL, err)
	}
	head, signed, _ := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	c, err := w.log.Open(signed)
	if err != nil {
		rw.WriteHeader(http.StatusForbidden)
		return
	}
	if lines[0] != fmt.Sprintf("old %d", w.seen.Size) {
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		rw.WriteHeader(http.StatusConflict)
		fmt.Fprintln(rw, w.seen.Size)
		return
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			w.t.Error(err)
		}
		proof = append(proof, h)
	}
	if w.seen.Size > 0 && tlog.CheckTree(proof, c.Size, c.Root, w.seen.Size, w.seen.Root) != nil {
		rw.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	text, _, _ := bytes.Cut(signed, []byte("\n\n"))
	cosigned, err := note.Sign(&note.Note{Text: string(text) + "\n"}, w.signer)
	if err != nil {
		w.t.Error(err)
	}
	_, signatures, _ := bytes.Cut(cosigned, []byte("\n\n"))
	w.seen = c
	_, _ = rw.Write(signatures)
}

// A witness that has seen a ledger signs what goes on from it and nothing else, also where
// what it has seen was deleted since.
func TestWitness(t *testing.T) {
	key := func(name string) (private, public string) {
		private, public, err := ledger.NewKey(name)
		if err != nil {
			t.Fatal(err)
		}
		return private, public
	}
	private, public := key("bank.example/weir")
	witnessPrivate, witnessPublic := key("witness.example")
	signer, err := ledger.ParseSigner([]byte(private))
	if err != nil {
		t.Fatal(err)
	}
	cosigner, err := cosignature.NewSignerForCosignatureV1(witnessPrivate)
	if err != nil {
		t.Fatal(err)
	}
	if witnessPublic, err = cosignature.VKeyToCosignatureV1(witnessPublic); err != nil {
		t.Fatal(err)
	}
	keys, err := ledger.ParsePublicKeys([]byte(public + "\n" + witnessPublic))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&witness{t: t, log: keys, signer: cosigner})
	defer server.Close()
	w := Witness{URL: server.URL + "/log/", Client: server.Client()}
	askCut := func(records [][]byte, gone int) (ledger.Checkpoint, error) {
		var tree ledger.Tree
		var cut *ledger.Cut
		for i, r := range records {
			if i == gone && gone > 0 {
				cut = &ledger.Cut{Head: ledger.Head{Seq: int64(gone)}, Tree: tree}
			}
			tree.Add(r)
		}
		c, err := ledger.Sign(&tree, signer)
		if err != nil {
			t.Fatal(err)
		}
		return w.Cosign(t.Context(), &c, cut, records[gone:], keys)
	}
	ask := func(records [][]byte) (ledger.Checkpoint, error) { return askCut(records, 0) }
	records, _ := chain(t, 12)
	for _, n := range []int{3, 3, 8} {
		if got, err := ask(records[:n]); err != nil || !slices.Equal(got.Witnesses, []string{"witness.example"}) {
			t.Errorf("of %d records: %+v, %v", n, got, err)
		}
	}
	if _, err := ask(records[:7]); err == nil || !strings.Contains(err.Error(), "it has seen 8 records, and the ledger has 7") {
		t.Errorf("a ledger that was cut off: %v", err)
	}
	anew := slices.Clone(records)
	anew[2] = []byte("forged")
	if _, err := ask(anew); err == nil || !strings.Contains(err.Error(), "422") {
		t.Errorf("a ledger that was written anew: %v", err)
	}
	if got, err := askCut(records[:9], 7); err != nil || got.Size != 9 || len(got.Witnesses) != 1 {
		t.Errorf("where records were deleted that it has seen: %+v, %v", got, err)
	}
	if _, err := askCut(records, 10); err == nil || !strings.Contains(err.Error(), "the records up to 10 were deleted") {
		t.Errorf("where records were deleted that it has not seen: %v", err)
	}
}
