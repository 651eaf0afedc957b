package notify

import (
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
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

// Matches reports whether alerts of a class match every criterion of the route.
func (r *Route) Matches(c *alerting.Class) bool {
	if c.Severity < r.Severity {
		return false
	}
	if len(r.Dimensions) > 0 && !slices.Contains(r.Dimensions, c.Dimension) {
		return false
	}
	return len(r.Detectors) == 0 || slices.ContainsFunc(r.Detectors, func(word string) bool { return names(word, c) })
}

// names reports whether the word is the class's detector, kind, measure or fact.
func names(word string, c *alerting.Class) bool {
	return word != "" && (word == c.Detector || word == string(c.Kind) || word == c.Measure || word == string(c.Fact))
}

// Routes say which alerts go to which destinations: to those of every route that
// matches and, where no route matches, to those of Default. The zero value sends
// every alert to every destination.
//
// A message goes also where the episodes that it stands for would go: else it
// would hide them from those who want to hear of them.
//
// That the settings have changed goes everywhere: who changes them may change the routes.
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
	classes := a.Classes()
	return slices.ContainsFunc(classes, func(c alerting.Class) bool { return r.WantsClass(name, &c) })
}

// WantsClass reports whether alerts of a class go to the destination of that name.
func (r *Routes) WantsClass(name string, c *alerting.Class) bool {
	if r == nil || len(r.List) == 0 && len(r.Default) == 0 || c.Fact == fact.SettingsChanged {
		return true
	}
	matched := false
	for i := range r.List {
		if r.List[i].Matches(c) {
			if slices.Contains(r.List[i].To, name) {
				return true
			}
			matched = true
		}
	}
	return !matched && slices.Contains(r.Default, name)
}
