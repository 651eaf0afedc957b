// Package authority says who may judge an episode, and proves that a verdict is
// theirs. Whoever can write to weir.verdicts is nobody by that.
//
// A verdict comes in through [Submit], which says who gives it and signs it. There
// are two proofs of that: [PrivateKey], the Ed25519 key of a person or a role whose
// public key is in the configuration; and [Authority.Vouch], by which a process of
// the deployment that has authenticated its user itself (Slack's signature and the
// list of users, a login of the console) signs under a key of the deployment.
// Correlate asks [Authority.Check] of each record that it reads.
//
// A refusal is an error that says why, for the ledger and for people. Nothing else
// fails but writing.
package authority

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/stream/correlate"
)

// Author is somebody who signs verdicts with a key of their own: a person or a role.
type Author struct {
	Name      string
	PublicKey ed25519.PublicKey
}

// Authority knows whose verdicts count.
type Authority struct {
	secret  []byte // of the deployment
	authors []Author
}

// New returns an Authority of a deployment. secret is a key of the deployment that
// nobody else knows.
func New(secret [32]byte, authors []Author) *Authority {
	return &Authority{secret: secret[:], authors: authors}
}

// Proof is how weir knows that an author is who he says.
type Proof func(v *correlate.Verdict) error

// entrances are the ways in whose users a process of the deployment authenticates. The
// names of their authors begin with the way in, so that nobody of one can speak as
// somebody of another.
var entrances = []string{"slack", "console"}

// Vouch returns the proof of an author whom this process has authenticated, as a user
// of a way in: "slack" or "console". The author's name becomes the way in, a colon,
// and his name there.
func (a *Authority) Vouch(via string) Proof {
	return func(v *correlate.Verdict) error {
		if !known(via) {
			return fmt.Errorf("vouching for an author: there is no way in %q; want one of %s", via, strings.Join(entrances, ", "))
		}
		v.Via, v.Author = via, via+":"+v.Author
		v.Signature = hex.EncodeToString(a.mac(v))
		return nil
	}
}

// Unproven returns the proof of nobody: the verdict of somebody who is authenticated, but
// may not judge. It is written all the same, and refused for all to see.
func Unproven(via string) Proof {
	return func(v *correlate.Verdict) error {
		v.Via, v.Author = via, via+":"+v.Author
		return nil
	}
}

// PrivateKey returns the proof of an author who signs himself. His name is the one under
// which the configuration has his public key.
func (a *Authority) PrivateKey(key ed25519.PrivateKey) Proof {
	return func(v *correlate.Verdict) error {
		public, _ := key.Public().(ed25519.PublicKey)
		for i := range a.authors {
			if a.authors[i].PublicKey.Equal(public) {
				v.Via, v.Author = viaKey, a.authors[i].Name
				v.Signature = hex.EncodeToString(ed25519.Sign(key, v.Signed()))
				return nil
			}
		}
		return errors.New("signing a verdict: no author of the configuration has this key; add its public key to verdicts.authors")
	}
}

// viaKey is the way in of those who sign with a key of their own.
const viaKey = "key"

func known(via string) bool {
	for _, name := range entrances {
		if name == via {
			return true
		}
	}
	return false
}

func (a *Authority) mac(v *correlate.Verdict) []byte {
	mac := hmac.New(sha256.New, a.secret)
	mac.Write(v.Signed())
	return mac.Sum(nil)
}

// Check returns why a verdict does not count, nil if it does. It is a function of the
// verdict and the configuration.
func (a *Authority) Check(v *correlate.Verdict) error {
	signature, err := hex.DecodeString(v.Signature)
	switch {
	case v.Signature == "" && known(v.Via):
		return errors.New("its author is none of those who may judge")
	case v.Signature == "":
		return errors.New("it is not signed")
	case err != nil:
		return errors.New("its signature is no hexadecimal number")
	case v.Via == viaKey:
		return a.checkKey(v, signature)
	case !known(v.Via):
		return fmt.Errorf("it came by a way that there is not, %q", alerting.Printable(v.Via, 40))
	case !strings.HasPrefix(v.Author, v.Via+":"):
		return errors.New("its author is none of the way by which it came")
	case !hmac.Equal(signature, a.mac(v)):
		return errors.New("its signature is not the deployment's: it was changed, forged, or made under another record key")
	}
	return nil
}

func (a *Authority) checkKey(v *correlate.Verdict, signature []byte) error {
	for i := range a.authors {
		if a.authors[i].Name != v.Author {
			continue
		}
		if ed25519.Verify(a.authors[i].PublicKey, v.Signed(), signature) {
			return nil
		}
	}
	return errors.New("its signature is not that of the author whom it names, or the configuration has no such author")
}

// Writer writes a record to the topic of verdicts, and returns once it is there to stay.
type Writer func(ctx context.Context, key, value []byte) error

// By is who gives a verdict, and the proof of that.
type By struct {
	Author string // the name at the way in; PrivateKey puts that of the configuration in its place
	Proof  Proof
}

// Submit is the way in for a verdict. It completes the verdict: the id, where there is
// none; the author; until when something is expected, where nothing is said; and the
// signature. It writes it, and returns what was written. Whether it takes effect,
// correlate decides: an episode must have been sent to people before.
func Submit(ctx context.Context, write Writer, v correlate.Verdict, by By) (correlate.Verdict, error) {
	if v.Time == 0 {
		v.Time = alerting.Time(time.Now().UnixMilli())
	}
	if v.ID == "" {
		id := make([]byte, 12)
		_, _ = rand.Read(id) // never fails
		v.ID = hex.EncodeToString(id)
	}
	if v.Kind == correlate.Expected && v.Expires == 0 {
		v.Expires = v.Time + alerting.Time(correlate.ExpectedFor)
	}
	v.Author = by.Author
	if by.Proof == nil {
		return v, errors.New("submitting a verdict: there is no proof of its author")
	}
	if err := by.Proof(&v); err != nil {
		return v, err
	}
	value, err := v.Encode()
	if err != nil {
		return v, err
	}
	if err := write(ctx, []byte(v.DedupKey), value); err != nil {
		return v, fmt.Errorf("writing a verdict: %w", err)
	}
	return v, nil
}
