package authority

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream/correlate"
)

func keyOf(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))
}

func authorOf(name string, seed byte) Author {
	return Author{name, keyOf(seed).Public().(ed25519.PublicKey)}
}

// submit returns what Submit writes.
func submit(t *testing.T, v correlate.Verdict, by By) *correlate.Verdict {
	t.Helper()
	var written []byte
	_, err := Submit(t.Context(), func(_ context.Context, _, value []byte) error {
		written = value
		return nil
	}, v, by)
	if err != nil {
		t.Fatal(err)
	}
	out, err := correlate.DecodeVerdict(written)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A verdict counts if its author is known, whichever way he came, and as nobody else.
func TestCheck(t *testing.T) {
	a := New([32]byte{1}, []Author{authorOf("kim", 'k'), authorOf("lee", 'l')})
	v := correlate.Verdict{Kind: correlate.Confirmed, DedupKey: "weir-1", Time: 5}
	for want, by := range map[string]By{
		"kim": {Proof: a.PrivateKey(keyOf('k'))}, "slack:U1": {"U1", a.Vouch("slack")}, "console:lee": {"lee", a.Vouch("console")},
	} {
		got := submit(t, v, by)
		if err := a.Check(got); err != nil || got.Author != want {
			t.Errorf("by %s: author %q, %v", want, got.Author, err)
		}
		if other := New([32]byte{2}, []Author{authorOf("kim", 'x')}); other.Check(got) == nil {
			t.Errorf("by %s: another deployment takes it", want)
		}
		for what, change := range map[string]func(v *correlate.Verdict){
			"the author":    func(v *correlate.Verdict) { v.Author = "lee" },
			"the kind":      func(v *correlate.Verdict) { v.Kind = correlate.Reopened },
			"the episode":   func(v *correlate.Verdict) { v.DedupKey = "weir-2" },
			"the expiry":    func(v *correlate.Verdict) { v.Expires = 9 },
			"the time":      func(v *correlate.Verdict) { v.Time++ },
			"the id":        func(v *correlate.Verdict) { v.ID += "0" },
			"the reason":    func(v *correlate.Verdict) { v.Reason = "harmless" },
			"the way":       func(v *correlate.Verdict) { v.Via = "console" + v.Via },
			"no signature":  func(v *correlate.Verdict) { v.Signature = "" },
			"another's key": func(v *correlate.Verdict) { v.Signature = hex.EncodeToString(ed25519.Sign(keyOf('l'), v.Signed())) },
		} {
			forged := *got
			change(&forged)
			if a.Check(&forged) == nil {
				t.Errorf("by %s: %s was changed, and it counts", want, what)
			}
		}
	}
}

// One way in speaks for nobody of another, nor for those who sign themselves.
func TestVouchStaysInItsWay(t *testing.T) {
	a := New([32]byte{1}, []Author{authorOf("kim", 'k')})
	v := correlate.Verdict{ID: "1", Kind: correlate.Confirmed, DedupKey: "weir-1", Time: 5, Author: "kim", Via: "key"}
	v.Signature = hex.EncodeToString(a.mac(&v))
	if a.Check(&v) == nil {
		t.Error("the deployment speaks as somebody who signs himself")
	}
	v.Via, v.Author = "slack", "console:kim"
	v.Signature = hex.EncodeToString(a.mac(&v))
	if a.Check(&v) == nil {
		t.Error("Slack speaks as somebody of the console")
	}
	if _, err := Submit(t.Context(), nil, v, By{"kim", a.Vouch("key")}); err == nil {
		t.Error("a way in that there is not is taken")
	}
}

// Submit completes a verdict, and refuses what has no proof, a strange key or too long a
// time.
func TestSubmit(t *testing.T) {
	a := New([32]byte{1}, []Author{authorOf("kim", 'k')})
	v := correlate.Verdict{Kind: correlate.Expected, DedupKey: "weir-1", Time: 5, Reason: "audit"}
	got := submit(t, v, By{Proof: a.PrivateKey(keyOf('k'))})
	if got.ID == "" || got.Expires != alerting.Time(5+7*eventtime.Day) {
		t.Errorf("completed to %+v", got)
	}
	long := v
	long.Expires = alerting.Time(5 + 91*eventtime.Day)
	broken := errors.New("no broker")
	for want, c := range map[string]struct {
		v  correlate.Verdict
		by By
	}{
		"no proof":          {v, By{Author: "kim"}},
		"has this key":      {v, By{Proof: a.PrivateKey(keyOf('x'))}},
		"at most":           {long, By{Proof: a.PrivateKey(keyOf('k'))}},
		broken.Error():      {v, By{"U1", a.Vouch("slack")}},
		"without dedup_key": {correlate.Verdict{Kind: correlate.Confirmed}, By{"U1", a.Vouch("slack")}},
	} {
		_, err := Submit(t.Context(), func(context.Context, []byte, []byte) error { return broken }, c.v, c.by)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %q", err, want)
		}
	}
}
