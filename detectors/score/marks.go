package score

// calmLog is the log evidence below which nothing is taken to be going on.
const calmLog = 0.5

// note moves the marks of the evidence: of each group the highest evidence lately. was
// are the marks as they were before the last bins passed, and becomes what they count
// from: as long as evidence stays as high as it was it crosses nothing again. An
// identity of which an episode is open may go on for weeks, while the threshold rises;
// it counts up to Headroom above the one that it crossed.
func (s *State) note(e *Engine, at uint32, ev *Evidence, thresholds *[NumGroups]float64, was *[NumGroups]float32) {
	calm := true
	for g, log := range ev.Groups {
		calm = calm && log < calmLog
		threshold := thresholds[g]
		switch {
		case s.top[g] == 0 && log >= threshold:
			s.top[g] = float32(threshold + e.Tuning.Headroom)
		case s.top[g] > 0 && log < calmLog:
			s.top[g] = 0
		}
		mark := float32(log)
		if s.top[g] > 0 {
			mark = min(mark, s.top[g])
		}
		if mark <= s.high[g] {
			was[g] = s.high[g]
			continue
		}
		s.high[g] = mark
		was[g] = min(was[g], mark)
	}
	if calm {
		s.rise = at + 2
		s.EndOdd()
	}
}

// Hot reports whether the evidence is, or within half a day was, so high that the
// identity must be closed in bins without a count too, so that it is seen to fall.
func (e *Engine) Hot(s *State, dim int, p *Parameters) bool {
	thresholds := p.Dimensions[dim].thresholds(s)
	for g, h := range s.high {
		if s.last != 0 && float64(h) >= candidateAt(thresholds[g])-0.25 {
			return true
		}
	}
	return false
}
