package detectors

import "math"

// Early scores the bin as counted so far, without changing the state. The count
// only grows until the bin ends and the likelihood ratio grows with it, so what
// is enough now will be enough then. bin must be after s.LastBin.
func (e *Engine) Early(s *State, dim int, bin int64, c Counts, p *Parameters) Evidence {
	now := *s
	if now.profile != nil && clampBin(bin) > s.last {
		own := *now.profile // silent bins between are learned: keep that from s
		now.profile = &own
	}
	d := p.dim(dim)
	e.catchUpTo(&now, d, clampBin(bin))
	c = c.clean()
	t := e.setting(&now, d, clampBin(bin))
	base := e.step(&now, d, &t, &c)
	return e.evidence(&now, d, &t, &base, &c)
}

// Close ends a bin: it scores it, learns from it and returns the evidence.
// Silent bins between the last closed one and this are closed first, as zeros.
// What the bin tells of the fleet is added to sums, which may be nil. A bin that
// is not after s.LastBin is late: use Late.
func (e *Engine) Close(s *State, dim int, bin int64, c Counts, p *Parameters, sums *Sums) Evidence {
	at := clampBin(bin)
	if s.last > at {
		return Evidence{}
	}
	d := p.dim(dim)
	fresh := !s.Seen() || e.day(s.last-1) != e.day(at)
	e.catchUpTo(s, d, at)
	c = c.clean()
	t := e.setting(s, d, at)
	base := e.step(s, d, &t, &c)
	ev := e.evidence(s, d, &t, &base, &c)
	before := max(float64(s.peak)-e.peakFall, 0)
	e.note(s, &t, ev.Log)
	if sums != nil {
		sums.dim(dim).add(s, &t, &base, &c, fresh, before, ev.Log, e.perDay)
	}
	e.learn(s, d, &t, &base, &c)
	if c != (Counts{}) {
		e.remember(s, at, &c)
	}
	return ev
}

// Hot reports whether the evidence is, or lately was, so high that the identity
// must be closed in bins without a count too, so that correlate sees it fall.
// It holds for at least six hours after the evidence fell below any threshold.
func (e *Engine) Hot(s *State) bool { return s.Seen() && s.peak >= hotCut }

// hotCut leaves seven and a half hours of falling at a third of a nat an hour
// under the lowest threshold.
const hotCut = minThreshold - 2.5

// clean maps counts to what the sums can hold: whole, not negative, not NaN.
func (c Counts) clean() Counts {
	for m := range c {
		v := math.Round(c[m])
		if !(v > 0) {
			v = 0
		}
		c[m] = min(v, maxCount)
	}
	return c
}

// catchUpTo closes the silent bins before at. Of a long silence only the last
// catchUp bins are scored one by one; before them the sums fade in one go and
// the statistics start anew.
func (e *Engine) catchUpTo(s *State, d *Dimension, at uint32) {
	if s.last == 0 {
		s.first, s.last, s.rise = at+1, at, at+1
		return
	}
	if gap := at - s.last; gap > e.catchUp {
		e.rest(s, gap-e.catchUp)
	}
	var silent Counts
	for bin := s.last; bin < at; bin++ {
		t := e.setting(s, d, bin)
		t.mode = calm // the fleet's mode of a past bin is no longer known
		base := e.step(s, d, &t, &silent)
		e.note(s, &t, s.Log())
		e.learn(s, d, &t, &base, &silent)
	}
}

// rest passes n silent bins in one go.
func (e *Engine) rest(s *State, n uint32) {
	s.stat = [numCore][NumRates]float32{}
	for m := range s.count {
		fade := math.Exp(-float64(n) / e.level[m])
		s.count[m] = fold(s.count[m], fade, 0)
		s.exposure[m] = fold(s.exposure[m], fade, (1-fade)*e.level[m])
		fade = math.Exp(-float64(n) / e.dispersion)
		s.excess[m] = fold(s.excess[m], fade, 0)
		s.square[m] = fold(s.square[m], fade, 0)
	}
	s.active = fold(s.active, math.Exp(-float64(n)/e.level[Distinct]), 0)
	s.peak = max(0, s.peak-float32(float64(n)*e.peakFall))
	s.busy = false
	s.last += n
	s.rise = s.last + 1
}

// calmLog is the log evidence below which nothing is taken to be going on: the
// statistics of a calm identity wander around it from below.
const calmLog = CandidateCut / 2

// note moves the state's marks past the scored bin: the last bin, the start of
// the present rise, the peak of the evidence.
func (e *Engine) note(s *State, t *setting, log float64) {
	s.last = t.bin + 1
	if log < calmLog {
		s.rise = t.bin + 2
	}
	s.peak = float32(max(log, float64(s.peak)-e.peakFall, 0))
}

// evidence reads the evidence off the statistics after a step.
func (e *Engine) evidence(s *State, d *Dimension, t *setting, base *[numCore]baseline, c *Counts) Evidence {
	ev := Evidence{Scored: true, Onset: int64(t.bin)}
	var total, best float64
	for m := range base {
		b := &base[m]
		var sum float64
		for _, v := range s.stat[m] {
			sum += float64(v)
		}
		total += sum
		if sum > best {
			best, ev.Measure = sum, Measure(m)
		}
		ev.Measures[m] = MeasureEvidence{
			Judged: true,
			Log: ln(sum / NumRates), Observed: c[m], Expected: b.mu,
			Level: b.level, Shape: b.shape, Mode: b.mode, K: b.k, PeerWeight: b.peer,
		}
	}
	ev.Log = ln(total / float64(numCore*NumRates))
	if ev.Log >= CandidateCut {
		for m := range base {
			for i, v := range s.stat[m] {
				ev.Measures[m].Rates[i] = ln(float64(v))
			}
		}
		ev.Onset = e.onset(s, d, &ev, t.bin, c)
	}
	return ev
}
