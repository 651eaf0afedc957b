package ledger

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/transparency-dev/formats/log"
	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint stands for the first records of a ledger. Kept where those who can write to
// the ledger cannot, it shows that those records are still what they were.
//
// Its form is that of transparency logs (C2SP tlog-checkpoint, a signed note): name of the
// log, number of records, root of the [Tree] over them. So witnesses that serve such logs
// can cosign it.
type Checkpoint struct {
	Origin    string // name of the log, which is that of its key
	Size      int64  // number of records
	Root      tlog.Hash
	Witnesses []string // names of those whose signature was checked too
	Note      []byte   // the signed text
}

// Sign returns the checkpoint of a tree that is not empty.
func Sign(tree *Tree, key note.Signer) (Checkpoint, error) {
	if tree.Size == 0 {
		return Checkpoint{}, errors.New("making a checkpoint: the ledger is empty")
	}
	root := tree.Root()
	text := log.Checkpoint{Origin: key.Name(), Size: uint64(tree.Size), Hash: root[:]}.Marshal()
	signed, err := note.Sign(&note.Note{Text: string(text)}, key)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("signing a checkpoint: %w", err)
	}
	return Checkpoint{Origin: key.Name(), Size: tree.Size, Root: root, Note: signed}, nil
}

// PublicKeys are those under which checkpoints are checked.
type PublicKeys struct {
	Ledger    note.Verifier
	Witnesses []note.Verifier
}

// Open reads a checkpoint, which must be signed with the ledger's key.
func (k *PublicKeys) Open(signed []byte) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(slices.Concat(k.Witnesses, []note.Verifier{k.Ledger})...))
	var forged *note.InvalidSignatureError
	var unknown *note.UnverifiedNoteError
	switch {
	case errors.As(err, &forged):
		return Checkpoint{}, fmt.Errorf("checking a checkpoint: the signature of %s does not hold: it was changed, or forged", forged.Name)
	case errors.As(err, &unknown):
		return Checkpoint{}, fmt.Errorf("checking a checkpoint: it is not signed with the key %s of %s", keyID(k.Ledger), k.Ledger.Name())
	case err != nil:
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: %w", err)
	}
	var body log.Checkpoint
	if _, err := body.Unmarshal([]byte(n.Text)); err != nil {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: %w", err)
	}
	c := Checkpoint{Origin: body.Origin, Size: int64(body.Size), Note: signed}
	if copy(c.Root[:], body.Hash) != len(body.Hash) || len(body.Hash) != len(c.Root) || c.Size < 1 {
		return Checkpoint{}, fmt.Errorf("reading a checkpoint: %d records and a hash of %d bytes: want at least 1, and %d", body.Size, len(body.Hash), len(c.Root))
	}
	own := false
	for _, s := range n.Sigs {
		if s.Hash == k.Ledger.KeyHash() && s.Name == k.Ledger.Name() {
			own = true
		} else {
			c.Witnesses = append(c.Witnesses, s.Name)
		}
	}
	if !own || c.Origin != k.Ledger.Name() {
		return Checkpoint{}, fmt.Errorf("checking a checkpoint: it is of %s and lacks a signature of %s with the key %s", c.Origin, k.Ledger.Name(), keyID(k.Ledger))
	}
	return c, nil
}

func keyID(v note.Verifier) string { return fmt.Sprintf("%08x", v.KeyHash()) }

// SplitNotes returns the signed notes of a text that holds several, an empty line after
// each.
func SplitNotes(text []byte) (notes [][]byte) {
	for {
		body, rest, ok := bytes.Cut(text, []byte("\n\n"))
		if !ok {
			if len(bytes.TrimSpace(text)) > 0 {
				notes = append(notes, text) // no note, which the reader will say
			}
			return notes
		}
		signatures, after, _ := bytes.Cut(rest, []byte("\n\n"))
		signed := append(append(bytes.TrimLeft(body, "\n"), "\n\n"...), bytes.TrimRight(signatures, "\n")...)
		notes, text = append(notes, append(signed, '\n')), after
	}
}

const howKey = "make one with: weir ledger key NAME --out ledger.key"

// NewKey makes a key to sign checkpoints with, and the public key that goes with it. The
// name is that of the ledger as a log, such as bank.example/weir.
func NewKey(name string) (private, public string, err error) {
	if private, public, err = note.GenerateKey(rand.Reader, name); err != nil {
		return "", "", fmt.Errorf("making a key: %w", err)
	}
	if _, err := note.NewVerifier(public); err != nil {
		return "", "", fmt.Errorf("making a key: %q is no name of a ledger; want one without spaces and without +, such as bank.example/weir", name)
	}
	return private, public, nil
}

// ParseSigner reads a key to sign checkpoints with. Its error does not quote the key.
func ParseSigner(text []byte) (note.Signer, error) {
	signer, err := note.NewSigner(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, errors.New("reading the signing key: it is no private key of a signed note; " + howKey)
	}
	return signer, nil
}

// ParsePublicKeys reads the public key of the ledger, and of the witnesses, one a line
// after it. A witness signs with the time at which it saw the checkpoint (C2SP
// tlog-cosignature).
func ParsePublicKeys(text []byte) (*PublicKeys, error) {
	var out PublicKeys
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if out.Ledger == nil {
			var err error
			if out.Ledger, err = note.NewVerifier(line); err != nil {
				return nil, errors.New("reading the public key of the ledger: it is none of a signed note; `weir ledger key` prints it")
			}
			continue
		}
		witness, err := cosignature.NewVerifierForCosignatureV1(line)
		if err != nil {
			return nil, fmt.Errorf("reading the public key of a witness: %w", err)
		}
		out.Witnesses = append(out.Witnesses, witness)
	}
	if out.Ledger == nil {
		return nil, errors.New("reading the public key of the ledger: there is none; `weir ledger key` prints it")
	}
	return &out, nil
}
