package ledger

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// treeOf is the tree over records.
func treeOf(records ...[]byte) *Tree {
	var tree Tree
	for _, r := range records {
		tree.Add(r)
	}
	return &tree
}

// pair makes a key and its public key.
func pair(t testing.TB, name string) (note.Signer, *PublicKeys) {
	t.Helper()
	private, public, err := NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ParseSigner([]byte(private + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParsePublicKeys([]byte(public + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return signer, keys
}

// checkpointOf is a checkpoint of records.
func checkpointOf(t testing.TB, records ...[]byte) Checkpoint {
	t.Helper()
	signer, _ := pair(t, "bank.example/weir")
	c, err := Sign(treeOf(records...), signer)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The root is that of RFC 6962, whatever was added after the tree was copied; and the
// proof that records were only added is taken by who checks it, also where old ones are gone.
func TestTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var records [][]byte
		var stored []tlog.Hash
		reader := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
			for _, i := range at {
				out = append(out, stored[i])
			}
			return out, nil
		})
		var tree Tree
		var roots []tlog.Hash
		for i := range rapid.IntRange(1, 70).Draw(t, "records") {
			records = append(records, fmt.Appendf(nil, "record %d", i))
			more, err := tlog.StoredHashes(int64(i), records[i], reader)
			if err != nil {
				t.Fatal(err)
			}
			stored = append(stored, more...)
			before := tree
			tree.Add(records[i])
			before.Add([]byte("another"))
			want, err := tlog.TreeHash(int64(i+1), reader)
			if err != nil || tree.Root() != want {
				t.Fatalf("of %d records the root is %v, want %v, %v", i+1, tree.Root(), want, err)
			}
			roots = append(roots, want)
		}
		old := rapid.IntRange(1, len(records)).Draw(t, "old")
		gone := rapid.IntRange(0, old).Draw(t, "deleted")
		lines, err := ProveSince(int64(old), &Cut{Head: Head{Seq: int64(gone)}, Tree: *treeOf(records[:gone]...)}, records[gone:])
		if err != nil {
			t.Fatal(err)
		}
		var proof tlog.TreeProof
		for line := range strings.Lines(string(lines)) {
			h, err := tlog.ParseHash(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			proof = append(proof, h)
		}
		if err := tlog.CheckTree(proof, int64(len(records)), tree.Root(), int64(old), roots[old-1]); err != nil {
			t.Error(err)
		}
	})
}

// A checkpoint is what every reader of transparency logs takes, and nobody else can make it.
func TestCheckpoint(t *testing.T) {
	records, _ := chain(t, 5)
	signer, keys := pair(t, "bank.example/weir")
	c, err := Sign(treeOf(records...), signer)
	if err != nil {
		t.Fatal(err)
	}
	root := c.Root
	head := "bank.example/weir\n5\n" + base64.StdEncoding.EncodeToString(root[:]) + "\n\n\u2014 bank.example/weir "
	if !strings.HasPrefix(string(c.Note), head) {
		t.Errorf("it is\n%swant\n%s", c.Note, head)
	}
	read, err := keys.Open(c.Note)
	if err != nil || read.Size != 5 || read.Root != c.Root {
		t.Errorf("read is %+v, %v", read, err)
	}
	_, others := pair(t, "bank.example/weir")
	if _, err := others.Open(c.Note); err == nil || !strings.Contains(err.Error(), "it is not signed with the key") {
		t.Errorf("under another key: %v", err)
	}
	forged := strings.Replace(string(c.Note), "\n5\n", "\n4\n", 1)
	if _, err := keys.Open([]byte(forged)); err == nil || !strings.Contains(err.Error(), "does not hold") {
		t.Errorf("changed: %v", err)
	}
	if _, err := keys.Open([]byte("hello")); err == nil {
		t.Error("what is no note is taken")
	}
	other, err := note.Sign(&note.Note{Text: "other.example\n5\n" + base64.StdEncoding.EncodeToString(root[:]) + "\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Open(other); err == nil || !strings.Contains(err.Error(), "is of other.example") {
		t.Errorf("of another log: %v", err)
	}
	if _, err := Sign(&Tree{}, signer); err == nil {
		t.Error("an empty ledger has a checkpoint")
	}
}

// A witness's signature is told, and does not take the place of the ledger's own.
func TestWitnessSignature(t *testing.T) {
	private, public, err := NewKey("witness.example")
	if err != nil {
		t.Fatal(err)
	}
	if public, err = cosignature.VKeyToCosignatureV1(public); err != nil {
		t.Fatal(err)
	}
	witness, err := cosignature.NewSignerForCosignatureV1(private)
	if err != nil {
		t.Fatal(err)
	}
	private, own, err := NewKey("bank.example/weir")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ParseSigner([]byte(private))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParsePublicKeys([]byte(own + "\n\n" + public + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	records, _ := chain(t, 3)
	c, err := Sign(treeOf(records...), signer)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(c.Note), "\n\n")
	signed := func(by ...note.Signer) []byte {
		b, err := note.Sign(&note.Note{Text: text + "\n"}, by...)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if got, err := keys.Open(signed(signer, witness)); err != nil || !slices.Equal(got.Witnesses, []string{"witness.example"}) {
		t.Errorf("signed by both: %+v, %v", got, err)
	}
	if _, err := keys.Open(signed(witness)); err == nil || !strings.Contains(err.Error(), "lacks a signature of bank.example/weir") {
		t.Errorf("signed by the witness alone: %v", err)
	}
}

// Checkpoints find what chain and state cannot: a ledger that was written anew from some
// record on. What is told is between which checkpoints that was, and what came after.
func TestSinceCheckpoint(t *testing.T) {
	records, heads := chain(t, 6)
	early, late := checkpointOf(t, records[:2]...), checkpointOf(t, records[:4]...)
	got := verify(records, heads[5], late, early)
	if got.Fault != nil || got.Since[Suppression] != 1 || got.Since[Alert] != 1 || len(got.Since) != 2 {
		t.Errorf("the whole ledger: %+v, since the newest %v", got.Fault, got.Since)
	}
	if got := verify(records[:3], Head{}, early, late); got.Fault == nil || got.Fault.Kind != Truncated || got.Fault.Seq != 4 {
		t.Errorf("without its end: %+v", got.Fault)
	}
	forged, head := slices.Clone(records[:2]), heads[1] // all is written anew after the second record
	for i := range 4 {
		next, to, err := Append(head, Alert, epoch, fmt.Appendf(nil, `{"n":%d}`, i))
		if err != nil {
			t.Fatal(err)
		}
		forged, head = append(forged, next), to
	}
	got = verify(forged, head, late, early)
	if f := got.Fault; f == nil || f.Kind != Rewritten || f.Seq != 4 || !strings.Contains(f.Text, "they are after record 2, up to which the checkpoint before agrees") {
		t.Errorf("written anew: %+v", f)
	}
	if got := verify(forged, head); got.Fault != nil {
		t.Errorf("without a checkpoint that is found all the same: %+v", got.Fault)
	}
}

// A file of checkpoints is what was appended to it; a torn one is no checkpoint.
func TestSplitNotes(t *testing.T) {
	records, _ := chain(t, 5)
	signer, keys := pair(t, "bank.example/weir")
	var file []byte
	for n := range 3 {
		c, err := Sign(treeOf(records[:n+1]...), signer)
		if err != nil {
			t.Fatal(err)
		}
		file = append(append(file, c.Note...), '\n')
	}
	notes := SplitNotes(file)
	for i, signed := range notes {
		if c, err := keys.Open(signed); err != nil || c.Size != int64(i+1) {
			t.Errorf("number %d is %+v, %v", i+1, c, err)
		}
	}
	if len(notes) != 3 {
		t.Errorf("the file holds %d", len(notes))
	}
	if notes := SplitNotes(append(file, "bank.example/weir\n4"...)); len(notes) != 4 {
		t.Errorf("with a torn one the file holds %d", len(notes))
	} else if _, err := keys.Open(notes[3]); err == nil {
		t.Error("a torn checkpoint is taken")
	}
}

func TestKeys(t *testing.T) {
	for _, name := range []string{"", "two words", "a+b"} {
		if _, _, err := NewKey(name); err == nil || !strings.Contains(err.Error(), "such as bank.example/weir") {
			t.Errorf("a key is named %q: %v", name, err)
		}
	}
	for _, text := range []string{"", "hunter2", "PRIVATE+KEY+a+12345678+hunter2"} {
		if _, err := ParseSigner([]byte(text)); err == nil || !strings.Contains(err.Error(), "weir ledger key") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
	_, public, err := NewKey("a.example")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"": "there is none", "hello": "`weir ledger key` prints it", public + "\nhello": "of a witness"} {
		if _, err := ParsePublicKeys([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
