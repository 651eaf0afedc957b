package score

// Sample is what a closed bin of one identity tells of the fleet, and the day that
// ended before it if there was one. The package fleet adds samples up.
type Sample struct {
	Token uint32                // of its peers
	Days  int                   // days closed
	Bins  int                   // bins with work closed
	Young int                   // which day of its youth the closed day was, from 0; of any later day the constant youth
	First [PeerMeasures]float64 // what was counted on the closed day
	Off   bool                  // at work at an unusual hour of its own
	Work  bool                  // at work in the bin, and old enough to have usual hours
	Known bool                  // has a history: its youth is over

	Seen float64 // records that the identity has touched

	HasDay, HasBin     bool
	DayRatio, BinRatio float64 // logs of the day so far and of the bin against their means

	N      [NumStats]uint8      // how many log mean ratios there are of each statistic
	X      [NumStats][2]float64 // they
	Square [NumStats]float64    // squared residual beyond Poisson, relative to the mean, weighted
	Weight [NumStats]float64    // its weight

	Was, Is [NumGroups]float32 // highest log evidence lately, before and after the bin
}

// x notes a log mean ratio.
func (l *Sample) x(st Stat, x float64) {
	if n := l.N[st]; n < 2 {
		l.X[st][n] = x
		l.N[st]++
	}
}

// spread notes a residual: its square, less what chance does to a count, relative
// to what is expected, between -1 and 9; small expectations weigh little.
func (l *Sample) spread(st Stat, count, mu float64) {
	w := mu / (mu + 2)
	w *= w
	a := ((count-mu)*(count-mu) - mu) / (mu*mu + 1e-9)
	l.Square[st] += w * max(-1, min(a, 9))
	l.Weight[st] += w
}

// tell sets what is told of any bin.
func (l *Sample) tell(e *Engine, v *view, was [NumGroups]float32, c *Counts) {
	l.Token, l.Was, l.Is = v.s.group, was, v.s.high
	l.Known = v.s.settled()
	l.Seen = float64(v.s.seen) + v.now[FirstTouch]
	l.Work = c.any() && float64(v.s.days) >= e.Tuning.KnownDays
}
