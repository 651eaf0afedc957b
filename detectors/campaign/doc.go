// Package campaign says who belongs together, and by what cause.
//
// [Search] looks at the episodes that are open: do so many come through one
// network, client, endpoint or key that it is no chance, does one fact hold for
// very many, did many begin at once? Its answer is a [Plan]: who joins an open
// campaign, and which campaigns begin.
//
// [Crowd] looks at identities that are no episodes. Detect adds up their weak
// evidence by the traits that they share ([TraitSums]); Crowd holds each sum
// against the rest of the fleet and against what the trait's identities usually
// show ([Crowd.Weigh]).
//
// [Summarize] adds up what the members of a campaign look like at a tick.
//
// The package is pure: the same arguments give the same answers, in any order of
// a map. Nothing fails but reading bytes. Evidence is in nats.
package campaign
