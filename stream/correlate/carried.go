package correlate

import (
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/stream"
)

// Measures returns what the measures of a candidate add to its evidence, as alerts
// carry it.
func Measures(list []stream.MeasureEvidence) []alerting.MeasureEvidence {
	out := make([]alerting.MeasureEvidence, len(list))
	for i := range list {
		m := &list[i]
		out[i] = alerting.MeasureEvidence{
			Measure: m.Measure, LogValue: m.Log, Observed: m.Observed, Low: m.Low, High: m.High, Expected: m.Expected,
			Level: m.Level, Shape: m.Shape, Mode: m.Mode, Dispersion: m.Dispersion, PeerWeight: m.PeerWeight,
		}
		for _, r := range m.Rates {
			out[i].Rates = append(out[i].Rates, alerting.RateEvidence{Rate: r.Rate, LogValue: r.Log})
		}
	}
	return out
}

// exposedOf returns what a candidate or a fact has exposed, as alerts carry it.
func exposedOf(e *episode.Exposed) alerting.Exposed {
	return alerting.Exposed{Records: e.Records, Low: e.Low, High: e.High, Since: alerting.Time(e.Since), Rows: e.Rows}
}
