package model

import (
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// certainty is the chance, 0..1, that is meant by a confidence.
var certainty = map[episode.Confidence]float64{
	episode.Possible: 0.5, episode.Likely: 0.8, episode.VeryLikely: 0.95, episode.Certain: 1,
}

// Weight is the excess times the certainty: how much is lost by not looking.
func Weight(a *alerting.Alert) float64 {
	c, ok := certainty[a.Confidence]
	if !ok {
		c = certainty[episode.Possible]
	}
	return float64(a.Excess.Records) * c
}
