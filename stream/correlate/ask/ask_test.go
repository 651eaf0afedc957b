package ask

import (
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
)

// Of whom nobody is asked, and who is.
func TestAddressee(t *testing.T) {
	alert := func(change func(*alerting.Alert)) *alerting.Alert {
		a := &alerting.Alert{Kind: alerting.Statistical, Severity: episode.High, Person: &alerting.Person{Manager: "bo", ManagerSlack: "U0BO", Slack: "U0EVE"}}
		change(a)
		return a
	}
	for what, c := range map[string]struct {
		whom   Whom
		change func(*alerting.Alert)
		want   string
	}{
		"the manager":                {Manager, func(*alerting.Alert) {}, "U0BO"},
		"the owner":                  {Owner, func(*alerting.Alert) {}, "U0EVE"},
		"an account that woke":       {Owner, func(a *alerting.Alert) { a.Kind, a.Fact = alerting.KindFact, fact.DormantWoke }, "U0EVE"},
		"nobody: off":                {"", func(*alerting.Alert) {}, ""},
		"nobody: a campaign":         {Manager, func(a *alerting.Alert) { a.Kind = alerting.KindCampaign }, ""},
		"nobody: critical":           {Manager, func(a *alerting.Alert) { a.Severity = episode.Critical }, ""},
		"nobody: a leaver":           {Manager, func(a *alerting.Alert) { a.Fact = fact.ActedAfterLeave }, ""},
		"nobody: also a leaver":      {Manager, func(a *alerting.Alert) { a.Fact, a.AlsoKnown = fact.DormantWoke, []fact.Name{fact.ActedAfterLeave} }, ""},
		"nobody: a key":              {Manager, func(a *alerting.Alert) { a.Fact = fact.RetiredKey }, ""},
		"nobody: unissued tokens":    {Owner, func(a *alerting.Alert) { a.Fact = fact.UnissuedToken }, ""},
		"nobody: not in directory":   {Manager, func(a *alerting.Alert) { a.Person = nil }, ""},
		"nobody: no manager":         {Manager, func(a *alerting.Alert) { a.Person.ManagerSlack = "" }, ""},
		"nobody: manager of himself": {Manager, func(a *alerting.Alert) { a.Person.ManagerSlack = "U0EVE" }, ""},
		"nobody: no Slack id":        {Owner, func(a *alerting.Alert) { a.Person.Slack = "" }, ""},
	} {
		member, why := c.whom.Addressee(alert(c.change))
		if member != c.want || (why == "") != (c.want != "") {
			t.Errorf("%s: %q, %q", what, member, why)
		}
	}
}
