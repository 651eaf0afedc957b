package stream

import (
	"slices"

	"github.com/weirhq/weir/event"
)

// NameTrait stands in the place of a dimension for traits that are names by which a
// person acted. No dimension can be called that, and no identity is of it.
const NameTrait = "name of a person"

// OnlyField returns the index of the dimension of one field alone, or NoDimension.
func OnlyField(dims []event.Dimension, field string) int {
	return slices.IndexFunc(dims, func(d event.Dimension) bool { return len(d.Fields) == 1 && d.Fields[0] == field })
}
