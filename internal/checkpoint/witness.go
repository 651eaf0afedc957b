package checkpoint

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/ledger"
)

const (
	witnessTimeout = 30 * time.Second
	witnessAnswer  = 64 << 10 // bytes of an answer that are read
)

// Witness is asked for its signature on a checkpoint, by the protocol of C2SP
// tlog-witness. It signs only if the ledger goes on from what it has seen before.
type Witness struct {
	URL    string // without its add-checkpoint
	Client *http.Client
}

// Cosign returns the checkpoint with the signature of the witness, which must be one of
// the keys. records are those of the checkpoint, as they stand on the topic; cut is where
// they begin, nil: with the first.
func (w *Witness) Cosign(ctx context.Context, c *ledger.Checkpoint, cut *ledger.Cut, records [][]byte, keys *ledger.PublicKeys) (ledger.Checkpoint, error) {
	seen := int64(0) // a guess; a witness that knows better answers with what it has seen
	for range 2 {
		status, answer, err := w.ask(ctx, seen, c, cut, records)
		if err != nil {
			return *c, fmt.Errorf("asking the witness: %w", err)
		}
		switch size, err := strconv.ParseInt(strings.TrimSpace(string(answer)), 10, 64); {
		case status == http.StatusOK:
			return cosigned(c, answer, keys)
		case status != http.StatusConflict || err != nil:
			return *c, fmt.Errorf("asking the witness: it answers %d %s: %.200q", status, http.StatusText(status), answer)
		case size > c.Size:
			return *c, fmt.Errorf("asking the witness: it has seen %d records, and the ledger has %d: the end was cut off", size, c.Size)
		default:
			seen = size
		}
	}
	return *c, fmt.Errorf("asking the witness: what it has seen changed meanwhile; ask again")
}

// ask posts the checkpoint with the proof that it follows from what was seen.
func (w *Witness) ask(ctx context.Context, seen int64, c *ledger.Checkpoint, cut *ledger.Cut, records [][]byte) (status int, answer []byte, err error) {
	proof, err := ledger.ProveSince(seen, cut, records)
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, witnessTimeout)
	defer cancel()
	body := slices.Concat(fmt.Appendf(nil, "old %d\n", seen), proof, []byte("\n"), c.Note)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(w.URL, "/")+"/add-checkpoint", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	resp, err := w.Client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, witnessAnswer))
	return resp.StatusCode, answer, err
}

// cosigned adds the lines of signatures of an answer to a checkpoint.
func cosigned(c *ledger.Checkpoint, lines []byte, keys *ledger.PublicKeys) (ledger.Checkpoint, error) {
	signed, err := keys.Open(slices.Concat(c.Note, lines))
	if err != nil {
		return *c, err
	}
	if len(signed.Witnesses) == 0 {
		return *c, fmt.Errorf("asking the witness: its signature is by none of the keys of witnesses that were given")
	}
	return signed, nil
}
