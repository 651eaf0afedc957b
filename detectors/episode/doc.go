// Package episode holds the life of an episode: one continuing anomaly of one
// identity in one dimension.
//
// [Episodes] opens, updates and closes episodes by what is observed of their
// identities, tick by tick; it computes no statistics. An episode opens when its
// log evidence reaches the threshold or a fact is known, is told again when
// something material has changed, and closes after a time of quiet.
//
// How grave an episode is and how sure weir is of it is decided here and nowhere
// else: severity.go and confidence.go each hold their rules as a table.
//
// The package is pure: the same arguments give the same answers. It knows no
// clock; times are event time in Unix ms. Nothing fails but reading bytes
// ([Decode]) and names ([ParseSeverity]).
package episode
