package event

import (
	"testing"
)

// TestNames: every reason, note and action has a name of its own, fit for a
// metric's label.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	name := func(s string) {
		if !IsWord(s) || seen[s] {
			t.Errorf("%q is no name, or stands twice", s)
		}
		seen[s] = true
	}
	for _, r := range Reasons() {
		name(r.String())
	}
	for _, n := range AllNotes() {
		name(n.String())
	}
	for _, n := range ActionNames() {
		name(n)
		if a, ok := ParseAction(n); !ok || a.String() != n {
			t.Errorf("%s becomes %s", n, a)
		}
	}
	if got := (IPInvalid | RowsCapped).String(); got != "ip_invalid,rows_capped" {
		t.Errorf("two notes are called %s", got)
	}
	if Notes(0).String() != "" || numReasons.String() != "unknown" || numActions.String() != "unknown" {
		t.Error("what is none has a name")
	}
	if _, ok := ParseAction("purge"); ok {
		t.Error("purge is taken for an action")
	}
}
