package simulate

import (
	"slices"
)

// Scenario says what befalls the company.
type Scenario struct {
	Name        string
	Description string  // one line
	Leak        string  // what is stolen, how fast, against what baseline; "none" if nothing is
	Days        int     // length unless told otherwise
	Scale       float64 // size of the company unless told otherwise
}

// scenario is a Scenario and the way to plant it.
type scenario struct {
	Scenario
	quiet   bool           // without releases, rotation, campaign and outage
	share   int            // the leak starts after this share of the days, in percent
	clock   int64          // and at this time of that day
	lastDay bool           // or on the last day
	plant   func(*Company) // adds what the scenario adds to a calm company
}

// scenarios is in the order in which they are listed.
var scenarios = []scenario{
	{
		Scenario: Scenario{"calm", "nothing is stolen: releases, a key rotation, a campaign day, time off, incidents, an outage", "none", 21, 1},
	},
	{
		Scenario: Scenario{"forged-key", "a former employee forges customers' tokens with an old signing key",
			"after up to two days of probing (6 an hour), 250 customers an hour through mobile-k1, one token each, no token issued, addresses rotating; the key's own flow is about 240 an hour", 21, 1},
		share: 67, clock: 2 * hour, plant: plantForgedKey,
	},
	{
		Scenario: Scenario{"dormant", "a fake employee's account, silent since its first days, wakes, reads and deletes",
			"60 customers an hour from 20 to 24 o'clock, every fifth deleted; baseline nothing", 21, 1},
		share: 67, clock: 20 * hour, plant: plantDormant,
	},
	{
		Scenario: Scenario{"leaver", "an agent who has left still signs in",
			"45 customers an hour from 19 to 23 o'clock; as an agent, about 11 an hour by day", 21, 1},
		share: 67, clock: 19 * hour, plant: plantLeaver,
	},
	{
		Scenario: Scenario{"report", "an analyst exports whole reports of which the log tells only the number of rows",
			"one export of 400,000 to 900,000 rows each weekday; analysts' own exports have 500 to 5,000 rows", 21, 1},
		share: 67, clock: 17*hour + 30*minute, plant: plantReport,
	},
	{
		Scenario: Scenario{"scrape", "three customer accounts walk through everyone's invoices by counting up the number in the path (IDOR)",
			"240 customers an hour through one endpoint from three networks, day and night; the endpoint's own flow is about 25 an hour", 21, 1},
		share: 67, clock: 3 * hour, plant: plantScrape,
	},
	{
		Scenario: Scenario{"mules", "a leak spread over many stolen staff accounts",
			"thirty agents' accounts, four customers an hour each from 9 to 18 o'clock, through four rented networks; an agent reads about 11 an hour", 21, 1},
		share: 67, clock: 9 * hour, plant: plantMules,
	},
	{
		Scenario: Scenario{"greedy-agent", "one call-centre agent reads three times as much as before, all of it customers nobody asked for",
			"twice the agent's own pace on top of it, during the agent's shifts", 21, 1},
		share: 67, plant: plantGreedyAgent,
	},
	{
		Scenario: Scenario{"slow", "one agent takes a little more each day (the boiling frog)",
			"the agent's own pace grows by 1 % a day, compounding: twice the start after 70 days; all growth is stolen", 90, 0.25},
		share: 33, plant: plantSlow,
	},
	{
		Scenario: Scenario{"newcomer", "a new agent steals from the first day",
			"three times an agent's pace on top of ordinary work, from the hour of joining; no baseline of its own", 21, 1},
		share: 67, clock: 7 * hour, plant: plantNewcomer,
	},
	{
		Scenario: Scenario{"reread", "one agent looks up the same known customers far more often: much reading, hardly a new customer, no leak",
			"none; four times the agent's pace on top of it, from the agent's own pool", 21, 1},
		share: 67, plant: plantReread,
	},
	{
		Scenario: Scenario{"retired-key", "tokens are forged with a web key that was rotated out",
			"120 customers an hour through web-k1, which was retired days before, one token each, no token issued, addresses rotating", 21, 1},
		share: 67, clock: 10 * hour, plant: plantRetiredKey,
	},
	{
		Scenario: Scenario{"accounts", "a leak spread over many customers' stolen accounts",
			"20 accounts an hour, six strangers each, by the oldest version of the iOS application, addresses rotating", 21, 1},
		share: 67, clock: 6 * hour, plant: plantAccounts,
	},
	{
		Scenario: Scenario{"twin", "an agent who always re-read known customers now reads strangers, as many as before",
			"four times the agent's pace, from the own pool before; not one read more", 21, 1},
		share: 67, plant: plantTwin,
	},
	{
		Scenario: Scenario{"returned", "an agent who has stopped coming, of which no log tells, signs in again",
			"20 customers an hour from 19 to 23 o'clock; as an agent, about 11 an hour by day, until a week before", 21, 1},
		share: 67, clock: 19 * hour, plant: plantReturned,
	},
	{
		Scenario: Scenario{"manager", "an account manager takes five times as many customers as before",
			"four times the manager's own pace (6 an hour, nine in ten known) on top of it", 21, 1},
		share: 67, plant: plantManager,
	},
	{
		Scenario: Scenario{"analyst", "an analyst takes twice as many customers as before",
			"as many again, one by one, as the lists of an analyst hold (about 50 an hour)", 21, 1},
		share: 67, plant: plantAnalyst,
	},
	{
		Scenario: Scenario{"migration", "a new system copies every customer in three nights, as announced",
			"none; a third of all customers a night through a service never seen before", 21, 1},
		share: 67, plant: plantMigration,
	},
	{
		Scenario: Scenario{"concealed", "forged tokens under a flood of clients made up to hide them",
			"600 customers an hour through mobile-k1 against about 120, from 10:20 on the last day; meanwhile 30 clients nobody knows read 14 customers an hour each through unissued tokens without a key", 15, 0.4},
		quiet: true, lastDay: true, clock: 10*hour + 20*minute, plant: plantConcealed,
	},
	{
		Scenario: Scenario{"demo", "two quiet weeks, then forged tokens from 10:20 on the last day and a greedy agent after noon",
			"600 customers an hour through mobile-k1 against about 120; from 13:10 one agent takes 66 an hour on top of about 11", 15, 0.4},
		quiet: true, lastDay: true, clock: 10*hour + 20*minute, plant: plantDemo,
	},
}

// Scenarios returns the scenarios in the order of the documentation.
func Scenarios() []Scenario {
	out := make([]Scenario, len(scenarios))
	for i := range scenarios {
		out[i] = scenarios[i].Scenario
	}
	return out
}

func scenarioNames() []string {
	names := make([]string, len(scenarios))
	for i := range scenarios {
		names[i] = scenarios[i].Name
	}
	return names
}

func findScenario(name string) *scenario {
	i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &scenarios[i]
}

// leakStart returns when the leak begins unless told otherwise.
func (s *scenario) leakStart(origin int64, days int) int64 {
	n := days * s.share / 100
	if s.lastDay {
		n = days - 1
	}
	return origin + int64(n)*day + s.clock
}
