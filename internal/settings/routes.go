package settings

import (
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/detectors/episode"
)

// Routes returns which alerts go where.
func Routes(c *config.Config) *notify.Routes {
	r := &notify.Routes{Default: c.Alerts.DefaultRoute}
	for _, route := range c.Alerts.Routes {
		r.List = append(r.List, notify.Route{
			Severity: Severity(route.Severity), Dimensions: route.Dimensions, Detectors: route.Detectors, To: route.To,
		})
	}
	return r
}

// Severity reads a severity that config has checked; 0 where none is set.
func Severity(name string) episode.Severity {
	s, err := episode.ParseSeverity(name)
	if err != nil {
		return 0
	}
	return s
}

// reaches returns the destinations to which alerts of a class go, sorted; nil if all
// alerts go to all destinations.
func reaches(c *config.Config) func(class *alerting.Class) []string {
	routes := Routes(c)
	if len(routes.List) == 0 && len(routes.Default) == 0 {
		return nil
	}
	return func(class *alerting.Class) (out []string) {
		for i := range c.Alerts.Destinations {
			if name := c.Alerts.Destinations[i].Name; routes.WantsClass(name, class) {
				out = append(out, name)
			}
		}
		slices.Sort(out)
		return out
	}
}
