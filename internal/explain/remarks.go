package explain

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/score"
)

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
		if m := &e.Measures[i]; judged(m) {
			out = append(out, ofInterval(m)...)
		}
	}
	if len(e.Measures) > 0 && e.Threshold > 0 {
		out = append(out, threshold(e)...)
	}
	if x := a.Exposed; x.Records > 0 && x.Low != x.High {
		out = append(out, fmt.Sprintf("Exposed records are estimated by a sketch: %d to %d at 95 %% confidence; weir extract lists them exactly.", x.Low, x.High))
	}
	return out
}

// peers says whom the identity was held against, and for what.
func peers(a *alerting.Alert) string {
	who := "all of the dimension " + a.Dimension
	if p := a.Evidence.Peers; p != "" {
		dim, name, _ := strings.Cut(p, ":")
		who = fmt.Sprintf("those who work mostly with the %s %s", dim, name)
	}
	return "Its peers are " + who + ": from them come how much counts scatter, how surprising their largest days and bins were, and what all of them did at the time. What is expected is its own mean, and in its first five days theirs."
}

// ofInterval says what the count of a measure means.
func ofInterval(m *alerting.MeasureEvidence) (out []string) {
	of := "on a whole day with work"
	if alerting.OfBin(m.Measure) {
		of = "in a bin with work"
	}
	switch {
	case m.Measure == score.DayShare.String():
		out = append(out, fmt.Sprintf("%s: the share of new records scatters like that of %s independent ones (beta-binomial).", m.Measure, short(m.Dispersion)))
	case m.Observed > m.Expected && m.Expected > 0:
		out = append(out, fmt.Sprintf("%s: a count of %s or more has chance %.1g %s of this identity (negative binomial, mean %s, k %s).",
			m.Measure, short(m.Observed), upperTail(m.Observed, m.Expected, m.Dispersion), of, short(m.Expected), short(m.Dispersion)))
	}
	if m.Mode > 0 && m.Mode != 1 && m.Measure != score.DayShare.String() {
		out = append(out, fmt.Sprintf("%s: its peers did %s times their usual at the time, and so much more is expected of it.", m.Measure, short(m.Mode)))
	}
	if m.Allowed < m.Ratio-roundingLog {
		out = append(out, fmt.Sprintf("%s: by itself this interval says %s nats; since the largest ones of this fleet say as much without a leak, %s of them count.",
			m.Measure, short(m.Ratio), short(m.Allowed)))
	}
	return out
}

// threshold says what the evidence was held against.
func threshold(e *alerting.Evidence) (out []string) {
	if g, ok := score.ParseGroup(e.Group); ok {
		var names []string
		for _, st := range g.Stats() {
			names = append(names, st.String())
		}
		out = append(out, fmt.Sprintf("The threshold is that of its group of measures, %s (%s): the group may open so many a day, a part of what its dimension has of the budget of %s a day.",
			g, strings.Join(names, ", "), short(e.Budget)))
	}
	word := "above"
	if e.LogValue < e.Threshold {
		word = "below"
	}
	return append(out, fmt.Sprintf("The evidence is %s nats %s its threshold, a factor of %.3g.",
		short(math.Abs(math.Round(1000*(e.LogValue-e.Threshold))/1000)), word, math.Exp(math.Abs(e.LogValue-e.Threshold))))
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
