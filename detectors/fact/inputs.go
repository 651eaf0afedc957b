package fact

import (
	"strings"
)

// Inputs tells which kinds of facts have been seen: without them, what
// follows from them cannot be told.
type Inputs struct {
	Staff  bool // joins and leaves
	Keys   bool // issues, retirements and revocations of signing keys
	Logins bool // logins and issued tokens
}

// Input is a kind of facts, and what is told by them.
type Input struct {
	Name  string `json:"input"` // "staff", "keys" or "logins"
	Holds string `json:"-"`     // in words
	Facts []Name `json:"facts"` // that cannot be told without it
}

// AllInputs lists the kinds of facts.
func AllInputs() []Input {
	return []Input{
		{"staff", "joins and leaves", []Name{ActedAfterLeave, OrphanAccountUsed}},
		{"keys", "issues, retirements and revocations of signing keys", []Name{UnknownKey, RetiredKey, RevokedKey}},
		{"logins", "logins and issued tokens", []Name{UnissuedToken}},
	}
}

// Missing returns the kinds that have not been seen.
func (in Inputs) Missing() (out []Input) {
	have := [...]bool{in.Staff, in.Keys, in.Logins}
	for i, input := range AllInputs() {
		if !have[i] {
			out = append(out, input)
		}
	}
	return out
}

// String says what cannot be told without the input.
func (i Input) String() string {
	names := make([]string, len(i.Facts))
	for n, f := range i.Facts {
		names[n] = string(f)
	}
	return "no " + i.Holds + " have been seen, so nobody is told of " + strings.Join(names, ", ") + " (docs/facts.md)"
}
