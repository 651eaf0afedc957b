package score

import "math"

// Evidence is what an identity's bins up to one say against what is expected.
type Evidence struct {
	// Log is the natural logarithm of the evidence of the group that stands out
	// most, and Threshold that of its group: they open an episode where Log is not
	// below Threshold.
	Log, Threshold float64
	Group          Group
	Stat           Stat               // the strongest of the group
	Onset          int64              // bin since which the evidence stands out
	Groups         [NumGroups]float64 // log evidence of each
	Strongest      [NumGroups]Stat    // of each
	Thresholds     [NumGroups]float64 // what each must reach, in nats
	Reached        [NumGroups]bool    // it has, and did not calm down since
	Stats          [NumStats]StatEvidence
	Peers          string // the class it was held against; empty: the whole dimension
	Scored         bool   // false: the bin was not scored
	// Surprise is -ln of the share of such bins or days of the fleet that say more than
	// this one alone, by the statistic of which that is largest; 0 for what is not in the
	// tail.
	Surprise float64
	// OddBefore is how many records were touched at unusual hours on the days before the
	// judged one, since the evidence stands out.
	OddBefore float64
	// Explained says that Stats tell of everything, in logarithms: of what opens an
	// episode, at the end of a bin of a candidate and of what is Hot, and by Explain.
	Explained bool
}

// Margin returns how far, in nats, the evidence is above its threshold.
func (ev *Evidence) Margin() float64 { return ev.Log - ev.Threshold }

// CandidateMargin is how far below a threshold evidence is told of. An episode
// stays open as long as the evidence stays above it.
const CandidateMargin = 1.5

// Candidate reports whether the evidence is to be told of.
func (ev *Evidence) Candidate() bool { return ev.Scored && ev.Log >= candidateAt(ev.Threshold) }

// candidateAt returns from where on evidence is told of: under a low threshold half of
// it, so that evidence of nothing is nobody's.
func candidateAt(threshold float64) float64 { return max(threshold-CandidateMargin, threshold/2) }

// StatEvidence explains one statistic's part. Log and Rates are logarithms in the
// evidence of a candidate and of Explain; elsewhere they are the bare statistics.
type StatEvidence struct {
	Judged   bool
	Log      float64           // natural log of the mean statistic over horizons and rates
	Observed float64           // of the bin or of the day so far
	Expected float64           // by the mean of a week
	K        float64           // dispersion; of DayShare the concentration; 0: nothing can be said of the day or bin
	Mode     float64           // factor of the fleet's common mode in Expected
	Ratio    float64           // log mean ratio of this bin alone, by the mean of a week
	Allowed  float64           // what the fleet's tail leaves of it
	Rates    [NumRates]float64 // natural log of the statistic of each rate
}

// explain sets what one bin or day says on its own.
func (s *StatEvidence) explain(observed, expected, k, mode, ratio, allowed float64) {
	s.Judged, s.Observed, s.Expected, s.K, s.Mode, s.Ratio, s.Allowed = true, observed, expected, k, mode, ratio, allowed
}

// surprise keeps how rare a log mean ratio is in the fleet.
func (ev *Evidence) surprise(t *Tail, x float64) {
	if t.Scale > 0 && x > t.At {
		ev.Surprise = max(ev.Surprise, t.Surprise(x))
	}
}

// gather collects the statistics of one judgement.
type gather struct {
	sums [NumGroups]float64
	best [NumGroups]float64
	stat [NumGroups]Stat
	ev   *Evidence
}

// weights is how many statistics a group has at the least, horizons counted.
var weights = [NumGroups]float64{4, 2, 2, 2, 2}

// add takes in a statistic of n horizons.
func (g *gather) add(st Stat, sum float64, n float64) {
	group := st.Group()
	g.sums[group] += sum
	if sum > g.best[group] {
		g.best[group], g.stat[group] = sum, st
	}
	g.ev.Stats[st].Log = sum / (NumRates * n)
}

// explainAll tells of every statistic that is kept: what was counted, what is
// expected, and the logarithms of its evidence. c are the counts of the bin.
func (e *Engine) explainAll(v *view, c *Counts, ev *Evidence) {
	for st := range NumStats {
		if ev.Stats[st].Judged {
			continue
		}
		if !st.Daily() {
			mu, k, ok := e.expectBin(v, st)
			if !ok || st == BinRows && v.s.more == nil {
				continue
			}
			l := v.s.countRatios(st, c[st.measure()], mu, k)
			x := l.weigh().log
			allowed := e.allow(v.class, st, x)
			ev.Stats[st].explain(c[st.measure()], mu, k, v.class.Bin, x, allowed)
			continue
		}
		if !e.kept(v.s, st) {
			continue
		}
		l, mu, k, ok := e.ratiosOf(v, st, 0)
		if !ok {
			l, k = ratios{}, 0 // nothing can be said of this day, only of those before
		}
		if x := l.weigh().log; ok || ev.Stats[st].Log > 0 {
			allowed := e.allow(v.class, st, x)
			ev.Stats[st].explain(v.count(st), mu, k, v.mode, x, allowed)
		}
	}
	ev.tellRates()
	ev.Explained = true
}

// tellRates turns the statistics, which are linear until somebody looks at them,
// into natural logarithms.
func (ev *Evidence) tellRates() {
	for i := range ev.Stats {
		s := &ev.Stats[i]
		s.Log = math.Log(math.Max(s.Log, minTold))
		for j, r := range s.Rates {
			s.Rates[j] = math.Log(math.Max(r, minTold))
		}
	}
}

// minTold keeps what is told finite.
const minTold = 1e-30

// standing returns how far a group stands out: in nats above its threshold, and below it
// in what a candidate may lie below it, so that whatever is one is preferred to what is
// none.
func standing(log, threshold float64) float64 {
	if log >= threshold {
		return log - threshold
	}
	return (log - threshold) / (threshold - candidateAt(threshold))
}

// Narrow has the evidence of an identity of which an episode is open tell of the groups
// that have reached their thresholds alone, if any has: others keep nothing open.
func (ev *Evidence) Narrow() {
	most, known := 0.0, false
	for i, log := range ev.Groups {
		if m := standing(log, ev.Thresholds[i]); ev.Reached[i] && (!known || m > most) {
			most, known = m, true
			ev.Log, ev.Threshold, ev.Group, ev.Stat = log, ev.Thresholds[i], Group(i), ev.Strongest[i]
		}
	}
}

// decide sets the evidence of the groups and finds the one that stands out.
func (g *gather) decide(s *State, thresholds *[NumGroups]float64) {
	ev, most := g.ev, 0.0
	for i := range g.sums {
		log := 0.0
		if g.sums[i] > NumRates*weights[i] {
			log = math.Min(math.Log(g.sums[i]/(NumRates*weights[i])), MaxLog)
		}
		ev.Groups[i], ev.Strongest[i], ev.Reached[i] = log, g.stat[i], log >= thresholds[i] || s.top[i] > 0
		if m := standing(log, thresholds[i]); i == 0 || m > most {
			most = m
			ev.Log, ev.Threshold, ev.Group, ev.Stat = log, thresholds[i], Group(i), g.stat[i]
		}
	}
	ev.Scored, ev.Thresholds = true, *thresholds
	if s.more != nil {
		ev.OddBefore = float64(s.more.oddRun)
	}
}
