package detectors

import "math"

// Late corrects a closed bin: add is what arrived late for it. The statistics
// become what they would be had the counts come in time (held against today's
// baseline, so that nothing of the past need be kept but counts), and the level
// learns them. It returns the evidence as it stands now, with the corrected bin
// as the one that made the case, and false if the bin is older than what is
// kept (two days, or the last 48 active bins); the counts are then not used
// here. A bin that is not closed yet is simply closed.
//
// R is a sum over the bins in which the change may have begun, and a bin's
// likelihood ratio Λ is a factor of those terms that began in it or before. So
// if A is their part of R, changing Λ to Λ' makes R + (Λ'/Λ - 1)·A. The kept
// bins are folded once more to find A.
func (e *Engine) Late(s *State, dim int, bin int64, add Counts, p *Parameters) (Evidence, bool) {
	at := clampBin(bin)
	if at >= s.last {
		return e.Close(s, dim, bin, add, p, nil), true
	}
	var h history
	h.read(s.recent)
	from := e.oldestKept(s.last - 1)
	if h.n == maxVisits {
		from = max(from, h.visits[0].bin)
	}
	if at < from {
		return Evidence{}, false
	}
	add = add.clean()
	d := p.dim(dim)
	old := h.counts(at)
	h.add(at, add)
	h.prune(from)
	s.recent = h.pack(s.recent)
	now := h.counts(at)

	e.correct(s, d, &h, from, at, &old, &now)
	s.first = min(s.first, at+1)
	t := e.setting(s, d, at)
	t.mode = calm
	var base [numCore]baseline
	for m := range base {
		base[m] = e.expect(s, d, Measure(m), &t)
		room := base[m].cut(now[m], t.age > e.youth) - base[m].cut(old[m], t.age > e.youth)
		fade := math.Exp(-float64(s.last-1-at) / e.level[m])
		s.count[m] = fold(s.count[m], 1, room*fade)
	}
	ev := e.evidence(s, d, &t, &base, &now)
	if ev.Log >= calmLog {
		s.rise = min(s.rise, at+1)
	}
	if ev.Log >= CandidateCut {
		ev.Onset = e.onset(s, d, &ev, s.last-1, nil)
	}
	s.peak = float32(max(ev.Log, float64(s.peak)))
	return ev, true
}

// correct replaces the likelihood ratio of one kept bin in every statistic.
func (e *Engine) correct(s *State, d *Dimension, h *history, from, at uint32, old, now *Counts) {
	var whole, part, change [numCore][NumRates]float64
	busy, top := false, d.top()
	for bin := max(from, s.first-1); bin < s.last; bin++ {
		c := h.counts(bin)
		if bin == at {
			c = *old
		}
		t := e.setting(s, d, bin)
		t.mode = calm
		for m := range whole {
			b := e.expect(s, d, Measure(m), &t)
			nu := b.mu / (1 + b.mu)
			ratios := b.ratios(c[m], busy)
			var after [NumRates]float64
			if bin == at {
				after = b.ratios(now[m], busy)
			}
			for i, l := range ratios {
				factor := exp(min(l, 2*MaxLog))
				whole[m][i] = min((whole[m][i]+nu)*factor, top)
				if bin <= at {
					part[m][i] += nu
				}
				part[m][i] = min(part[m][i]*factor, top)
				if bin == at {
					change[m][i] = math.Expm1(min(after[i]-l, 2*MaxLog))
				}
			}
		}
		busy = c[Distinct] > 0
	}
	for m := range s.stat {
		for i := range s.stat[m] {
			r := float64(s.stat[m][i])
			older := max(0, r-whole[m][i]) // began before the kept bins
			v := r + change[m][i]*min(part[m][i]+older, r)
			s.stat[m][i] = float32(min(max(v, minStat), top))
		}
	}
}

// onset estimates the bin in which the drift began: the start of the last
// positive excursion of the CUSUM (Page 1954) of the strongest measure at its
// best rate, over the kept bins. Where the evidence has stood out for longer than
// those, it is the bin since which it has. c is the count of bin
// end, nil if the history holds it.
func (e *Engine) onset(s *State, d *Dimension, ev *Evidence, end uint32, c *Counts) int64 {
	rise := min(s.rise-1, end)
	from := e.oldestKept(end)
	if rise < from {
		return int64(rise)
	}
	m, best := ev.Measure, 0
	for i, v := range s.stat[m] {
		if v > s.stat[m][best] {
			best = i
		}
	}
	var h history
	h.read(s.recent)
	from = min(max(from, s.first-1), end)
	onset, sum, busy := from, 0.0, false
	for bin := from; bin <= end; bin++ {
		counts := h.counts(bin)
		if bin == end && c != nil {
			counts = *c
		}
		t := e.setting(s, d, bin)
		b := e.expect(s, d, m, &t)
		sum += b.ratios(counts[m], busy)[best]
		busy = counts[Distinct] > 0
		if sum <= 0 && bin < end {
			sum, onset = 0, bin+1
		}
	}
	return int64(onset)
}
