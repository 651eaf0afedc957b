package notify

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// Route sends the alerts that match it to destinations. Of each criterion one
// value must fit; a criterion that is empty fits every alert.
type Route struct {
	Severity   episode.Severity // at least this one; 0: any
	Dimensions []string
	Detectors  []string // names of detectors, kinds, measures or facts
	To         []string // names of destinations
}

// Matches reports whether the alert fits the route.
func (r *Route) Matches(a *alerting.Alert) bool {
	if a.Severity < r.Severity {
		return false
	}
	if len(r.Dimensions) > 0 && !slices.Contains(r.Dimensions, a.Dimension) {
		return false
	}
	return len(r.Detectors) == 0 || slices.ContainsFunc(r.Detectors, func(word string) bool { return names(word, a) })
}

// names reports whether the word is the alert's detector, kind, measure or fact.
func names(word string, a *alerting.Alert) bool {
	kind := cmp.Or(a.Kind, alerting.Statistical)
	return word != "" && (word == a.Detector || word == string(kind) || word == a.Measure || word == string(a.Fact))
}

// Routes say which alerts go where: to the destinations of every route that
// matches and, where none does, to those of Default. The zero value sends every
// alert to every destination.
//
// The severity of an episode never falls and the rest of what a route looks at
// stays, so who was told of an episode is told of its end. One exception: an
// episode that is made worse by another measure keeps the routes by severity
// and dimension, but may leave one by measure; give such a route a default.
type Routes struct {
	List    []Route
	Default []string
}

// Wants reports whether the alert goes to the destination of that name.
func (r *Routes) Wants(name string, a *alerting.Alert) bool {
	if r == nil || len(r.List) == 0 && len(r.Default) == 0 {
		return true
	}
	matched := false
	for i := range r.List {
		if r.List[i].Matches(a) {
			if slices.Contains(r.List[i].To, name) {
				return true
			}
			matched = true
		}
	}
	return !matched && slices.Contains(r.Default, name)
}
