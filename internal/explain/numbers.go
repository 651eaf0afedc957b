package explain

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/score"
)

// Number is one number of an alert, as it was told and computed again.
type Number struct {
	Name   string  `json:"name"`
	Stated float64 `json:"told"`
	Again  float64 `json:"again"`
	High   float64 `json:"high,omitempty"`   // upper end, where what was told is an interval from Told on
	Agrees bool    `json:"agrees"`           // the two are equal, or it lies in the interval
	Within string  `json:"within,omitempty"` // what explains that they are not equal; empty if nothing does
	From   string  `json:"from"`             // what it is computed from
}

// Differs reports whether the two differ by more than can be explained.
func (n *Number) Differs() bool { return !n.Agrees && n.Within == "" }

// Verdict says how what was told and what was computed stand to each other.
func (n *Number) Verdict() string {
	switch {
	case n.Agrees:
		return "agrees"
	case n.Within != "":
		return "within " + n.Within
	}
	return "DIFFERS"
}

// What may explain that two numbers are not equal.
const (
	byRounding = "rounding"
	bySketch   = "the error of the sketch"
	byLate     = "what came later"
)

// tolerated says of a number that lies within its tolerance, as Agrees has it, whether
// it is equal, or what explains that it is not.
func (n *Number) tolerated() {
	if !n.Agrees {
		n.Within = ""
		return
	}
	equal := short(n.Again) == short(n.Stated) || n.Again >= n.Stated && n.Again <= n.High
	if n.Agrees = equal; equal {
		n.Within = ""
	} else if n.Within == "" {
		n.Within = byRounding
	}
}

// StatedText writes what was told.
func (n *Number) StatedText() string {
	if n.High > 0 && n.High != n.Stated {
		return short(n.Stated) + " to " + short(n.High)
	}
	return short(n.Stated)
}

// AgainText writes what was computed.
func (n *Number) AgainText() string { return short(n.Again) }

func short(v float64) string {
	if math.Abs(v) >= 1e6 || v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 5, 64)
}

// Figures in alerts are rounded: factors to four significant digits, logs to
// three decimals, counts to one. So what is computed from several of them may
// be off by this share, and by this much.
const (
	roundingShare = 0.003
	roundingLog   = 0.02
	roundingCount = 0.06
)

// Recompute computes each number of an alert again from what the alert itself
// holds. A fact has none.
func Recompute(a *alerting.Alert) []Number {
	e := &a.Evidence
	if len(e.Measures) == 0 {
		return nil
	}
	var out []Number
	for i := range e.Measures {
		out = append(out, ofMeasure(&e.Measures[i])...)
	}
	if g, ok := score.ParseGroup(e.Group); ok {
		out = append(out, ofGroup(e, g))
	}
	return out
}

// ofMeasure computes the numbers of one measure again.
func ofMeasure(m *alerting.MeasureEvidence) (out []Number) {
	if judged(m) {
		if st, ok := score.ParseStat(m.Measure); ok && ofCount(st, m) {
			out = append(out, ofRatio(m))
		}
		out = append(out, Number{
			Name: "allowed of " + m.Measure, Stated: m.Allowed, Again: min(m.Allowed, m.Ratio), Agrees: m.Allowed <= m.Ratio+roundingLog,
			From: "no more than the ratio of " + short(m.Ratio) + "; what the fleet's own tail leaves of it",
		})
	}
	if len(m.Rates) > 0 {
		out = append(out, ofRates(m))
	}
	return out
}

// ofCount reports whether the ratio of a measure follows from its count: new records are
// judged beside others, and of an estimate of them only what the sketch has shown.
func ofCount(st score.Stat, m *alerting.MeasureEvidence) bool {
	return st != score.DayFirst && st != score.DayShare && (st != score.BinFirst || m.Low == m.High)
}

// judged reports whether the interval of a measure was judged. Where it was not,
// the evidence is of what came before, and nothing was counted.
func judged(m *alerting.MeasureEvidence) bool { return m.Dispersion > 0 }

// ofRatio computes the ratio of a count again. What is expected is told with one
// decimal, and the ratio falls as it rises: it agrees if it lies between those of
// the two ends.
func ofRatio(m *alerting.MeasureEvidence) Number {
	at := func(expected float64) float64 {
		return score.LogRatio(m.Observed, max(expected, 1e-9), m.Dispersion)
	}
	again := at(m.Expected)
	slack := roundingLog + roundingShare*math.Abs(again)
	return Number{
		Name: "ratio of " + m.Measure, Stated: m.Ratio, Again: again,
		Agrees: m.Ratio >= at(m.Expected+roundingCount)-slack && m.Ratio <= at(m.Expected-roundingCount)+slack,
		From: fmt.Sprintf("log of the mean likelihood ratio of %s under 1.5 to 10 times the expected %s against the expected, negative binomial with k %s",
			short(m.Observed), short(m.Expected), short(m.Dispersion)),
	}
}

// ofRates computes a measure's evidence again from that of its drifts.
func ofRates(m *alerting.MeasureEvidence) Number {
	sum := 0.0
	var parts []string
	form, what := "%sx: %s", "drifts"
	if m.Measure == score.DayShare.String() {
		form, what = "share %s: %s", "shares"
	}
	for _, r := range m.Rates {
		sum += math.Exp(r.LogValue)
		parts = append(parts, fmt.Sprintf(form, short(r.Rate), short(r.LogValue)))
	}
	again := math.Log(sum / float64(len(m.Rates)))
	return Number{
		Name: "evidence of " + m.Measure, Stated: m.LogValue, Again: again, Agrees: near(m.LogValue, again, roundingLog),
		From: "log of the mean of e^evidence over the " + what + ": " + strings.Join(parts, ", "),
	}
}

// ofGroup computes the evidence of the group again from that of its measures.
func ofGroup(e *alerting.Evidence, g score.Group) Number {
	sum := 0.0
	var parts []string
	for i := range e.Measures {
		m := &e.Measures[i]
		if st, ok := score.ParseStat(m.Measure); ok && st.Group() == g {
			sum += st.Horizons() * math.Exp(m.LogValue)
			parts = append(parts, fmt.Sprintf("%s × %s", m.Measure, short(st.Horizons())))
		}
	}
	again := 0.0 // what is below one says nothing
	if sum > g.Weight() {
		again = min(math.Log(sum/g.Weight()), score.MaxLog)
	}
	return Number{
		Name: "evidence", Stated: e.LogValue, Again: again, Agrees: near(e.LogValue, again, roundingLog),
		From: fmt.Sprintf("log of the sum of e^evidence over the measures of the group %s, each times its means, divided by %s: %s", g, short(g.Weight()), strings.Join(parts, ", ")),
	}
}

// near reports whether two numbers are equal but for rounding; what is not finite
// is near nothing.
func near(stated, again, least float64) bool {
	return !math.IsInf(again, 0) && math.Abs(stated-again) <= max(least, roundingShare*max(math.Abs(stated), math.Abs(again)))
}
