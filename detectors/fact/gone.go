package fact

import (
	"cmp"
	"math"
	"slices"
)

// Subject is whom or what lifecycle events are about.
type Subject struct {
	Kind Kind
	Name string // of an account in small letters
}

// gone is a subject, and when it left or was revoked, Unix ms.
type gone struct {
	Subject
	at int64
}

// Gone returns the accounts whose owners have left and the keys that were revoked, the
// latest first: as many as their names take up to so many bytes, quoted.
func (r *Register) Gone(size int) (out []Subject) {
	var all []gone
	for name, a := range r.accounts {
		if a.Gone(math.MaxInt64) {
			all = append(all, gone{Subject{AnAccount, name}, a.Left})
		}
	}
	for name, k := range r.keys {
		if k.Revoked != 0 {
			all = append(all, gone{Subject{ASigningKey, name}, k.Revoked})
		}
	}
	slices.SortFunc(all, func(a, b gone) int {
		return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	for _, g := range all {
		if size -= quoted(g.Name); size < 0 {
			break
		}
		out = append(out, g.Subject)
	}
	return out
}

// quoted returns at most how many bytes a name takes as JSON, with what stands around it.
func quoted(name string) int {
	n := len(name) + 4
	for _, c := range []byte(name) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			n += 5
		}
	}
	return n
}

// Fold returns the name of an account as names of accounts are compared.
func Fold(name string) string { return fold(name) }
