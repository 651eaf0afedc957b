package score

import "slices"

// What is here lets others compute the numbers of an Evidence again.

// ParseStat returns the statistic of a name, and false if there is none.
func ParseStat(name string) (Stat, bool) {
	i := slices.Index(statNames[:], name)
	return Stat(max(i, 0)), i >= 0
}

// ParseGroup returns the group of a name, and false if there is none.
func ParseGroup(name string) (Group, bool) {
	i := slices.Index(groupNames[:], name)
	return Group(max(i, 0)), i >= 0
}

// Horizons returns for how many means a statistic is kept: two for one of a day,
// one for one of a bin.
func (s Stat) Horizons() float64 {
	if s.Daily() {
		return horizons
	}
	return 1
}

// Weight returns by what the sum of a group is divided: its evidence is the log of
// the sum of e^StatEvidence.Log times Horizons over its statistics, divided by
// Weight, and no more than MaxLog.
func (g Group) Weight() float64 { return weights[g] }

// Stats returns the statistics of a group.
func (g Group) Stats() (list []Stat) {
	for st := range NumStats {
		if st.Group() == g {
			list = append(list, st)
		}
	}
	return list
}

// LogRatio returns the log of the mean likelihood ratio of a count under the drifts
// of Rates, for a negative binomial of a mean and dispersion k. It is the Ratio of
// every statistic but DayFirst and DayShare, and of BinFirst where all first touches show.
func LogRatio(count, mean, k float64) float64 {
	l := countRatios(count, mean, k)
	return l.weigh().log
}
