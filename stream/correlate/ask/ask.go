// Package ask decides of which alerts a person is asked whether what an account did was
// meant, and whom.
package ask

import (
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/eventtime"
)

// Whom says who is asked whether what an account did was meant. The empty one: nobody.
type Whom string

// Who is asked.
const (
	Manager Whom = "manager" // of the account's owner
	Owner   Whom = "owner"
)

// Within is how long a question can be answered, in milliseconds by the clock.
const Within = 3 * eventtime.Day

// Author is how a member of Slack stands in verdicts, see package authority.
func Author(member string) string { return "slack:" + member }

// askable are the facts of which people are asked. The others are about keys, or about
// somebody who has left.
var askable = []fact.Name{fact.DormantWoke, fact.Disowned}

// Addressee returns the Slack id of the person to ask of an alert, or why nobody is.
func (w Whom) Addressee(a *alerting.Alert) (member, why string) {
	facts := a.AlsoKnown
	if a.Fact != "" {
		facts = append([]fact.Name{a.Fact}, facts...)
	}
	switch {
	case w == "":
		return "", "nobody is asked here: verdicts.ask is not set"
	case a.Kind == alerting.KindCampaign:
		return "", "nobody is asked of a campaign: one of its members may be who is asked"
	case a.Severity >= episode.Critical:
		return "", "nobody is asked of a critical episode: a question warns a thief"
	case slices.ContainsFunc(facts, func(f fact.Name) bool { return !slices.Contains(askable, f) }):
		return "", "nobody is asked of a leaver, a key or a token"
	case a.Person == nil:
		return "", "the directory does not know whose the account is"
	case w == Owner:
		member = a.Person.Slack
	case a.Person.ManagerSlack == a.Person.Slack:
		return "", "the directory names no manager with a Slack id of another than the owner"
	default:
		member = a.Person.ManagerSlack
	}
	if member == "" {
		return "", "the directory has no Slack id of the " + string(w)
	}
	return member, ""
}
