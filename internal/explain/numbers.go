package explain

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/fleet"
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
	combined := 0.0
	for i := range e.Measures {
		m := &e.Measures[i]
		again := m.Level * m.Shape * m.Mode
		out = append(out, Number{
			Name: "expected " + m.Measure, Stated: m.Expected, Again: again, Agrees: near(m.Expected, again, roundingCount),
			From: fmt.Sprintf("level %s × shape %s × mode %s", short(m.Level), short(m.Shape), short(m.Mode)),
		})
		if len(m.Rates) > 0 {
			out = append(out, ofRates(m))
		}
		if measure, ok := fleet.ParseMeasure(m.Measure); ok {
			combined += fleet.Weight(measure) * math.Exp(m.LogValue)
		}
	}
	out = append(out, Number{
		Name: "evidence", Stated: e.LogValue, Again: math.Log(combined), Agrees: near(e.LogValue, math.Log(combined), roundingLog),
		From: "log of the weighted sum of e^evidence over the measures: " + weights(e.Measures),
	})
	if e.Formula > 0 {
		out = append(out, threshold(e))
	}
	return out
}

// ofRates computes a measure's evidence again from that of its drift rates.
func ofRates(m *alerting.MeasureEvidence) Number {
	sum := 0.0
	var parts []string
	for _, r := range m.Rates {
		sum += math.Exp(r.LogValue)
		parts = append(parts, fmt.Sprintf("%sx: %s", short(r.Rate), short(r.LogValue)))
	}
	again := math.Log(sum / float64(len(m.Rates)))
	return Number{
		Name: "evidence of " + m.Measure, Stated: m.LogValue, Again: again, Agrees: near(m.LogValue, again, roundingLog),
		From: "log of the mean of e^evidence over the drift rates: " + strings.Join(parts, ", "),
	}
}

func weights(list []alerting.MeasureEvidence) string {
	var parts []string
	for i := range list {
		if m, ok := fleet.ParseMeasure(list[i].Measure); ok {
			parts = append(parts, fmt.Sprintf("%s × %.2g", list[i].Measure, fleet.Weight(m)))
		}
	}
	return strings.Join(parts, ", ")
}

// threshold computes the threshold again: theory's bound, or the fleet's own
// tail where that is higher, or lower by no more than it may be.
func threshold(e *alerting.Evidence) Number {
	again := max(e.Formula, e.Tail)
	from := fmt.Sprintf("by theory %s (%s live identities, %s alerts a day); ", short(e.Formula), short(e.Live), short(e.Budget))
	switch {
	case e.Tail == 0:
		from += "the fleet's own tail has too little to say yet"
	case e.Tail >= e.Formula:
		from += "raised to the fleet's own tail"
	default:
		// How far the tail is trusted grows with the days behind it, which the
		// alert does not tell: anything between the bounds agrees.
		again = min(max(e.Threshold, e.Tail, e.Formula-fleet.MaxRelief), e.Formula)
		from += fmt.Sprintf("lowered by %s towards the fleet's own tail of %s, as far as that is known", short(math.Round(1000*(e.Formula-again))/1000), short(e.Tail))
	}
	return Number{Name: "threshold", Stated: e.Threshold, Again: again, Agrees: near(e.Threshold, again, roundingLog), From: from}
}

// near reports whether two numbers are equal but for rounding.
func near(stated, again, least float64) bool {
	return math.Abs(stated-again) <= max(least, roundingShare*max(math.Abs(stated), math.Abs(again)))
}

// Remarks say in words what the numbers mean.
func Remarks(a *alerting.Alert) []string {
	var out []string
	if a.Fact != "" {
		line := fmt.Sprintf("The fact %s is known, not inferred: it needs no baseline and no budget.", a.Fact)
		for _, k := range slices.Sorted(maps.Keys(a.Detail)) {
			line += fmt.Sprintf(" %s: %s.", k, a.Detail[k])
		}
		out = append(out, line)
	}
	e := &a.Evidence
	if len(e.Measures) > 0 {
		out = append(out, peers(a))
	}
	for i := range e.Measures {
		if m := &e.Measures[i]; m.Dispersion > 0 && m.Expected > 0 && m.Observed > m.Expected && (m.Measure == "distinct" || m.Measure == "destructive" || m.Measure == "subjects") {
			out = append(out, fmt.Sprintf("%s: a count of %s or more has chance %.1g in one bin of this identity (negative binomial, mean %s, k %s).",
				m.Measure, short(m.Observed), upperTail(m.Observed, m.Expected, m.Dispersion), short(m.Expected), short(m.Dispersion)))
		}
	}
	if len(e.Measures) > 0 && e.Threshold > 0 {
		word := "above"
		if e.LogValue < e.Threshold {
			word = "below"
		}
		out = append(out, fmt.Sprintf("The evidence is %s nats %s its threshold, a factor of %.3g.",
			short(math.Abs(math.Round(1000*(e.LogValue-e.Threshold))/1000)), word, math.Exp(math.Abs(e.LogValue-e.Threshold))))
	}
	if x := a.Exposed; x.Records > 0 && x.Low != x.High {
		out = append(out, fmt.Sprintf("Exposed records are estimated by a sketch: %d to %d at 95 %% confidence; weir extract lists them exactly.", x.Low, x.High))
	}
	return out
}

// peers says whom the identity was held against, and how much of what was
// expected comes from them.
func peers(a *alerting.Alert) string {
	m := &a.Evidence.Measures[0]
	who := "all of the dimension " + a.Dimension
	if p := a.Evidence.Peers; p != "" {
		dim, name, _ := strings.Cut(p, ":")
		who = fmt.Sprintf("those who work mostly with the %s %s", dim, name)
	}
	return fmt.Sprintf("Its peers are %s; %.0f %% of the level of %s comes from them, the rest is its own.", who, 100*m.PeerWeight, m.Measure)
}

// upperTail returns the chance of a count or more under NB(mean, k).
func upperTail(count, mean, k float64) float64 {
	count = math.Ceil(count)
	lg := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	logP := lg(count+k) - lg(k) - lg(count+1) + k*math.Log(k/(k+mean)) + count*math.Log(mean/(k+mean))
	sum, term := 0.0, math.Exp(logP)
	for c := count; term > sum*1e-9 && c < count+1e6; c++ {
		sum += term
		term *= (c + k) / (c + 1) * mean / (k + mean)
	}
	return min(sum, 1)
}
