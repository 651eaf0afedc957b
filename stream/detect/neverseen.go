package detect

import (
	"slices"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/stream"
)

// neverSeenBytes bounds what NeverSeen looks at, in bytes of names: a task says it in the
// metadata of its position, for which there are 4,096.
const neverSeenBytes = 1500

// NeverSeen returns the accounts that were left and the keys that were revoked, of the
// latest, by which this task has seen nobody act: those by which no task has, if all
// tasks say so. A fact about one of them finds nobody, perhaps because it spells the name
// in its own way. The call looks at each identity.
func (d *Task) NeverSeen() (out stream.NeverSeen) {
	if d.facts == nil {
		return out
	}
	left := map[fact.Subject]bool{}
	gone := d.facts.register.Gone(neverSeenBytes)
	for _, s := range gone {
		left[s] = true
	}
	if len(left) == 0 {
		return out
	}
	saw := func(key string) {
		s := fact.Subject{Kind: d.facts.kind(int(key[0])), Name: key[1:]}
		if s.Kind == fact.AnAccount {
			s.Name = fact.Fold(s.Name)
		}
		delete(left, s)
	}
	for key := range d.people.awake {
		saw(key)
	}
	for key := range d.people.asleep {
		saw(key)
	}
	for _, s := range slices.DeleteFunc(gone, func(s fact.Subject) bool { return !left[s] }) {
		if s.Kind == fact.AnAccount {
			out.Accounts = append(out.Accounts, s.Name)
		} else {
			out.Keys = append(out.Keys, s.Name)
		}
	}
	return out
}
