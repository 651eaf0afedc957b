package stream

import (
	"fmt"
	"slices"
	"strings"
)

// NeverSeen are accounts that were left and keys that were revoked, and by which nobody
// was ever seen to act: the latest first. The log may write their names in another way.
type NeverSeen struct {
	Accounts []string `json:"accounts,omitempty"`
	Keys     []string `json:"keys,omitempty"`
}

// Both returns what two tasks have not seen.
func (n NeverSeen) Both(o NeverSeen) NeverSeen {
	both := func(a, b []string) (out []string) {
		for _, name := range a {
			if slices.Contains(b, name) {
				out = append(out, name)
			}
		}
		return out
	}
	return NeverSeen{both(n.Accounts, o.Accounts), both(n.Keys, o.Keys)}
}

// Sentence says for people what was never seen; nothing if that is nothing.
func (n NeverSeen) Sentence() string {
	var parts []string
	if len(n.Accounts) > 0 {
		parts = append(parts, fmt.Sprintf("of accounts that were left, by which nobody ever acted: %s", strings.Join(n.Accounts, ", ")))
	}
	if len(n.Keys) > 0 {
		parts = append(parts, fmt.Sprintf("of keys that were revoked and never used: %s", strings.Join(n.Keys, ", ")))
	}
	if len(parts) == 0 {
		return ""
	}
	return "there are facts " + strings.Join(parts, "; ") + "; if the log writes these names in another way, the facts find nobody (docs/facts.md)"
}
