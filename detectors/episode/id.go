package episode

import "cmp"

// ID names an episode's identity: there is at most one episode of it that is open
// or may open again.
type ID struct{ Dimension, Identity string }

// Compare orders by dimension, then identity.
func (id ID) Compare(o ID) int {
	return cmp.Or(cmp.Compare(id.Dimension, o.Dimension), cmp.Compare(id.Identity, o.Identity))
}

// ID returns the name of the episode's identity.
func (ep *Episode) ID() ID { return ID{ep.Dimension, ep.Identity} }
