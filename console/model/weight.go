package model

import (
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
)

// Excess is how many records, or rows where there are no records, an episode has
// touched beyond what is usual, with its bars. It is an estimate: the share of the
// usual in the count that made the case is taken off all that is exposed. Of a fact
// and of a campaign nothing is taken off.
type Excess struct {
	Records int64 `json:"records"`
	Low     int64 `json:"low"`
	High    int64 `json:"high"`
	IsRows  bool  `json:"is_rows,omitempty"` // rows, not records
	// Estimated says that what is usual was taken off.
	Estimated bool `json:"estimated,omitempty"`
}

// ExcessOf returns the excess of an alert.
func ExcessOf(a *alerting.Alert) Excess {
	e := a.Exposed
	x := Excess{Records: e.Records, Low: e.Low, High: e.High}
	if e.Records == 0 && e.Rows > 0 {
		x = Excess{Records: e.Rows, Low: e.Rows, High: e.Rows, IsRows: true}
	}
	if (a.Kind == "" || a.Kind == alerting.Statistical) && a.Expected > 0 && a.Observed > 0 {
		x.Estimated = true
		beyond := max(0, 1-a.Expected/a.Observed)
		x.Records, x.Low, x.High = part(x.Records, beyond), part(x.Low, beyond), part(x.High, beyond)
	}
	return x
}

func part(n int64, share float64) int64 { return int64(float64(n)*share + 0.5) }

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
	return float64(ExcessOf(a).Records) * c
}
