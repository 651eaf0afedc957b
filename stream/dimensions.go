package stream

import (
	"slices"

	"github.com/weirhq/weir/event"
)

// OnlyField returns the index of the dimension of one field alone, or NoDimension.
func OnlyField(dims []event.Dimension, field string) int {
	return slices.IndexFunc(dims, func(d event.Dimension) bool { return len(d.Fields) == 1 && d.Fields[0] == field })
}
