package episode

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/detectors/fact"
)

// Confidence says in words how sure weir is that an episode is no chance: a
// likelihood ratio that is held against an alert budget is no probability.
type Confidence string

// The words, least sure first.
const (
	Possible   Confidence = "possible"
	Likely     Confidence = "likely"
	VeryLikely Confidence = "very_likely"
	Certain    Confidence = "certain"
)

// How far the log evidence must lie above its threshold, in nats.
const (
	tenTimes      = 2.302585 // ln 10: Likely
	thousandTimes = 6.907755 // ln 1000: VeryLikely
)

// ConfidenceOf returns how sure an episode is. One that rests on a fact is
// Certain, since a fact is known and not inferred; VeryLikely if it is a person's
// word, who may be wrong. One that rests on evidence
// (known is "") is Possible while its evidence is less than ten times what the
// alert budget asks for, Likely while it is less than a thousand times, and
// VeryLikely from there on.
func ConfidenceOf(known fact.Name, logEvidence, threshold float64) Confidence {
	switch known {
	case "":
	case fact.Disowned:
		return VeryLikely
	default:
		return Certain
	}
	switch margin := logEvidence - threshold; {
	case margin >= thousandTimes:
		return VeryLikely
	case margin >= tenTimes:
		return Likely
	}
	return Possible
}

// Compare orders by how sure they are. The empty one is the least sure.
func (c Confidence) Compare(o Confidence) int { return cmp.Compare(c.rank(), o.rank()) }

func (c Confidence) rank() int {
	return slices.Index([]Confidence{Possible, Likely, VeryLikely, Certain}, c)
}

// Valid reports whether c is one of the four.
func (c Confidence) Valid() bool {
	switch c {
	case Possible, Likely, VeryLikely, Certain:
		return true
	}
	return false
}
