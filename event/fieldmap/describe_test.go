package fieldmap

import (
	"fmt"

	"github.com/weirhq/weir/event"
)

// Describe returns one call of a decoder's yield as a line: the event in the
// native form and its notes, or the reject.
func Describe(ev *event.Event, rej *event.Reject) string {
	switch {
	case (ev == nil) == (rej == nil):
		return "both or neither"
	case rej != nil:
		return rejectText(rej)
	case ev.Notes != 0:
		return string(event.AppendNative(nil, ev)) + " " + ev.Notes.String()
	}
	return string(event.AppendNative(nil, ev))
}

func rejectText(rej *event.Reject) string {
	s := rej.Reason.String()
	if rej.Path != "" {
		s += " at " + rej.Path
	}
	if rej.Index >= 0 {
		s += fmt.Sprintf(" in %d", rej.Index)
	}
	return s
}
