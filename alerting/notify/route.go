package notify

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// Route sends the alerts that match it to destinations. An alert must match each
// criterion: one of its values, where it lists some. An empty criterion matches
// every alert.
type Route struct {
	Severity   episode.Severity // the least severity; 0: any
	Dimensions []string
	Detectors  []string // names of detectors, kinds, measures or facts
	To         []string // names of destinations
}

// Matches reports whether the alert matches every criterion of the route.
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

// Routes say which alerts go to which destinations: to those of every route that
// matches and, where no route matches, to those of Default. The zero value sends
// every alert to every destination.
//
// Who hears of an episode also hears of its end, since the severity of an episode
// never falls and its dimension stays. One exception: an episode that another
// measure makes worse keeps its routes by severity and dimension, but may leave a
// route by measure; give such a route a default.
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
