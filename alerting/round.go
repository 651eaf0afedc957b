package alerting

import (
	"strconv"

	"github.com/weirhq/weir/alerting/internal/jsonline"
)

// RoundLog rounds a log of evidence, in nats, to what alerts show of it.
func RoundLog(v float64) float64 { return rounded(jsonline.Fixed(nil, "", v, logDecimals), v) }

func roundCount(v float64) float64  { return rounded(jsonline.Fixed(nil, "", v, countDecimals), v) }
func roundShare(v float64) float64  { return rounded(jsonline.Fixed(nil, "", v, shareDecimals), v) }
func roundFactor(v float64) float64 { return rounded(jsonline.Factor(nil, "", v), v) }

// rounded reads a number back from its text.
func rounded(text []byte, v float64) float64 {
	if out, err := strconv.ParseFloat(string(text), 64); err == nil {
		return out
	}
	return v // cannot be: jsonline writes numbers that parse
}

// Round rounds every number to what the JSON of the alert shows, so that what is
// said of the numbers holds for those that a reader sees. It changes the alert's
// lists in place, and replaces ShareNew.
func (a *Alert) Round() {
	a.Observed, a.Expected = roundCount(a.Observed), roundCount(a.Expected)
	if a.ShareNew != nil {
		share := roundShare(*a.ShareNew)
		a.ShareNew = &share
	}
	if a.Top.IsZero() {
		a.Top = Top{}
	}
	for _, l := range a.Top.lists() {
		for i := range l.list {
			l.list[i].Share = roundShare(l.list[i].Share)
		}
	}
	e := &a.Evidence
	e.LogValue, e.Threshold = RoundLog(e.LogValue), RoundLog(e.Threshold)
	e.Budget, e.Realised = roundFactor(e.Budget), roundFactor(e.Realised)
	for i := range e.Measures {
		e.Measures[i].round()
	}
}

func (m *MeasureEvidence) round() {
	for _, v := range [...]*float64{&m.Observed, &m.Low, &m.High, &m.Expected} {
		*v = roundCount(*v)
	}
	for _, v := range [...]*float64{&m.LogValue, &m.Ratio, &m.Allowed} {
		*v = RoundLog(*v)
	}
	m.Mode, m.Dispersion = roundFactor(m.Mode), roundFactor(m.Dispersion)
	for i := range m.Rates {
		m.Rates[i].Rate, m.Rates[i].LogValue = roundFactor(m.Rates[i].Rate), RoundLog(m.Rates[i].LogValue)
	}
}
