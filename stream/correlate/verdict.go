package correlate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/internal/eventtime"
)

// Verdict is what a person says of an episode or a campaign: one record of
// weir.verdicts, appended by the command line, by a button in a message or by
// an API, and never changed. Correlate reads them in the order of the topic.
type Verdict struct {
	ID       string        `json:"id"`   // names the verdict
	Time     alerting.Time `json:"time"` // when it was given, by the clock; for people
	Kind     VerdictKind   `json:"kind"`
	DedupKey string        `json:"dedup_key"` // of the episode or campaign
	Author   string        `json:"author"`    // who says so
	Reason   string        `json:"reason,omitempty"`
	// Assignee is who holds it from now on, with Assigned; empty: the author. With Asked,
	// who is asked.
	Assignee string `json:"assignee,omitempty"`
	// Expires is until when, in event time, Expected holds.
	Expires alerting.Time `json:"expires,omitzero"`
	// Via is the way by which it came in, and Signature proves that it is the author's;
	// see package authority.
	Via       string `json:"via,omitempty"`
	Signature string `json:"signature,omitempty"` // hexadecimal
}

// How long something may be expected, in milliseconds: nothing is so for ever.
const (
	ExpectedFor    = 7 * eventtime.Day  // where the author does not say
	ExpectedAtMost = 90 * eventtime.Day // from when the verdict is given, and from when it takes effect
)

// VerdictKind is what a verdict says.
type VerdictKind string

// The verdicts.
const (
	// Acknowledged: somebody looks at it. Reminders stop; what is material is
	// still told.
	Acknowledged VerdictKind = "acknowledge"
	// Expected: it is known and harmless. What the identity does in that
	// dimension is held back until the verdict expires, and listed.
	Expected VerdictKind = "expected"
	// Confirmed: it is a leak. Its interval is taken out of the baseline and
	// the episode ranks as critical.
	Confirmed VerdictKind = "confirmed"
	// Reopened takes back whatever was said before.
	Reopened VerdictKind = "reopened"
	// Assigned: somebody holds it. It says nothing of what it was.
	Assigned VerdictKind = "assigned"
	// Released: nobody holds it any more.
	Released VerdictKind = "released"
	// Extracted: the author was given the list of the customers that it has touched.
	Extracted VerdictKind = "extracted"
	// Asked: a question went to whom Assignee names, see package ask.
	Asked VerdictKind = "asked"
	// Affirmed: who was asked says that it was meant. It is a note, and lowers nothing.
	Affirmed VerdictKind = "affirmed"
	// Denied: who was asked says that it was not. It is the fact disowned.
	Denied VerdictKind = "denied"
	// Erased: the person whose pseudonym DedupKey is, is shown by it from now on.
	Erased VerdictKind = "erased"
	// Cut: old records of the ledger are deleted, as the ledger.Cut in DedupKey says.
	Cut VerdictKind = "cut"
)

var kinds = []VerdictKind{Acknowledged, Expected, Confirmed, Reopened, Assigned, Released, Extracted, Asked, Affirmed, Denied, Erased, Cut}

// Judges reports whether the kind says what an episode is, or takes that back.
func (k VerdictKind) Judges() bool {
	return k == Acknowledged || k == Expected || k == Confirmed || k == Reopened
}

// Holder returns who holds an episode after a verdict, where before held it. Empty:
// nobody.
func (v *Verdict) Holder(before string) string {
	switch v.Kind {
	case Assigned:
		return cmp.Or(v.Assignee, v.Author)
	case Acknowledged, Confirmed:
		return cmp.Or(before, v.Author)
	case Reopened, Expected, Released:
		return ""
	}
	return before
}

// Bounds of a verdict's texts, in bytes.
const maxVerdictText = 2000

// Validate reports what is wrong with a verdict, so that tools refuse it before
// it is appended.
func (v *Verdict) Validate() error {
	if !slices.Contains(kinds, v.Kind) {
		return fmt.Errorf("a verdict of kind %q: want one of %s", v.Kind, kinds)
	}
	switch {
	case v.ID == "":
		return fmt.Errorf("a verdict without id")
	case v.DedupKey == "":
		return fmt.Errorf("a verdict without dedup_key")
	case v.Author == "":
		return fmt.Errorf("a verdict without author: say who judged")
	case v.Assignee != "" && v.Kind != Assigned && v.Kind != Asked:
		return fmt.Errorf("a verdict of kind %s with an assignee: only %s and %s have one", v.Kind, Assigned, Asked)
	case v.Assignee == "" && v.Kind == Asked:
		return fmt.Errorf("a question without assignee: say who is asked")
	case v.Kind == Expected && v.Expires == 0:
		return fmt.Errorf("a verdict that something is expected, without expires: nothing is held back for ever")
	case v.Kind == Expected && v.Time != 0 && v.Expires > v.Time+alerting.Time(ExpectedAtMost):
		return fmt.Errorf("a verdict that something is expected until %s: at most %d days from when it is given", v.Expires, ExpectedAtMost/eventtime.Day)
	case v.Kind == Expected && v.Reason == "":
		return fmt.Errorf("a verdict that something is expected, without reason: say why")
	}
	for _, text := range []string{v.ID, v.DedupKey, v.Author, v.Reason, v.Assignee, v.Via, v.Signature} {
		if len(text) > maxVerdictText {
			return fmt.Errorf("a text of %d bytes in a verdict: at most %d", len(text), maxVerdictText)
		}
	}
	return nil
}

// Signed returns what the signature is over: a name of what it is, so that the key may
// sign other things too, and the record without the signature.
func (v *Verdict) Signed() []byte {
	plain := *v
	plain.Signature = ""
	b, err := json.Marshal(&plain)
	if err != nil {
		panic(fmt.Sprintf("correlate: a verdict does not encode: %v", err)) // a mistake in this package: it holds plain values
	}
	return append([]byte("weir verdict 1\n"), b...)
}

// Encode returns the record's value. Its key is the dedup key.
func (v *Verdict) Encode() ([]byte, error) {
	if err := v.Validate(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing a verdict: %w", err)
	}
	return b, nil
}

// DecodeVerdict reads a record of weir.verdicts. Keys that it does not know are
// passed over.
func DecodeVerdict(value []byte) (*Verdict, error) {
	v := new(Verdict)
	if err := json.Unmarshal(value, v); err != nil {
		return nil, fmt.Errorf("reading a verdict: %w", err)
	}
	if err := v.Validate(); err != nil {
		return nil, fmt.Errorf("reading a verdict: %w", err)
	}
	return v, nil
}
